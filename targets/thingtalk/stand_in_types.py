"""Types of what has a stand-in: values that DL has no words for, but whose type ThingTalk says."""

from collections.abc import Mapping

from ...compiler.schema import Schema
from ...compiler.types import DATETIME, DYNAMIC, MONEY, NUMBER, TEXT, TIME, Con, Type
from . import values
from .constant_types import unknown_types
from .read_classes import types_in
from .stand_ins import Signature

LOCATION = Con("Location")
LENGTH = Con("Measure", (Con("m"),))
LIST_OF_NUMBERS = Con("List", (NUMBER,))
_OWN: dict[type, Type] = {
    values.Location: LOCATION,
    values.NamedLocation: LOCATION,
    values.RelativeLocation: LOCATION,
    values.RelativeTime: TIME,
    values.DateEdge: DATETIME,
    values.WeekDay: DATETIME,
    values.DateParts: DATETIME,
    values.IsoDate: DATETIME,
    values.Currency: MONEY,
}


def type_of_said(said: values.Type, schema: Schema) -> Type | None:
    """A type as a program says it; None for what ThingTalk does not have."""
    return None if unknown_types(said) else types_in(schema, {"it": said})[0]["it"]


def signature_of(value: values.Value, entities: Mapping[str, str], schema: Schema) -> Signature | None:
    """What a value takes and gives; None where nothing is known."""
    match value:
        case values.Computation("distance", (_, _)):
            # Results list distances as plain numbers.
            return (LOCATION, LOCATION), DYNAMIC
        case values.Computation("count", (_,)):
            return (DYNAMIC,), NUMBER
        case values.Event(name):
            return (), _event(name, entities)
        case values.ContextRef(_, said):
            return (), type_of_said(said, schema) or DYNAMIC
        case values.Measure(_, unit):
            return (), type_of_said(values.MeasureType(unit), schema) or DYNAMIC
    own = _OWN.get(type(value))
    return ((), own) if own is not None else None


def _event(name: str | None, entities: Mapping[str, str]) -> Type:
    """`$result` is what is shown of it; the others are names of things."""
    if name is None:
        return TEXT
    entity = {"type": "tt:function", "source": "tt:contact"}.get(name, f"tt:{name}")
    return Con(entities.get(entity, entity))
