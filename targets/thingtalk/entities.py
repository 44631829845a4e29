"""Placeholders and the values they stand for: filling them in, and taking constants out.

The values are JSON by token, in the shapes that ThingTalk's tools keep beside a sentence: `NUMBER_0` a number,
`QUOTED_STRING_0` and `URL_0` text, `TIME_0` {hour, minute, second}, `DURATION_0`, `CURRENCY_0` and `MEASURE_kg_0` {value, unit},
`LOCATION_0` {latitude, longitude, display}, `DATE_0` text or {year, month, day, ...}, `GENERIC_ENTITY_type_0` {value, display}.
Constants are numbered by kind in the order they are written, and equal ones share a number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final, TypeVar

from ...compiler.units import MEASURE_UNITS, TIME_UNITS
from . import ast, values
from .declarations import Program
from .lexer import PLACEHOLDER
from .values import Placeholder

T = TypeVar("T")
Held = Mapping[str, Any]

_NAMED_ENTITIES: Final = {
    kind: f"tt:{kind.lower()}"
    for kind in ("USERNAME", "HASHTAG", "URL", "PHONE_NUMBER", "EMAIL_ADDRESS", "PATH_NAME", "PICTURE")
}
_KIND_OF_ENTITY: Final = {type_: kind for kind, type_ in _NAMED_ENTITIES.items()}
# Never taken out: they name what the program is about, not what was said.
_KEPT_ENTITIES: Final = frozenset(("tt:device", "tt:function"))
_SMALL: Final = range(13)
"""Numbers that the tokenized syntax writes out."""


class ValueFault(ValueError):
    """A placeholder without a value, or with one of another shape."""


def filled(tree: T, held: Held) -> T:
    """The tree with a value in the place of each placeholder. Raises ValueFault."""
    made: T = _fill(tree, held)
    return made


def _fill(node: Any, held: Held) -> Any:
    if isinstance(node, Placeholder):
        return _value(node, held)
    if isinstance(node, tuple):
        new = tuple([_fill(item, held) for item in node])
        return new if any(a is not b for a, b in zip(new, node, strict=True)) else node
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {}
    for item in fields(node):
        before = getattr(node, item.name)
        if isinstance(node, _WITH_PLAIN_PARTS) and item.name != "time":
            after = _plain_parts(before, held)
        else:
            after = _fill(before, held)
        if after is not before:
            changed[item.name] = after
    return _with(node, changed) if changed else node


# Nodes whose placeholders stand for a bare number or text, and not for a value of its own.
_WITH_PLAIN_PARTS: Final = (
    values.Measure,
    values.Currency,
    values.Time,
    values.Location,
    values.NamedLocation,
    values.Entity,
    values.IsoDate,
    values.DateParts,
)


def _plain_parts(part: Any, held: Held) -> Any:
    if isinstance(part, tuple):
        new = tuple([_plain_parts(item, held) for item in part])
        return new if any(a is not b for a, b in zip(new, part, strict=True)) else part
    if not isinstance(part, Placeholder):
        return part
    made = _value(part, held)
    if not isinstance(made, values.Number | values.String):
        raise ValueFault(f"{part.token} is no number or text")
    return made.value


def _with(node: Any, changed: Mapping[str, Any]) -> Any:
    return type(node)(**{item.name: changed.get(item.name, getattr(node, item.name)) for item in fields(node)})


def _value(placeholder: Placeholder, held: Held) -> Any:
    token = placeholder.token
    if token not in held:
        raise ValueFault(f"{token} has no value")
    made = _of_kind(token, placeholder.kind, held[token])
    if not placeholder.negative:
        return made
    if not isinstance(made, values.Number):
        raise ValueFault(f"{token} is no number")
    return values.Number(-made.value)


def _of_kind(token: str, kind: str, value: Any) -> Any:
    try:
        if kind == "QUOTED_STRING":
            return values.String(_text(value))
        if kind in _NAMED_ENTITIES:
            return values.Entity(_text(value), _NAMED_ENTITIES[kind])
        if kind == "NUMBER":
            return values.Number(_number(value))
        if kind == "CURRENCY":
            return values.Currency(_number(value["value"]), _text(value["unit"]))
        if kind == "DURATION" or kind.startswith("MEASURE_"):
            return values.Measure(_number(value["value"]), _text(value["unit"]))
        if kind == "TIME":
            return values.Time(*(_number(value.get(part, 0)) for part in ("hour", "minute", "second")))
        if kind == "DATE":
            return _date(value)
        if kind == "LOCATION":
            return _location(value)
        if kind.startswith("GENERIC_ENTITY_"):
            identifier, display = value.get("value"), value.get("display")
            return values.Entity(
                None if identifier is None else _text(identifier),
                kind.removeprefix("GENERIC_ENTITY_"),
                None if display is None else _text(display),
            )
    except (KeyError, AttributeError, TypeError):
        pass
    raise ValueFault(f"{token} does not stand for {str(value)[:60]!r}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _date(value: Any) -> Any:
    if isinstance(value, str):
        return values.IsoDate(value)
    day = [_number(value[part]) for part in ("year", "month", "day")]
    # The tools write -1 for a part of the clock that nobody said.
    hour, minute, second = (max(0, _number(value.get(part) or 0)) for part in ("hour", "minute", "second"))
    if not (hour or minute or second):
        return values.DateParts(tuple(day))
    date = "-".join(f"{int(part):0{width}}" for part, width in zip(day, (4, 2, 2), strict=True))
    return values.IsoDate(f"{date}T{int(hour):02}:{int(minute):02}:{second:06.3f}Z")


def _location(value: Any) -> Any:
    display = value.get("display")
    if value.get("latitude") is None:
        return values.NamedLocation(_text(display))
    place = _number(value["latitude"]), _number(value["longitude"])
    return values.Location(*place, None if display is None else _text(display))


# ---------------------------------------------------------------- taking out


def taken_out(tree: T, held: Held | None = None) -> tuple[T, dict[str, Any]]:
    """The tree with placeholders for its constants, and their values, those given included.

    Numbers from 0 to 12, empty strings, members of enums and truth values stay, as does what has no placeholder.
    """
    allocator = _Allocator(dict(held or {}))
    for token in _placeholders(tree):
        allocator.reserve(token)
    made: T = allocator.walk(tree)
    return made, allocator.held


def _placeholders(node: Any) -> Iterator[str]:
    if isinstance(node, Placeholder):
        yield node.token
    elif isinstance(node, values.VarRef):
        # The normal syntax has no placeholders of its own: there they are names.
        if PLACEHOLDER.fullmatch(node.name):
            yield node.name
    elif isinstance(node, tuple):
        for item in node:
            yield from _placeholders(item)
    elif is_dataclass(node):
        for part in fields(node):
            yield from _placeholders(getattr(node, part.name))


@dataclass(slots=True)
class _Allocator:
    held: dict[str, Any]
    tokens: dict[tuple[str, Any], str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for token, value in self.held.items():
            kind = token.rpartition("_")[0]
            self.tokens.setdefault((kind, _key(kind, value)), token)
            self.reserve(token)

    def reserve(self, token: str) -> None:
        """Number no other value so."""
        kind, _, index = token.rpartition("_")
        self.counts[kind] = max(self.counts.get(kind, 0), int(index) + 1)

    def walk(self, node: Any) -> Any:
        """A node with its constants taken out, in the order they are written."""
        found = _held_value(node)
        if found is not None:
            return Placeholder(self.token(*found))
        if isinstance(node, tuple):
            new = tuple([self.walk(item) for item in node])
            return new if any(a is not b for a, b in zip(new, node, strict=True)) else node
        if not is_dataclass(node) or isinstance(node, (type, *_WITH_PLAIN_PARTS)):
            return node
        changed = {}
        for name in _written_order(node):
            before = getattr(node, name)
            after = self.walk(before)
            if after is not before:
                changed[name] = after
        return _with(node, changed) if changed else node

    def token(self, kind: str, value: Any) -> str:
        """The placeholder of a value, a new one if it has none yet."""
        key = kind, _key(kind, value)
        known = self.tokens.get(key)
        if known is None:
            index = self.counts.get(kind, 0)
            self.counts[kind] = index + 1
            known = self.tokens[key] = f"{kind}_{index}"
            self.held[known] = value
        return known


def _written_order(node: Any) -> tuple[str, ...]:
    names = tuple(item.name for item in fields(node) if item.name != "at")
    if isinstance(node, ast.Invocation):
        return "device", "params"
    if isinstance(node, Program):
        return "annotations", "statements"
    return names


def _held_value(node: Any) -> tuple[str, Any] | None:
    """Kind and JSON of a constant that a placeholder can stand for."""
    match node:
        case values.String(value) if value:
            return "QUOTED_STRING", value
        case values.Number(value) if not (isinstance(value, int) and value in _SMALL):
            return "NUMBER", value
        case values.Currency(int() | float() as value, code):
            return "CURRENCY", {"value": value, "unit": code}
        case values.Measure(int() | float() as value, unit):
            kind = _measure_kind(unit)
            return None if kind is None else (kind, {"value": value, "unit": unit})
        case values.Time(int() as hour, int() as minute, int() as second):
            return "TIME", {"hour": hour, "minute": minute, "second": second}
        case values.IsoDate(str() as text):
            return "DATE", text
        case values.DateParts((int() as year, int() as month, int() as day), None):
            return "DATE", {"year": year, "month": month, "day": day}
        case values.NamedLocation(str() as name):
            return "LOCATION", {"latitude": None, "longitude": None, "display": name}
        case values.Location(int() | float() as latitude, int() | float() as longitude, display) if not isinstance(
            display, Placeholder
        ):
            return "LOCATION", {"latitude": latitude, "longitude": longitude, "display": display}
        case values.Entity(value, type_, display) if type_ not in _KEPT_ENTITIES:
            if isinstance(value, Placeholder) or isinstance(display, Placeholder):
                return None
            if type_ in _KIND_OF_ENTITY and value is not None and display is None:
                return _KIND_OF_ENTITY[type_], value
            return f"GENERIC_ENTITY_{type_}", {"value": value, "display": display}
    return None


def _measure_kind(unit: str) -> str | None:
    if unit in TIME_UNITS:
        return "DURATION"
    known = MEASURE_UNITS.get(unit)
    return f"MEASURE_{known[0]}" if known is not None else None


def _key(kind: str, value: Any) -> Any:
    """What makes two values of a kind the same: all there is, so that filling in gives back what was taken out."""
    if isinstance(value, Mapping):
        return tuple(sorted((part, said) for part, said in value.items() if said or kind.startswith("GENERIC_ENTITY_")))
    return value
