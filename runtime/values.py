"""Values at run time, and how literals become them.

Plain Python values, comparable within one type: Number is int or float, Time seconds since midnight, Duration
seconds, Money (currency, amount), Measure an amount in its base unit, Date and DateTime of the standard library, an
enum member and an entity their name or identifier. A missing value is None.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from ..compiler.terms import Entity, Lit
from ..compiler.units import MEASURE_UNITS, TIME_UNITS, split_quantity


@dataclass(frozen=True, slots=True)
class Raw:
    """A value kept as annotated: equal to itself only, ordered with nothing."""

    text: str


Value: TypeAlias = "int | float | str | bool | date | datetime | tuple[str, float] | Raw | tuple[Value, ...] | None"


def number(text: str) -> int | float:
    """A number as int where it is one, else float."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def literal_value(literal: Lit) -> Value:
    """The value a literal stands for. Raises ValueError for one that has none (a binder name, a bad date)."""
    match literal.kind:
        case "number" | "int":
            return number(literal.value)
        case "text" | "path":
            return literal.value
        case "bool":
            return literal.value == "true"
        case "date":
            return date.fromisoformat(literal.value)
        case "datetime":
            return datetime.fromisoformat(literal.value.rstrip("Z"))
        case "time":
            return time_of_day(literal.value)
        case "quantity":
            return quantity(literal.value)
        case "raw":
            return Raw(literal.value)
    raise ValueError(f"{literal.kind} is no value")


def time_of_day(text: str) -> int:
    """Seconds since midnight; hours may pass 24."""
    parts = [int(part) for part in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)


def quantity(text: str) -> Value:
    """Seconds, an amount in the base unit, or currency and amount."""
    amount, unit = split_quantity(text)
    if unit in TIME_UNITS:
        return _whole(float(amount) * TIME_UNITS[unit])
    if unit in MEASURE_UNITS:
        _, factor, offset = MEASURE_UNITS[unit]
        return _whole(float(amount) * factor + offset)
    return (unit, _whole(float(amount)))


def entity_value(entity: Entity) -> str:
    """What identifies an entity in rows: its identifier, else its name."""
    return entity.id if entity.id is not None else entity.text or ""


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value
