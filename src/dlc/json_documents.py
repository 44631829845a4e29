"""Files that are one JSON document: cut into top-level values, one in memory at a time.

Invalid UTF-8 and bottomless nesting cost the dialogue they stand in. So does broken syntax where dialogues begin in
a way that can be looked for; elsewhere it costs the file, because nothing tells where the next dialogue begins.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

from dlc.grammar.diagnostic import Place

from . import errors
from .errors import InputFailure
from .inputs import Document
from .units import Broken, Part, Unit

MAX_VALUE = 256 << 20
_REFILL = 4 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
# Where an error this close to the end of the window may only mean that the window ends in a value.
_LONGEST_ATOM = 16
_CUT_ATOM = re.compile(r"\s*|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-|\\u?[0-9a-fA-F]{0,3}")
_REJECT_KEPT = 1 << 16

Path = tuple[str | int, ...]


def json_units(
    document: Document, turns: str | None = None, opening_of: re.Pattern[str] | None = None
) -> Iterator[Unit | Broken]:
    """Each member of a top-level object (its key names the dialogue) or element of a top-level array.

    turns: the key of the list whose positions are turns, for diagnostics. opening_of: how every element of an array
    begins, its first group the dialogue's name; after broken syntax reading goes on at the next. Raises InputFailure.
    """
    reader = _Reader(document)
    opening = reader.peek()
    if not opening:
        raise InputFailure(errors.empty_input(document.name))
    if opening not in "{[":
        reader.fail_layout("this source is a JSON object or list of dialogues")
    reader.position += 1
    keyed, closing, first = opening == "{", "}" if opening == "{" else "]", True
    while True:
        mark = reader.peek()
        if mark == closing and first:
            reader.position += 1
            break
        key: str | None = None
        if keyed:
            if mark != '"':
                reader.fail("a dialogue's name in double quotes is expected here")
            key = reader.value(None)[0]
            if reader.peek() != ":":
                reader.fail("`:` is expected here")
            reader.position += 1
            reader.peek()
        unit = reader.unit(key, turns) if keyed or opening_of is None else reader.element(turns, opening_of)
        yield unit
        first = False
        if isinstance(unit, Broken) and reader.resumed:
            reader.resumed = False
            if reader.peek():
                continue
            break
        mark = reader.peek()
        reader.position += 1
        if mark == closing:
            break
        if mark != ",":
            reader.position -= 1
            reader.fail(f"`,` or `{closing}` is expected here")
    if reader.peek():
        reader.fail("the document has ended before this")


class _Reader:
    """A window on the text of a document, moved on as values are taken."""

    def __init__(self, document: Document) -> None:
        self.name = document.name
        self.chunks = document.chunks()
        # Bad bytes become lone surrogates, found again in the dialogue they belong to.
        self.decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.decode_json = json.JSONDecoder(parse_constant=_no_constant).raw_decode
        self.text, self.position, self.ended = "", 0, False
        # Lines and the column's start are counted up to `counted`, so that no character is counted twice.
        self.line, self.line_start, self.counted = 1, 0, 0
        # Where the element in hand begins, and whether reading goes on after one of broken syntax.
        self.start, self.resumed = 0, False
        self.refill()
        self.text = self.text.removeprefix("\ufeff")

    def refill(self) -> bool:
        """Read as much again as is unread, at least some MiB. False at the end of the document."""
        if self.ended:
            return False
        rest = self.text[self.position :]
        if len(rest) > MAX_VALUE:
            raise InputFailure(errors.value_too_large(Place(self.name, line=self.here()[0]), MAX_VALUE))
        self.here()
        self.line_start, self.start, self.counted = self.line_start - self.position, self.start - self.position, 0
        pieces, wanted = [rest], max(_REFILL, len(rest))
        while wanted > 0:
            chunk = next(self.chunks, b"")
            piece = self.decoder.decode(chunk, final=not chunk)
            pieces.append(piece)
            wanted -= len(piece)
            if not chunk:
                self.ended = True
                break
        self.text, self.position = "".join(pieces), 0
        return True

    def peek(self) -> str:
        """The next character that is no space, or "" at the end."""
        while True:
            match = _SPACE.match(self.text, self.position)
            self.position = match.end() if match else self.position
            if self.position < len(self.text):
                return self.text[self.position]
            if not self.refill():
                return ""

    def value(self, key: str | None) -> tuple[Any, str]:
        """The value at the position and its text. Raises RecursionError if it is nested without bound."""
        while True:
            try:
                value, end = self.decode_json(self.text, self.position)
            except json.JSONDecodeError as error:
                open_string = error.msg.startswith("Unterminated string")
                if (open_string or error.pos >= len(self.text) - _LONGEST_ATOM) and self.refill():
                    continue
                if open_string or _CUT_ATOM.fullmatch(self.text, error.pos):
                    self.fail_truncated(key)
                self.position = error.pos
                self.fail(error.msg[0].lower() + error.msg[1:])
            except _Constant as error:
                self.fail(str(error))
            except ValueError:
                self.fail("a number of too many digits")
            if end == len(self.text) and not isinstance(value, dict | list | str) and self.refill():
                continue
            text = self.text[self.position : end]
            self.position = end
            return value, text

    def unit(self, key: str | None, turns: str | None) -> Unit | Broken:
        """The dialogue at the position, taken out."""
        line = self.here()[0]
        bad_key = key is not None and _SURROGATE.search(key)
        place = Place(self.name, _replaced(key) if key is not None else None, line=line)
        try:
            value, text = self.value(place.dialogue)
        except RecursionError:
            return Broken(errors.nested_too_deeply(place), _replaced(self.skip(place.dialogue)[:_REJECT_KEPT]))
        if bad_key or not text.isascii() or "\\ud" in text or "\\uD" in text:
            path = _path_to_surrogate(value)
            if bad_key or path or _SURROGATE.search(text):
                turn = path[1] if len(path) > 1 and path[0] == turns and isinstance(path[1], int) else None
                where = "in the dialogue's name" if bad_key else f"in {show_path(path)}" if path else "in its text"
                diagnostic = errors.not_unicode(replace(place, turn=turn), where)
                return Broken(diagnostic, _replaced(text[:_REJECT_KEPT]))
        return Unit(self.name, key, (Part(line, value),))

    def element(self, turns: str | None, opening_of: re.Pattern[str]) -> Unit | Broken:
        """The element at the position; of broken syntax up to where the next begins. Raises InputFailure."""
        line, column = self.here()
        self.start = self.position
        try:
            return self.unit(None, turns)
        except InputFailure as failure:
            self._back_to(self.start)
            following = opening_of.search(self.text, self.start + 1)
            while following is None and self.refill():
                following = opening_of.search(self.text, self.start + 1)
            if following is None and not self.text.rstrip().endswith("]"):
                raise
            end = following.start() if following is not None else len(self.text)
            text = self.text[self.start : end]
            self.position, self.resumed = end, True
            named = opening_of.match(text)
            place = Place(self.name, named.group(1) if named is not None else None, line=line)
            found = replace(failure.diagnostic, place=place)
            if found.code == "DLC356":
                # It is this dialogue that ends too early, not the file.
                found = errors.bad_json(place, "the dialogue breaks off", line, column)
            return Broken(found, _replaced(text[:_REJECT_KEPT]))

    def _back_to(self, position: int) -> None:
        """Move back, and the count of lines with it."""
        if self.counted > position:
            self.line -= self.text.count("\n", position, self.counted)
            self.line_start = self.text.rfind("\n", 0, position) + 1
            self.counted = position
        self.position = position

    def skip(self, key: str | None) -> str:
        """Move past a value by counting brackets; its text."""
        while True:
            depth = 0
            for match in _TOKEN.finditer(self.text, self.position):
                mark = match.group()
                depth += (mark in "{[") - (mark in "}]")
                if depth == 0:
                    text = self.text[self.position : match.end()]
                    self.position = match.end()
                    return text
            if not self.refill():
                self.fail_truncated(key)

    def here(self) -> tuple[int, int]:
        """Line and column of the position, 1-based."""
        lines = self.text.count("\n", self.counted, self.position)
        if lines:
            self.line += lines
            self.line_start = self.text.rfind("\n", self.counted, self.position) + 1
        self.counted = self.position
        return self.line, self.position - self.line_start + 1

    def fail(self, why: str) -> NoReturn:
        """Raise for the position: what is there is not JSON, or the document ends there."""
        if self.position >= len(self.text):
            self.fail_truncated(None)
        line, column = self.here()
        raise InputFailure(errors.bad_json(Place(self.name, line=line), why, line, column))

    def fail_layout(self, why: str) -> NoReturn:
        """Raise: the document is something else."""
        raise InputFailure(errors.unknown_layout(Place(self.name), why))

    def fail_truncated(self, key: str | None) -> NoReturn:
        """Raise for a document that ends inside the value at the position."""
        path = show_path(path_at_end(self.text, self.position))
        raise InputFailure(errors.truncated_json(Place(self.name, key, line=self.here()[0]), path))


class _Constant(Exception):
    """NaN and the infinities, which Python reads and JSON does not have."""


def _no_constant(name: str) -> NoReturn:
    raise _Constant(f"{name} is no JSON number")


def _replaced(text: str) -> str:
    """The text with what is not Unicode replaced, to be shown."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _path_to_surrogate(value: Any) -> Path:
    """The path to the first text that is not Unicode; () if there is none."""
    todo: list[tuple[Any, Path]] = [(value, ())]
    while todo:
        node, path = todo.pop()
        if isinstance(node, str):
            if _SURROGATE.search(node):
                return path
        elif isinstance(node, dict):
            for key in node:
                if _SURROGATE.search(key):
                    return (*path, key)
            todo.extend((child, (*path, key)) for key, child in reversed(node.items()))
        elif isinstance(node, list):
            todo.extend((node[i], (*path, i)) for i in reversed(range(len(node))))
    return ()


def path_at_end(text: str, start: int) -> Path:
    """The path that is open where a cut text ends: keys and list positions from the value at `start`."""
    path: list[str | int] = []
    in_object: list[bool] = []
    pending = ""
    for match in _TOKEN.finditer(text, start):
        mark = match.group()
        if mark == "{" or mark == "[":
            in_object.append(mark == "{")
            path.append("" if mark == "{" else 0)
        elif mark == "}" or mark == "]":
            if in_object:
                in_object.pop()
                path.pop()
        elif mark == ":":
            if path and in_object[-1]:
                path[-1] = pending
        elif mark == ",":
            last = path[-1] if path else None
            if isinstance(last, int):
                path[-1] = last + 1
            elif path:
                path[-1] = ""
        else:
            pending = mark[1:-1]
    return tuple(part for part in path if part != "")


def show_path(path: Path) -> str:
    """`log[3].text`."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return _replaced(shown.removeprefix("."))
