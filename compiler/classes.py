"""Type classes of the overloaded operations, and which types may be coerced to which."""

from .schema import Schema
from .types import BUILTIN_TYPES, DATE, DATETIME, MONEY, NUMBER, TIME, Con, Constraint, RecordType, Row, Type

_ORDERED = frozenset(("Int", "Number", "Text", "Date", "Time", "DateTime", "Duration", "Money", "Measure", "Dynamic"))
_NUMERIC = frozenset(("Int", "Number", "Duration", "Money", "Measure", "Dynamic"))
_STRUCTURED = frozenset(("Fn", "Rel", "Groups", "Spec", "Action"))


def has_class(schema: Schema, type_: Type, constraint: Constraint) -> bool:
    """Whether a known type meets a constraint. Types a harvested schema only names are given the benefit."""
    if isinstance(type_, Row | RecordType):
        return constraint.kind in ("Eq", "raw")
    if not isinstance(type_, Con):
        return True
    name = type_.name
    match constraint.kind:
        case "Eq":
            return name not in _STRUCTURED
        case "Ord":
            return _in_class(schema, name, _ORDERED, "Ord")
        case "Num":
            return _in_class(schema, name, _NUMERIC, "Num")
        case "Match":
            return (
                name in ("Text", "Dynamic") or schema.is_entity(type_) or _in_class(schema, name, frozenset(), "Match")
            )
        case "member":
            return is_member(schema, name, constraint.name)
        case "entity":
            return schema.is_entity(type_) or name in ("Dynamic", "Path") or opaque(schema, name)
        case "hole" | "raw":
            return name not in _STRUCTURED
    return True


def is_member(schema: Schema, enum_name: str, member: str) -> bool:
    """Whether `member` can be a value of the named type."""
    enum = schema.enum.get(enum_name)
    if enum is not None:
        return enum.open or member in enum.names
    return enum_name == "Dynamic" or opaque(schema, enum_name)


def opaque(schema: Schema, name: str) -> bool:
    """A type that signatures name and nothing declares."""
    return name not in BUILTIN_TYPES and not any(
        name in declared for declared in (schema.enum, schema.entity, schema.wrapper, schema.table)
    )


def _in_class(schema: Schema, name: str, members: frozenset[str], cls: str) -> bool:
    if name in members:
        return True
    if name in schema.enum:
        return cls == "Ord" and schema.enum[name].ordered
    wrapper = schema.wrapper.get(name)
    if wrapper is not None:
        return has_class(schema, wrapper.type, Constraint(cls))
    return opaque(schema, name)


def coercible(schema: Schema, source: Type, target: Type) -> bool:
    """Whether a value of `source` may stand for one of `target`: entity to supertype, and the few
    conversions ThingTalk has (Date to DateTime or Time, Number to Money, Int to Number)."""
    if not (isinstance(source, Con) and isinstance(target, Con)):
        return False
    if target.name in schema.supertypes(source.name):
        return True
    return (source, target) in _CONVERSIONS


_CONVERSIONS = frozenset(((DATE, DATETIME), (DATE, TIME), (NUMBER, MONEY), (Con("Int"), NUMBER)))
