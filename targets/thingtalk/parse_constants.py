"""Constants that are written as calls: places, times, dates, recurring times, argument maps."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, cast

from .parse_types import annotated_type
from .values import (
    ArgMap,
    Boolean,
    DateEdge,
    DateParts,
    Enum,
    IsoDate,
    Location,
    Measure,
    NamedLocation,
    Now,
    Num,
    Number,
    Placeholder,
    RecurrentTime,
    RelativeLocation,
    RelativeTime,
    Time,
    Type,
    Value,
    WeekDay,
)

if TYPE_CHECKING:
    from .parser import Parser

_DATES: Final = (IsoDate, DateParts, WeekDay, DateEdge, Placeholder)
_RULE_KEYS: Final[dict[str, tuple[type, ...]]] = {
    "beginDate": _DATES,
    "endDate": _DATES,
    "beginTime": (Time, Placeholder),
    "endTime": (Time, Placeholder),
    "frequency": (Number, Placeholder),
    "interval": (Measure, Placeholder),
    "dayOfWeek": (Enum,),
    "subtract": (Boolean,),
}
_RULE_HELD: Final = {
    "beginDate": ("DATE",),
    "endDate": ("DATE",),
    "beginTime": ("TIME",),
    "endTime": ("TIME",),
    "frequency": ("NUMBER",),
    "interval": ("DURATION", "MEASURE_ms"),
}


def _new(p: "Parser") -> Value:
    p.i += 1
    what = p.toks[p.i]
    handler = _NEW.get(what)
    if handler is None:
        p.unexpected("Date, Time, Location, RecurrentTimeSpecification or ArgMap after `new`")
    p.i += 1
    p.expect("(")
    made = handler(p)
    p.expect(")")
    return made


def _location(p: "Parser") -> Value:
    if p.toks[p.i][:1] in ('"', "'") or p.toks[p.i].startswith("QUOTED_STRING_"):
        return NamedLocation(p.text_or_placeholder())
    latitude = p.any_number()
    p.expect(",")
    longitude = p.any_number()
    return Location(latitude, longitude, p.text_or_placeholder() if p.take(",") else None)


def _time(p: "Parser") -> Time:
    hour = p.any_number()
    p.expect(",")
    minute = p.any_number()
    if p.take(",") and p.toks[p.i] != ")":
        return Time(hour, minute, p.any_number())
    return Time(hour, minute)


def _absolute_time(p: "Parser") -> Time | Placeholder | None:
    """`new Time(...)` or its placeholder, if one is next."""
    if p.toks[p.i] == "new" and p.toks[p.i + 1] == "Time":
        p.i += 2
        p.expect("(")
        made = _time(p)
        p.expect(")")
        return made
    return p.placeholder("TIME_")


def _date(p: "Parser") -> Value:
    token = p.toks[p.i]
    if token == ")":
        return Now()
    if token == "enum":
        return _week_day(p)
    if token[:1] in ('"', "'") or token.startswith("QUOTED_STRING_"):
        return IsoDate(p.text_or_placeholder())
    return _date_parts(p)


def _week_day(p: "Parser") -> Value:
    day = p.enum_member()
    if not p.take(","):
        return WeekDay(day)
    time = _absolute_time(p)
    return WeekDay(day, time if time is not None else _time(p))


def _date_parts(p: "Parser") -> Value:
    at = p.i
    parts: list[Num | None] = []
    time: Time | Placeholder | None = None
    filled = False
    while p.toks[p.i] != ")":
        if p.toks[p.i] == ",":
            p.i += 1
            if filled or parts:
                # The comma before a time leaves no part out.
                time = _absolute_time(p)
                if time is not None:
                    break
            if not filled:
                parts.append(None)
            filled = False
            continue
        if filled:
            p.unexpected("`,` or `)`")
        parts.append(p.any_number())
        filled = True
    if len(parts) > 6 or len(parts) == 4 or (time is not None and len(parts) > 3):
        p.fail("a date has 1, 2, 3, 5 or 6 numbers, with a time at most 3", at)
    if all(part is None for part in parts):
        p.fail("a date has at least one number", at)
    return DateParts(tuple(parts), time)


def _recurrent(p: "Parser") -> Value:
    rules = [_rule(p)]
    while p.take(","):
        rules.append(_rule(p))
    return RecurrentTime(tuple(rules))


def _rule(p: "Parser") -> tuple[tuple[str, Value], ...]:
    p.expect("{")
    items: dict[str, Value] = {}
    while not items or p.take(","):
        key = p.toks[p.i]
        wanted = _RULE_KEYS.get(key)
        if wanted is None or key in items:
            p.unexpected("a key of a recurring time, each at most once")
        p.i += 1
        p.expect("=")
        at = p.i
        value = items[key] = p.primary()
        if not isinstance(value, wanted) or (isinstance(value, Placeholder) and value.kind not in _RULE_HELD[key]):
            p.fail(f"this is no value for {key}", at)
    p.expect("}")
    return tuple(items.items())


def _arg_map(p: "Parser") -> Value:
    found: list[tuple[str, Type]] = []
    while p.toks[p.i] != ")" if not found else p.take(","):
        name = p.name("a parameter")
        found.append((name, annotated_type(p)))
    return ArgMap(tuple(found))


def _now(p: "Parser") -> Value:
    p.i += 1
    return Now()


def _edge(p: "Parser") -> Value:
    edge = p.toks[p.i][1:]
    p.i += 1
    p.expect("(")
    unit = p.unit()
    p.expect(")")
    return DateEdge(cast(Literal["start_of", "end_of"], edge), unit)


def _relative_time(p: "Parser") -> Value:
    p.i += 1
    p.expect(".")
    return RelativeTime(p.name())


def _relative_location(p: "Parser") -> Value:
    p.i += 1
    p.expect(".")
    return RelativeLocation(p.name())


_NEW: Final[dict[str, Callable[["Parser"], Value]]] = {
    "Location": _location,
    "Time": _time,
    "Date": _date,
    "RecurrentTimeSpecification": _recurrent,
    "ArgMap": _arg_map,
}
CONSTANTS: Final[dict[str, Callable[["Parser"], Value]]] = {
    "new": _new,
    "$now": _now,
    "$start_of": _edge,
    "$end_of": _edge,
    "$time": _relative_time,
    "$location": _relative_location,
}
"""How each constant that begins with a word of its own is read."""
