"""ThingTalk 2 values and types, as written: nothing is folded, ordered or converted.

Reference: the grammar of the `thingtalk` package, version 2.1 (`lib/new-syntax`), read for what it accepts.
"""

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ...compiler.node import node

if TYPE_CHECKING:
    from .ast import Filter

# ---------------------------------------------------------------- types


@node
class SimpleType:
    """`Boolean`, `String`, `Number`, `Currency`, `Date`, `Time`, `Location`, ..., or a name that is resolved later."""

    name: str


@node
class EntityType:
    """`Entity(^^class:name)`; name is `class:name`."""

    name: str


@node
class EnumType:
    """`Enum(a, b)`, members in their order."""

    members: tuple[str, ...]


@node
class MeasureType:
    """`Measure(unit)`."""

    unit: str


@node
class ArrayType:
    """`Array(type)`."""

    element: "Type"


@node
class CompoundType:
    """`{ name : Type, ... }`; the fields have no direction."""

    fields: tuple["Argument", ...]


Type: TypeAlias = SimpleType | EntityType | EnumType | MeasureType | ArrayType | CompoundType


@node
class Annotation:
    """`#[name=value]`, or `#_[name=value]` (translatable text)."""

    name: str
    value: "Value"
    translatable: bool = False


@node
class Argument:
    """A parameter or result of a function, or a field of a compound type (direction None); `at` is its name's token."""

    name: str
    type: Type
    direction: Literal["in req", "in opt", "out"] | None = None
    annotations: tuple[Annotation, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)


# ---------------------------------------------------------------- constants


@node
class Placeholder:
    """A value that the tokenized syntax leaves out: `QUOTED_STRING_0`, `GENERIC_ENTITY_tt:url_1`, `NUMBER_2`, ...

    negative: `- NUMBER_2`.
    """

    token: str
    negative: bool = False

    @property
    def kind(self) -> str:
        """The token without its index: `TIME`, `GENERIC_ENTITY_tt:url`, `MEASURE_kg`."""
        return self.token.rpartition("_")[0]

    @property
    def index(self) -> int:
        """The index, counted by kind."""
        return int(self.token.rpartition("_")[2])

    @property
    def entity(self) -> str | None:
        """The type of a `GENERIC_ENTITY` placeholder."""
        kind = self.kind
        return kind[len("GENERIC_ENTITY_") :] if kind.startswith("GENERIC_ENTITY_") else None


Num: TypeAlias = int | float | Placeholder
Text: TypeAlias = str | Placeholder


@node
class Boolean:
    """`true`, `false`."""

    value: bool


@node
class Number:
    """`5`, `-2.5`."""

    value: int | float


@node
class String:
    """A quoted string."""

    value: str


@node
class Enum:
    """`enum member`."""

    name: str


@node
class Entity:
    """`"id"^^type("display")`; without identifier `null^^type("display")`. `@class` is one of type `tt:device`."""

    value: Text | None
    type: str
    display: Text | None = None


@node
class Measure:
    """`5kg`. A sum of several units (`6ft + 2in`) is a Computation."""

    value: Num
    unit: str


@node
class Currency:
    """`5$usd`; code without `$`."""

    value: Num
    code: str


@node
class Time:
    """`new Time(18, 30)`; no range is checked. Seconds are written only if not 0."""

    hour: Num
    minute: Num
    second: Num = 0


@node
class RelativeTime:
    """`$time.morning`."""

    name: str


@node
class Location:
    """`new Location(lat, lon, "display")`."""

    latitude: Num
    longitude: Num
    display: Text | None = None


@node
class NamedLocation:
    """`new Location("name")`, not yet looked up."""

    name: Text


@node
class RelativeLocation:
    """`$location.home`."""

    name: str


@node
class Now:
    """`$now`."""


@node
class IsoDate:
    """`new Date("2020-01-31T00:00:00Z")`; the text is not checked."""

    text: Text


@node
class DateParts:
    """`new Date(2020, 1, 31)`: year, month, day, hour, minute, second, any of them left out, or a time at the end."""

    parts: tuple[Num | None, ...]
    time: Time | Placeholder | None = None


@node
class WeekDay:
    """`new Date(enum monday, new Time(9, 0))`."""

    day: str
    time: Time | Placeholder | None = None


@node
class DateEdge:
    """`$start_of(week)`, `$end_of(mon)`."""

    edge: Literal["start_of", "end_of"]
    unit: str


@node
class RecurrentTime:
    """`new RecurrentTimeSpecification({ beginTime = ..., ... }, ...)`: rules of (key, value) pairs."""

    rules: tuple[tuple[tuple[str, "Value"], ...], ...]


@node
class ArgMap:
    """`new ArgMap(name : Type, ...)`."""

    fields: tuple[tuple[str, Type], ...]


@node
class Undefined:
    """`$?`: a value that the user has still to give."""


# ---------------------------------------------------------------- what is computed


@node
class Array:
    """`[a, b]`."""

    values: tuple["Value", ...]


@node
class Object:
    """`{ a=1, b=2 }`; names may be dotted."""

    fields: tuple[tuple[str, "Value"], ...]


@node
class VarRef:
    """A field or parameter by name; dotted for a part of a compound. `*` only in a projection."""

    name: str


@node
class Event:
    """`$result` (name None), `$type`, `$program_id`, `$source`."""

    name: Literal["type", "program_id", "source"] | None = None


@node
class ContextRef:
    """`$context.name : Type`."""

    name: str
    type: Type


@node
class Computation:
    """`a + b` and the other infix operators, always two operands; or `distance(a, b)`, `count(a)`, ..."""

    op: str
    operands: tuple["Value", ...]


@node
class ArrayField:
    """`field of values`: one field of every element."""

    field: str
    value: "Value"


@node
class FilterValue:
    """`values filter condition`: the elements that pass."""

    value: "Value"
    filter: "Filter"


Value: TypeAlias = (
    Placeholder
    | Boolean
    | Number
    | String
    | Enum
    | Entity
    | Measure
    | Currency
    | Time
    | RelativeTime
    | Location
    | NamedLocation
    | RelativeLocation
    | Now
    | IsoDate
    | DateParts
    | WeekDay
    | DateEdge
    | RecurrentTime
    | ArgMap
    | Undefined
    | Array
    | Object
    | VarRef
    | Event
    | ContextRef
    | Computation
    | ArrayField
    | FilterValue
)
