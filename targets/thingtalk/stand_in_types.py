"""Types of what has a stand-in: values that DL has no words for, but whose type ThingTalk says."""

from collections.abc import Mapping

from ...compiler.schema import Schema
from ...compiler.types import BOOL, DATETIME, DURATION, DYNAMIC, MONEY, NUMBER, TEXT, TIME, Con, RecordType, Type
from ...compiler.units import MEASURE_UNITS, TIME_UNITS
from . import values
from .stand_ins import Signature

LOCATION = Con("Location")
LIST_OF_NUMBERS = Con("List", (NUMBER,))
_SIMPLE = {"Boolean": BOOL, "Number": NUMBER, "String": TEXT, "Time": TIME, "Date": DATETIME, "Currency": MONEY}
_SIMPLE |= {"Location": LOCATION}
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


def type_of_said(said: values.Type, entities: Mapping[str, str], schema: Schema) -> Type | None:
    """A type as a program says it: Dynamic for what the schema does not have, None for what ThingTalk does not have."""
    match said:
        case values.EntityType(name):
            return Con(entities[name]) if name in entities else DYNAMIC
        case values.EnumType(members):
            own = {m for m in members if m != "*"}
            is_open = "*" in members
            enums = (e for e in schema.enums if {m.name for m in e.members} == own and e.open == is_open)
            found = next(enums, None)
            return Con(found.name) if found is not None else DYNAMIC
        case values.MeasureType(unit):
            if unit in TIME_UNITS:
                return DURATION
            return Con("Measure", (Con(MEASURE_UNITS[unit][0]),)) if unit in MEASURE_UNITS else NUMBER
        case values.ArrayType(element):
            inner = type_of_said(element, entities, schema)
            return Con("List", (inner,)) if inner is not None else None
        case values.CompoundType(fields):
            typed = [(f.name, type_of_said(f.type, entities, schema)) for f in fields]
            return RecordType(tuple((name, type_) for name, type_ in typed if type_ is not None))
        case values.SimpleType(name):
            return _SIMPLE.get(
                name, DYNAMIC if name in ("ArgMap", "Object", "RecurrentTimeSpecification", "Any") else None
            )
    return None


def signature_of(value: values.Value, entities: Mapping[str, str], schema: Schema) -> Signature | None:
    """What a value takes and gives; None where nothing is known."""
    match value:
        case values.Computation("distance", (_, _)):
            # Results list distances as plain numbers.
            return (LOCATION, LOCATION), DYNAMIC
        case values.Computation("count", (_,)):
            return (DYNAMIC,), NUMBER
        case values.Event(None):
            return (), TEXT
        case values.ContextRef(_, said):
            return (), type_of_said(said, entities, schema) or DYNAMIC
        case values.Measure(_, unit):
            return (), type_of_said(values.MeasureType(unit), entities, schema) or DYNAMIC
    own = _OWN.get(type(value))
    return ((), own) if own is not None else None
