"""Which constants are values of which ThingTalk types: what annotations and arguments of modules are checked by."""

from collections.abc import Mapping
from typing import Final

from ...compiler.units import MEASURE_UNITS, TIME_UNITS
from . import values

_PLAIN: Final[Mapping[type, tuple[str, ...]]] = {
    values.Boolean: ("Boolean",),
    values.String: ("String",),
    # An amount without a currency is one of whatever currency is expected.
    values.Number: ("Number", "Currency"),
    values.Currency: ("Currency",),
    values.Time: ("Time",),
    values.RelativeTime: ("Time",),
    values.Location: ("Location",),
    values.NamedLocation: ("Location",),
    values.RelativeLocation: ("Location",),
    # A moment has a time of day.
    values.Now: ("Date", "Time"),
    values.IsoDate: ("Date", "Time"),
    values.DateParts: ("Date", "Time"),
    values.WeekDay: ("Date", "Time"),
    values.DateEdge: ("Date", "Time"),
    values.RecurrentTime: ("RecurrentTimeSpecification",),
    values.ArgMap: ("ArgMap",),
    values.Object: ("Object",),
}
KNOWN: Final = frozenset(name for names in _PLAIN.values() for name in names)
_NUMERIC: Final = ("Number", "Currency")


def is_constant(value: values.Value) -> bool:
    """Whether a value is the same wherever it stands; the reference's names for constants left out count."""
    match value:
        case values.Array(items):
            return all(is_constant(item) for item in items)
        case values.Object(fields):
            return all(is_constant(item) for _, item in fields)
        case values.VarRef(name):
            return name.startswith("__const_")
        case (
            values.Event()
            | values.ContextRef()
            | values.Computation()
            | values.ArrayField()
            | values.FilterValue()
            | values.Undefined()
        ):
            return False
    return True


def fits(value: values.Value, type_: values.Type, parents: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a constant is a value of a type. parents: entity types directly above each."""
    match type_:
        case values.ArrayType(element):
            return isinstance(value, values.Array) and all(fits(item, element, parents) for item in value.values)
        case values.EnumType(members):
            return isinstance(value, values.Enum) and (value.name in members or "*" in members)
        case values.EntityType(name):
            return isinstance(value, values.Entity) and name in _above(value.type, parents)
        case values.MeasureType(unit):
            return isinstance(value, values.Measure) and dimension(value.unit) == dimension(unit)
        case values.SimpleType(name):
            return name in _PLAIN.get(type(value), ())
        case values.CompoundType():
            return isinstance(value, values.Object)


def _above(entity: str, parents: Mapping[str, tuple[str, ...]]) -> set[str]:
    """An entity type and all above it."""
    found: set[str] = set()
    open_ = [entity]
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += parents.get(name, ())
    return found


def is_numeric(type_: values.Type) -> bool:
    """Whether a type has an order of amounts."""
    return isinstance(type_, values.MeasureType) or (isinstance(type_, values.SimpleType) and type_.name in _NUMERIC)


def dimension(unit: str) -> str:
    """What a unit measures, under one name for all its units."""
    if unit in TIME_UNITS:
        return "ms"
    return MEASURE_UNITS[unit][0] if unit in MEASURE_UNITS else unit


def unknown_types(type_: values.Type) -> list[str]:
    """Names in a type that are no types."""
    match type_:
        case values.ArrayType(element):
            return unknown_types(element)
        case values.CompoundType(fields):
            return [name for field in fields for name in unknown_types(field.type)]
        case values.SimpleType(name) if name not in KNOWN:
            return [name]
    return []
