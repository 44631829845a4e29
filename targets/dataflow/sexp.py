"""Lispress as S-expressions: reader, compact writer, pretty writer.

An expression is a `str` (an atom, spelled as in the text) or a `tuple`:

- a symbol keeps its backslashes and a string its quotes and escapes, so printing gives back what was read;
- `("^", meta, expr)` is `^meta expr` and `("#", expr)` is `#expr`. Both heads are reserved characters that a
  symbol can only hold escaped, so no list of symbols is ever mistaken for them;
- every other tuple is a parenthesized list, `()` included.

Lexical rules: https://github.com/microsoft/task_oriented_dialogue_as_dataflow_synthesis (README-LISPRESS). White
space is what `str.isspace` says; `[`, `]`, `;`, `'` and `:` are ordinary symbol characters.
"""

import re
from typing import Final, TypeAlias

Sexp: TypeAlias = str | tuple["Sexp", ...]

META: Final = "^"
VALUE: Final = "#"
MAX_DEPTH: Final = 250
"""Deepest nesting read, in open parentheses, `^` and `#`; real programs stay below 40."""

# The last alternative never matches a well-formed token: a lone quote or a final backslash.
_TOKEN: Final = re.compile(
    r"""[()]|(?:[^\s()"\#^\\]|\\.)++|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\^\#]|\S""",
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_RESERVED: Final = re.compile(r'[\s()"#^\\]')


class LispressError(ValueError):
    """A text is not Lispress.

    `message` says what is wrong; `offset` counts characters from the start of the text, and is -1 where no text was
    at hand (a tree built by a program).
    """

    def __init__(self, message: str, offset: int = -1) -> None:
        super().__init__(f"{message} (at character {offset})" if offset >= 0 else message)
        self.message = message
        self.offset = offset


def read(text: str) -> Sexp:
    """Read one expression. Raises `LispressError` for anything but exactly one well-formed expression."""
    # `needed` counts the operands that the innermost frame still waits for if it is a prefix (^ two, # one), else 0.
    frame: list[Sexp] = []
    needed = 0
    stack: list[tuple[list[Sexp], int]] = []
    for token in _TOKEN.findall(text):
        if token == "(":
            stack.append((frame, needed))
            frame = []
            needed = 0
            continue
        if token == ")":
            if needed or not stack:
                raise _explain(text)
            node: Sexp = tuple(frame)
            frame, needed = stack.pop()
        elif token in (META, VALUE):
            stack.append((frame, needed))
            frame = [token]
            needed = 2 if token == META else 1
            continue
        elif token == '"' or token == "\\":
            raise _explain(text)
        else:
            node = token
            if len(stack) > MAX_DEPTH:
                raise _explain(text)
        frame.append(node)
        while needed:
            needed -= 1
            if needed:
                break
            node = tuple(frame)
            frame, needed = stack.pop()
            frame.append(node)
    if stack or len(frame) != 1:
        raise _explain(text)
    return frame[0]


def _explain(text: str) -> LispressError:
    """Find the first thing wrong in a text that `read` refused; the slow path, run once per refused text."""
    opened: list[tuple[str, int, int]] = []
    complete = False
    for match in _TOKEN.finditer(text):
        token, at = match.group(), match.start()
        if complete:
            return LispressError("more than one expression", at)
        if token == '"':
            return LispressError("a string is never closed", at)
        if token == "\\":
            return LispressError("nothing follows the backslash", at)
        if token in ("(", META, VALUE):
            opened.append((token, at, {"(": 0, META: 2, VALUE: 1}[token]))
            if len(opened) > MAX_DEPTH:
                return LispressError(f"nested more than {MAX_DEPTH} deep", at)
            continue
        if token == ")":
            if not opened:
                return LispressError("a closing parenthesis without an opening one", at)
            kind, start, _ = opened[-1]
            if kind != "(":
                return LispressError(f"`{kind}` lacks an expression after it", start)
            opened.pop()
        while opened and opened[-1][2]:
            kind, start, needed = opened.pop()
            if needed > 1:
                opened.append((kind, start, needed - 1))
                break
        complete = not opened
    if opened:
        kind, start, _ = opened[-1]
        if kind != "(":
            return LispressError(f"`{kind}` lacks an expression after it", start)
        return LispressError("a parenthesis is never closed", start)
    return LispressError("no expression", len(text))


def openings(text: str) -> list[int]:
    """Offsets of the tuples of `read(text)`, outermost first, left to right (their order in the text)."""
    return [match.start() for match in _TOKEN.finditer(text) if match.group() in ("(", META, VALUE)]


def write(sexp: Sexp) -> str:
    """Write on one line. Raises `LispressError` if the tree is too deep to be read back."""
    try:
        return _write(sexp)
    except RecursionError:
        raise LispressError("nested too deep to write") from None


def _write(sexp: Sexp) -> str:
    if isinstance(sexp, str):
        return sexp
    if sexp:
        if sexp[0] == META and len(sexp) == 3:
            return f"^{_write(sexp[1])} {_write(sexp[2])}"
        if sexp[0] == VALUE and len(sexp) == 2:
            return f"#{_write(sexp[1])}"
    parts = []
    for each in sexp:
        parts.append(each if isinstance(each, str) else _write(each))
    return f"({' '.join(parts)})"


def write_pretty(sexp: Sexp, width: int = 60) -> str:
    """Write over several lines where one would be wider than `width` characters.

    Arguments are indented by two spaces, one a line, a `:name` before its argument; `^` and `#` stay on the first
    line of what they mark. Reading gives the same expression back.
    """
    try:
        return "\n".join(_lines(sexp, width))
    except RecursionError:
        raise LispressError("nested too deep to write") from None


def _lines(sexp: Sexp, width: int) -> list[str]:
    compact = _write(sexp)
    if isinstance(sexp, str) or len(sexp) <= 1 or len(compact) <= width:
        return [compact]
    if sexp[0] == META and len(sexp) == 3:
        return _prefixed(META, _lines(sexp[1], width) + _lines(sexp[2], width))
    if sexp[0] == VALUE and len(sexp) == 2:
        return _prefixed(VALUE, _lines(sexp[1], width))
    lines = _prefixed("(", _lines(sexp[0], width))
    keyword = ""
    for argument in sexp[1:]:
        if isinstance(argument, str) and argument.startswith(":") and not keyword:
            keyword = f"{argument} "
            continue
        first, *rest = _lines(argument, width)
        lines.append(f"  {keyword}{first}")
        lines += [f"  {line}" for line in rest]
        keyword = ""
    if keyword:
        lines.append(f"  {keyword.rstrip()}")
    lines[-1] += ")"
    return lines


def _prefixed(mark: str, lines: list[str]) -> list[str]:
    lines[0] = mark + lines[0]
    return lines


def is_string(atom: str) -> bool:
    """Whether an atom is a string literal (a symbol that begins with a quote begins with its backslash)."""
    return atom.startswith('"')


def symbol_name(atom: str) -> str:
    """The characters a symbol stands for: its spelling without the escaping backslashes."""
    return _ESCAPED.sub(r"\1", atom) if "\\" in atom else atom


def symbol(name: str) -> str:
    """Spell a symbol. Raises `LispressError` for the empty name, which has no spelling."""
    if not name:
        raise LispressError("a symbol cannot be empty")
    return _RESERVED.sub(lambda match: "\\" + match.group(), name)
