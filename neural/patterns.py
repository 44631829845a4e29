"""Regular expressions of dl.lark's terminals as parts of a network.

Only what terminals use: characters, classes, groups, alternatives, repeats. Characters beyond ASCII in a class
stand for all of UTF-8 beyond ASCII, since no terminal of DL tells them apart.
"""

import re._constants as op  # type: ignore[import-not-found,unused-ignore]
import re._parser as sre  # type: ignore[import-not-found,unused-ignore]
from collections.abc import Sequence
from functools import cache
from typing import Any

from .net import Part


def draw(part: Part, source: int, pattern: str, target: int) -> None:
    """Draw `pattern` from `source` to `target`. Raises ValueError for what terminals do not use."""
    part.join(_sequence(part, source, _parsed(pattern)), target)


@cache
def _parsed(pattern: str) -> tuple[Any, ...]:
    return tuple(sre.parse(pattern))


def _sequence(part: Part, source: int, items: Sequence[Any]) -> int:
    for item in items:
        source = _item(part, source, item)
    return source


def _item(part: Part, source: int, item: Any) -> int:
    kind, value = item
    if kind is op.LITERAL:
        return part.text(source, chr(value))
    if kind is op.IN:
        return _class(part, source, value)
    if kind is op.SUBPATTERN:
        return _sequence(part, source, value[-1])
    if kind is op.BRANCH:
        target = part.new()
        for branch in value[1]:
            part.join(_sequence(part, source, branch), target)
        return target
    if kind in (op.MAX_REPEAT, op.POSSESSIVE_REPEAT):
        return _repeat(part, source, value)
    raise ValueError(f"no terminal uses {kind}")


def _repeat(part: Part, source: int, value: tuple[int, Any, Any]) -> int:
    low, high, body = value
    for _ in range(low):
        source = _sequence(part, source, body)
    target = part.new()
    part.join(source, target)
    if high is op.MAXREPEAT:
        loop = part.new()
        part.join(source, loop)
        part.join(_sequence(part, loop, body), loop)
        part.join(loop, target)
        return target
    for _ in range(high - low):
        source = _sequence(part, source, body)
        part.join(source, target)
    return target


def _class(part: Part, source: int, members: Sequence[Any]) -> int:
    negated = bool(members) and members[0][0] is op.NEGATE
    chosen: set[int] = set()
    wide = False
    for kind, value in members[1:] if negated else members:
        low, high = (value, value) if kind is op.LITERAL else value
        wide = wide or high > 127
        chosen.update(range(low, min(high, 127) + 1))
    target = part.new()
    moves = part.net.states[source].moves
    for byte in set(range(128)) - chosen if negated else chosen:
        moves.setdefault(byte, []).append(target)
    if wide or negated:
        beyond_ascii(part, source, target)
    return target


def beyond_ascii(part: Part, source: int, target: int) -> None:
    """Any well-formed UTF-8 sequence of two to four bytes (Unicode 15, table 3-7)."""
    tails = [target]
    for _ in range(2):
        state = part.new()
        part.byte(state, 0x80, 0xBF, tails[-1])
        tails.append(state)
    one, two = tails[1], tails[2]
    part.byte(source, 0xC2, 0xDF, one)
    for first, low, high, rest in (
        (0xE0, 0xA0, 0xBF, one),
        (0xED, 0x80, 0x9F, one),
        (0xF0, 0x90, 0xBF, two),
        (0xF4, 0x80, 0x8F, two),
    ):
        state = part.new()
        part.byte(source, first, first, state)
        part.byte(state, low, high, rest)
    part.byte(source, 0xE1, 0xEC, two)
    part.byte(source, 0xEE, 0xEF, two)
    three = part.new()
    part.byte(three, 0x80, 0xBF, two)
    part.byte(source, 0xF1, 0xF3, three)


def characters(part: Part, inside: int) -> None:
    """Any characters of a string but a quote, a backslash and what must be escaped; the state stays as it is."""
    for low, high in ((0x20, 0x21), (0x23, 0x5B), (0x5D, 0x7F)):
        part.byte(inside, low, high, inside)
    beyond_ascii(part, inside, inside)


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def rest_of_name(text: str, but: frozenset[str], first: str) -> bytes:
    """A short rest of a name that begins with `text`, as `any_name` reads them."""
    left = text
    while not left or left in but:
        letters = _LETTERS if left else first
        left += next((c for c in letters if left + c not in but), letters[0])
    return left[len(text) :].encode()


def any_name(part: Part, but: frozenset[str], first: str) -> None:
    """The whole of a procedure: any name of ASCII letters, digits and underscores that begins with one of `first`,
    but some names. What these begin with is drawn as it is read; every other name goes on in one state."""
    more: dict[str, dict[int, str]] = {}
    for whole in sorted(but):
        for end in range(len(whole)):
            more.setdefault(whole[:end], {})[ord(whole[end])] = whole[: end + 1]
    letters, later = ([*map(ord, chars)] for chars in (first, "0123456789_" + _LETTERS))

    def free(state: int) -> None:
        part.end(state)
        part.each(state, part.moves(later, state), {})

    anything = part.lazy(free, lambda: b"")
    at_first, afterwards = part.moves(letters, anything), part.moves(later, anything)

    def name(text: str, state: int) -> None:
        if text and text not in but:
            part.end(state)
        moves = afterwards if text else at_first
        part.each(state, moves, {byte: begins(whole) for byte, whole in more.get(text, {}).items() if byte in moves})

    def begins(text: str) -> int:
        return part.lazy(lambda state: name(text, state), lambda: rest_of_name(text, but, first))

    name("", part.start)
