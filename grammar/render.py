"""The one renderer of diagnostics: data in, text or a JSON object out."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .diagnostic import Diagnostic, Label
from .span import LineIndex, Span

MAX_WIDTH = 100
_CONTEXT = 24
_STYLES = {"error": "1;31", "warning": "1;33", "frame": "1;34", "bold": "1", "label": "1;34"}


@dataclass(frozen=True, slots=True)
class _Mark:
    """One underlined stretch of a line, in character columns of that line (0-based, end excluded)."""

    start: int
    end: int
    text: str
    primary: bool


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """The diagnostic as lines of text, without an end of line at the end.

    Control characters of the source are shown as pictures of themselves, so a hostile text cannot steer the
    terminal. Long lines are cut around what is underlined.
    """
    paint = _painter(color)
    severity = diagnostic.severity
    head = paint(severity, f"{severity}[{diagnostic.code}]") + paint("bold", f": {visible(diagnostic.message)}")
    index = LineIndex(diagnostic.text) if diagnostic.text is not None else None
    where = place_line(diagnostic, index)
    excerpt = _excerpt(diagnostic, index) if index is not None else []
    numbered = any(number for number, _, _ in excerpt)
    width = max((len(number) for number, _, _ in excerpt), default=0)
    gutter = " " * (width + 2 if not numbered else width + 1)
    lines = [head]
    if where:
        lines.append(gutter + paint("frame", "┌─ ") + where if excerpt else gutter + paint("frame", "── ") + where)
    for number, text, style in excerpt:
        margin = (number.rjust(width) + " ") if numbered else gutter
        lines.append((paint("frame", margin + "│ ") + paint(style, text)).rstrip())
    lines += [gutter + paint("frame", "= ") + paint("bold", "help") + ": " + visible(hint) for hint in diagnostic.help]
    return "\n".join(lines)


def render_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """The diagnostic as a JSON object.

    `line` and `column` are 1-based; `line` is the row's line in its file if the text is a row of a file.
    `span` counts characters of the compiled text, end excluded.
    """
    place = diagnostic.place
    line, column = _position(diagnostic, LineIndex(diagnostic.text) if diagnostic.text is not None else None)
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": place.file,
        "dialogue_id": place.dialogue,
        "turn": place.turn,
        "line": line,
        "column": column,
        "span": _span_json(diagnostic.span),
        "label": diagnostic.label,
        "labels": [{"span": _span_json(label.span), "text": label.text} for label in diagnostic.labels],
        "help": list(diagnostic.help),
    }


def place_line(diagnostic: Diagnostic, index: LineIndex | None = None) -> str:
    """`val.json · SNG0073 · turn 4 · column 15`; empty if nothing is known."""
    place = diagnostic.place
    line, column = _position(diagnostic, index)
    several_lines = index is not None and "\n" in index.text.rstrip("\n")
    parts = [visible(place.file)] if place.file is not None else []
    if place.dialogue is not None:
        parts.append(visible(place.dialogue))
    if place.turn is not None:
        parts.append(f"turn {place.turn}")
    if line is not None and (place.line is not None or several_lines):
        parts.append(f"line {line}")
    if column is not None:
        parts.append(f"column {column}")
    return " · ".join(parts)


def visible(text: str) -> str:
    """The text with control characters and lone surrogates as pictures, line ends as `⏎`."""
    return "".join(map(_visible_char, text)) if not text.isprintable() else text


def _visible_char(char: str) -> str:
    code = ord(char)
    if char == "\n":
        return "⏎"
    if char == "\t":
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return char if char.isprintable() or unicodedata.category(char) in ("Zs", "Co") else "�"


def _span_json(span: Span | None) -> list[int] | None:
    return None if span is None else [span.start, span.end]


def _position(diagnostic: Diagnostic, index: LineIndex | None) -> tuple[int | None, int | None]:
    first = diagnostic.place.line
    if index is None or diagnostic.span is None:
        return first, None
    line, column = index.position(min(diagnostic.span.start, len(index.text)))
    return (line if first is None else first + line - 1), column


def _excerpt(diagnostic: Diagnostic, index: LineIndex | None) -> list[tuple[str, str, str]]:
    """Lines to show as (line number or "", text, style): each marked line with its marks under it."""
    if index is None or diagnostic.span is None:
        return []
    marks: dict[int, list[_Mark]] = {}
    primary = Label(diagnostic.span, diagnostic.label)
    for label in (primary, *diagnostic.labels):
        line, mark = _mark(label, index, label is primary)
        marks.setdefault(line, []).append(mark)
    first = diagnostic.place.line or 1
    numbered = len(marks) > 1 or "\n" in index.text.rstrip("\n")
    shown: list[tuple[str, str, str]] = []
    for line in sorted(marks):
        text, moved = _window(index.line(line), marks[line])
        shown.append((str(first + line - 1) if numbered else "", text, ""))
        style = diagnostic.severity if any(m.primary for m in moved) else "label"
        shown += [("", row, style) for row in _mark_rows(text, moved)]
    return shown


def _mark(label: Label, index: LineIndex, primary: bool) -> tuple[int, _Mark]:
    line, column = index.position(min(label.span.start, len(index.text)))
    length = len(index.line(line))
    start = min(column - 1, length)
    end = min(max(start + label.span.end - label.span.start, start + 1), max(length, start + 1))
    return line, _Mark(start, end, visible(label.text), primary)


def _window(text: str, marks: list[_Mark]) -> tuple[str, list[_Mark]]:
    """The part of a long line around its marks, and the marks moved along."""
    shown = visible(text)
    if len(shown) <= MAX_WIDTH:
        return shown, marks
    anchor = next((m for m in marks if m.primary), marks[0])
    low = min((m.start for m in marks if anchor.start - m.start < MAX_WIDTH - 2 * _CONTEXT), default=anchor.start)
    begin = max(0, min(min(low, anchor.start) - _CONTEXT, len(shown) - MAX_WIDTH))
    end = min(len(shown), begin + MAX_WIDTH)
    before, after = ("…" if begin else ""), ("…" if end < len(shown) else "")
    shift = len(before) - begin
    limit = len(before) + end - begin
    moved = [
        _Mark(m.start + shift, min(m.end + shift, limit), m.text, m.primary)
        for m in marks
        if begin <= m.start and (m.start < end or m.primary)
    ]
    return before + shown[begin:end] + after, moved


def _mark_rows(text: str, marks: list[_Mark]) -> list[str]:
    """Underlines, then texts: the rightmost beside its underline, the others below, right to left."""
    row: list[str] = []
    for mark in sorted(marks, key=lambda m: m.primary):
        row += [" "] * (_columns(text, mark.end) - len(row))
        start, end = _columns(text, mark.start), _columns(text, mark.end)
        row[start:end] = ("^" if mark.primary else "─") * (end - start)
    ordered = sorted(marks, key=lambda m: (m.start, m.end))
    last = ordered[-1]
    overlapped = any(m is not last and m.end > last.end for m in ordered)
    rows = ["".join(row) + (f" {last.text}" if last.text and not overlapped else "")]
    below: Iterable[_Mark] = reversed(ordered if overlapped else ordered[:-1])
    rows += [" " * _columns(text, mark.start) + mark.text for mark in below if mark.text]
    return rows


def _columns(text: str, length: int) -> int:
    """Terminal columns that the first `length` characters take (beyond the text: one each)."""
    if text.isascii():
        return length
    wide = sum(_char_width(char) for char in text[:length])
    return wide + max(0, length - len(text))


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _painter(color: bool) -> Callable[[str, str], str]:
    return _paint if color else _plain


def _paint(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and text else text


def _plain(style: str, text: str) -> str:
    return text
