"""Functions every schema has (`compiler/prelude.dl`), on values: what they mean when a query is evaluated.

A function of a missing value is missing. `number_of` gives text that is no number back as it is: it is equal to no
number, and greater than all of them (SQLite's order).
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import total_ordering
from math import ceil, floor
from typing import Any


@total_ordering
class NoNumber:
    """Text where a number was wanted: after every number, among its like in text order."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoNumber) and self.text == other.text

    def __hash__(self) -> int:
        return hash(("NoNumber", self.text))

    def __lt__(self, other: object) -> bool:
        if isinstance(other, NoNumber):
            return self.text < other.text
        return False if isinstance(other, int | float) else NotImplemented

    def __gt__(self, other: object) -> bool:
        if isinstance(other, NoNumber):
            return self.text > other.text
        return True if isinstance(other, int | float) else NotImplemented

    def __add__(self, other: Any) -> Any:
        return leading_number(self.text) + (leading_number(other.text) if isinstance(other, NoNumber) else other)

    def __radd__(self, other: Any) -> Any:
        return other + leading_number(self.text)


def _number(text: str) -> int | float | None:
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return int(value) if value.is_integer() else value


def leading_number(text: str) -> int | float:
    """The number a text begins with, 0 if it begins with none."""
    stripped = text.strip()
    for end in range(len(stripped), 0, -1):
        found = _number(stripped[:end])
        if found is not None and stripped[:end][-1:] not in "eE":
            return found
    return 0


def number_of(value: Any) -> Any:
    """A number, or text in the place of one."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        found = _number(value)
        return NoNumber(value) if found is None else found
    return value


def to_number(value: Any) -> Any:
    """A number whatever the value: the one a text begins with."""
    return leading_number(value) if isinstance(value, str) else int(value) if isinstance(value, bool) else value


def text_of(value: Any) -> str:
    """A value as text."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, NoNumber):
        return value.text
    if isinstance(value, float) and value.is_integer():
        return f"{value:.1f}"
    if isinstance(value, float):
        # As many digits as SQLite writes.
        return f"{value:.15g}"
    return str(value)


def _round(value: Any, places: Any) -> Any:
    digits = max(int(places), 0)
    scaled = abs(value) * 10**digits
    return (1 if value >= 0 else -1) * floor(scaled + 0.5) / 10**digits


def _substring(value: str, start: Any, length: Any = None) -> str:
    begin = int(start) - 1 if start > 0 else max(len(value) + int(start), 0)
    return value[begin:] if length is None else value[begin : begin + int(length)]


def _present(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **named: Any) -> Any:
        if any(a is None for a in args) or any(a is None for a in named.values()):
            return None
        return function(*args, **named)

    return call


def _date_of(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


SCALARS: Mapping[str, Callable[..., Any]] = {
    "number_of": _present(number_of),
    "text_of": _present(text_of),
    "untyped": lambda value: value,
    "no_value": lambda: None,
    "to_number": _present(to_number),
    "to_whole": _present(lambda value: int(to_number(value))),
    "to_text": _present(text_of),
    "first_present": lambda first, second: second if first is None else first,
    "abs": _present(abs),
    "round": _present(_round),
    "ceiling": _present(ceil),
    "floor": _present(floor),
    "sign": _present(lambda value: (value > 0) - (value < 0)),
    "length": _present(lambda value: len(value)),
    "upper": _present(lambda value: value.upper()),
    "lower": _present(lambda value: value.lower()),
    "trim": _present(lambda value: value.strip(" ")),
    "replace": _present(lambda value, old, new: value.replace(old, new) if old else value),
    "position_of": _present(lambda value, part: value.find(part) + 1),
    "substring": _present(_substring),
    "concat": _present(lambda first, second: f"{first}{second}"),
    "least": _present(min),
    "greatest": _present(max),
    "date_of": _present(_date_of),
}
