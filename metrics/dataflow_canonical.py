"""The SMCalFlow leaderboard's canonical form, as published and with its faults.

Two programs count as equal on the leaderboard if this form of them is equal, so it has to be wrong wherever the
published `try_round_trip` is wrong. For a sound standard form see `targets.dataflow.canonical`. What differs here:

- a number is rounded to one decimal place (`0.25` becomes `0.2`), and `inf` and `nan` count as numbers;
- a key is never forgotten, so `(F :a 1 2)` is `(F :a 1 :a 2)`, and a key with no argument after it vanishes;
- a function that begins with a lower-case letter or a sign has no named arguments: `:a` is a call `(:a)`;
- ten arguments and more are ordered as text (`arg10` before `arg2`), and keys that begin with `arg` vanish;
- a name bound by `let` or `lambda` stays bound after it;
- `ExternalReference` vanishes, `[3]` is the third node of the program, and a stray `)` can be a symbol.

A text that the published reader refuses is its own canonical form.
"""

import re
from collections.abc import Callable

from .dataflow_graph import Raw, through_graph

MAX_DEPTH = 300
"""A deeper text is its own canonical form (the published tool gives up somewhere below 500, when its stack is full)."""

PARSE_ERROR = '(parseError #(InvalidLispress "")'
"""What the prediction report compares in place of a prediction that cannot be read; no gold program equals it."""

_SPACE = re.compile(r"\s*")
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SYMBOL_TAIL = re.compile(r'(?:[^\s()"#^\\]|\\.)*+', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_RESERVED = re.compile(r'[\s()"#^]')


class _Refused(Exception):
    """The published reader would have raised."""


def leaderboard_form(text: str) -> str:
    """`try_round_trip` of the published leaderboard script: the canonical form of a program, else `text` itself."""
    try:
        return _write(_each_atom(_each_atom(through_graph(_read(text)), _round), _strip))
    except Exception:
        # The published function catches everything; what cannot be read is compared as it stands.
        return text


def report_form(text: str) -> str:
    """`to_canonical_form` of the published prediction report, for programs written as tokens with spaces between.

    Unlike `leaderboard_form` it leaves numbers alone. Raises `ValueError` for a text that the published tool refuses;
    the report then puts `PARSE_ERROR` in place of a prediction.
    """
    try:
        return _write(through_graph(_each_atom(_read(text), _strip)))
    except Exception as error:
        raise ValueError("not a Lispress program") from error


def _read(text: str) -> Raw:
    """Nested lists of strings: `["^", meta, expr]`, `["#", expr]`; a string keeps its quotes."""
    expr, at = _read_one(text, 0, 0)
    if _skip(text, at) != len(text):
        raise _Refused
    return expr


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _read_one(text: str, at: int, depth: int) -> tuple[Raw, int]:
    at = _skip(text, at)
    if at == len(text) or depth > MAX_DEPTH:
        raise _Refused
    char = text[at]
    if char == "(":
        items: list[Raw] = []
        at = _skip(text, at + 1)
        while text[at] != ")":
            item, at = _read_one(text, at, depth + 1)
            items.append(item)
            at = _skip(text, at)
        return items, at + 1
    if char == "^":
        meta, at = _read_one(text, at + 1, depth + 1)
        expr, at = _read_one(text, at, depth + 1)
        return [char, meta, expr], at
    if char == "#":
        expr, at = _read_one(text, at + 1, depth + 1)
        return [char, expr], at
    if char == '"':
        string = _STRING.match(text, at)
        if string is None:
            raise _Refused
        return string.group(), string.end()
    # Whatever comes first belongs to the symbol, a closing parenthesis too.
    tail = _SYMBOL_TAIL.match(text, at if char == "\\" else at + 1)
    end = tail.end() if tail else len(text)
    name = _ESCAPED.sub(r"\1", text[at:end])
    return name, end + text.startswith("\\", end)


def _write(expr: Raw) -> str:
    if isinstance(expr, str):
        if expr.startswith('"') and expr.endswith('"'):
            return expr
        return _RESERVED.sub(lambda match: "\\" + match.group(), expr)
    if len(expr) == 3 and expr[0] == "^":
        return f"^{_write(expr[1])} {_write(expr[2])}"
    if len(expr) == 2 and expr[0] == "#":
        return f"#{_write(expr[1])}"
    parts = []
    for each in expr:
        parts.append(_write(each))
    return f"({' '.join(parts)})"


def _round(atom: str) -> str:
    try:
        return f"{float(atom):.1f}"
    except ValueError:
        return atom


def _strip(atom: str) -> str:
    if len(atom) > 2 and atom[0] == '"' and atom[-1] == '"':
        return f'"{atom[1:-1].strip()}"'
    return atom


def _each_atom(expr: Raw, change: Callable[[str], str]) -> Raw:
    if isinstance(expr, str):
        return change(expr)
    result = []
    for each in expr:
        result.append(_each_atom(each, change))
    return result
