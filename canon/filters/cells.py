"""The cells a subject's possible values fall into, between and at the constants that are named.

An axis covers one scale: a line with cuts (ordered values), named points and the rest (unordered values), or
the members of a closed enum. A subject with several scales, or with text matches, has the product of its
axes; the missing value is one more cell, the last. Sets of cells are bit masks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import TypeAlias

from ...compiler.schema import Schema
from ...compiler.terms import Field, Lit
from ..constants import TIME_LIMIT
from ..matching import matches
from ..rows import type_name
from .atoms import Literal, Pattern, Subject, Value

# A place between two neighbouring values: before (0) or after (1) a value.
Cut: TypeAlias = tuple[Value, int]
BOTTOM: Cut = ("", -1)
TOP: Cut = ("", 2)


@dataclass(frozen=True, slots=True)
class Order:
    """How a line's values are ordered: `discrete` between bounds, `dense`, or `text` (from "" on)."""

    kind: str = "dense"
    low: int | None = None
    high: int | None = None

    def before(self, value: Value) -> Cut:
        """The cut just below a value."""
        if self.kind == "dense":
            return value, 0
        if isinstance(value, str):
            # Nothing lies between a text and that text with a NUL after it.
            return BOTTOM if not value else (value[:-1], 1) if value.endswith("\0") else (value, 0)
        return self._whole(ceil(value))

    def after(self, value: Value) -> Cut:
        """The cut just above a value."""
        if self.kind == "dense" or isinstance(value, str):
            return value, 1
        return self._whole(floor(value) + 1)

    def _whole(self, value: int) -> Cut:
        if self.low is not None and value <= self.low:
            return BOTTOM
        if self.high is not None and value > self.high:
            return TOP
        return value, 0


DENSE = Order()
TEXT = Order("text")
_ORDERS = {
    "int": Order("discrete"),
    "count": Order("discrete", 0),
    "time": Order("discrete", 0, TIME_LIMIT - 1),
    "date": Order("discrete", 0),
    "text": TEXT,
}
_POINTS = frozenset(("entity", "raw", "stray", "enum"))


@dataclass(frozen=True, slots=True)
class Line:
    """Cells between cuts, left to right; `fallible` adds a cell for a constant that is itself missing."""

    scale: str
    order: Order
    cuts: tuple[Cut, ...]
    fallible: bool = False
    members: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.cuts) + 1 + self.fallible

    def mask(self, operator: str, value: Value) -> int:
        """Cells where `subject operator value` holds."""
        if self.members:
            value = self.members.index(str(value))
        every = (1 << (len(self.cuts) + 1)) - 1
        match operator:
            case "<":
                return self._below(self.order.before(value))
            case "<=":
                return self._below(self.order.after(value))
            case ">":
                return every & ~self._below(self.order.after(value))
            case ">=":
                return every & ~self._below(self.order.before(value))
        equal = self._below(self.order.after(value)) & ~self._below(self.order.before(value))
        return equal if operator == "=" else every & ~equal

    def _below(self, cut: Cut) -> int:
        if cut is BOTTOM:
            return 0
        if cut is TOP:
            return (1 << (len(self.cuts) + 1)) - 1
        return (1 << (self.cuts.index(cut) + 1)) - 1

    def point(self, index: int) -> str | None:
        """The text a cell consists of, if it is a single text."""
        if self.order is not TEXT or index >= len(self.cuts):
            return None
        if index == 0:
            return "" if self.cuts[0] == ("", 1) else None
        (value, low), (other, high) = self.cuts[index - 1], self.cuts[index]
        return str(value) if value == other and (low, high) == (0, 1) else None


@dataclass(frozen=True, slots=True)
class Points:
    """A cell for each named value, then (unless the type is closed) one for all others."""

    scale: str
    names: tuple[str, ...]
    closed: bool = False

    @property
    def size(self) -> int:
        return len(self.names) + (not self.closed)

    def mask(self, operator: str, value: Value) -> int:
        """Cells where `subject operator value` holds."""
        equal = 1 << self.names.index(str(value))
        return equal if operator == "=" else ((1 << self.size) - 1) & ~equal

    def point(self, index: int) -> str | None:
        """The text a cell consists of, if it is a single text."""
        return self.names[index] if self.scale == "entity" and index < len(self.names) else None


Axis: TypeAlias = Line | Points


@dataclass(frozen=True, slots=True)
class Space:
    """All a subject may be: axes, then one yes/no for each text match, then missing. First axis runs fastest."""

    axes: tuple[Axis, ...]
    patterns: tuple[Pattern, ...]
    optional: bool
    sizes: tuple[int, ...]
    present: int

    @property
    def size(self) -> int:
        """Number of cells, the missing one included."""
        return self.present + self.optional

    @property
    def full(self) -> int:
        return (1 << self.size) - 1

    def mask(self, literal: Literal) -> int:
        """Cells where a literal about this space's subject holds; the literal remembers them."""
        if literal.cells >= 0:
            return literal.cells
        test = literal.test
        operator = test[0]
        if operator == "missing":
            found = 1 << self.present
        elif operator == "match":
            found = self._match((str(test[1]), test[2]))  # type: ignore[arg-type]
        elif operator == "holds":
            found = 2
        else:
            found = self._compare(str(operator), str(test[1]), test[2])  # type: ignore[arg-type]
        literal.cells = found if literal.positive else self.full & ~found
        return literal.cells

    def _compare(self, operator: str, scale: str, value: Value) -> int:
        if len(self.sizes) == 1:
            return self.axes[0].mask(operator, value)
        for i, axis in enumerate(self.axes):
            if axis.scale == scale:
                return spread(axis.mask(operator, value), self.sizes, i)
        raise AssertionError(scale)

    def _match(self, pattern: Pattern) -> int:
        """A match is open, but decided where the text is known."""
        index = len(self.axes) + self.patterns.index(pattern)
        found = spread(2, self.sizes, index)
        operator, sought = pattern
        if not (isinstance(sought, Lit) and sought.kind == "text"):
            return found
        for i, axis in enumerate(self.axes):
            for cell in range(axis.size):
                known = axis.point(cell)
                if known is not None:
                    there = spread(1 << cell, self.sizes, i)
                    found = found | there if matches(operator, known, sought.value) else found & ~there
        return found


@lru_cache(maxsize=8192)
def spread(mask: int, sizes: tuple[int, ...], index: int) -> int:
    """All cells of a product whose coordinate `index` is in `mask`."""
    stride = 1
    for size in sizes[:index]:
        stride *= size
    size = sizes[index]
    period = stride * size
    block = 0
    unit = (1 << stride) - 1
    for i in range(size):
        if mask >> i & 1:
            block |= unit << (i * stride)
    copies = 1
    for later in sizes[index + 1 :]:
        copies *= later
    return block * (((1 << (period * copies)) - 1) // ((1 << period) - 1))


def coordinates(index: int, sizes: Sequence[int]) -> list[int]:
    """The coordinates of a cell of a product."""
    found = []
    for size in sizes:
        index, rest = divmod(index, size)
        found.append(rest)
    return found


def product(sizes: Iterable[int]) -> int:
    """Number of cells of a product."""
    total = 1
    for size in sizes:
        total *= size
    return total


def space_of(axes: tuple[Axis, ...], patterns: tuple[Pattern, ...], optional: bool) -> Space:
    """The space over some axes and matches."""
    sizes = tuple(axis.size for axis in axes) + (2,) * len(patterns)
    return Space(axes, patterns, optional, sizes, product(sizes))


PROPOSITION = Space((), (), False, (2,), 2)


def subject_space(subject: Subject, schema: Schema) -> Space:
    """The cells the constants of a subject cut it into."""
    if subject.kind == "prop":
        return PROPOSITION
    pointed = bool(subject.patterns)
    scales = subject.scales
    names = list(scales) if len(scales) < 2 else sorted(scales)
    axes = tuple([_axis(subject, scale, scales[scale], schema, pointed) for scale in names])
    patterns = tuple(sorted(subject.patterns, key=_pattern_key)) if pointed else ()
    return space_of(axes, patterns, subject.fact.optional)


def _pattern_key(pattern: Pattern) -> tuple[str, str]:
    return pattern[0], repr(pattern[1])


def _axis(subject: Subject, scale: str, values: set[Value], schema: Schema, pointed: bool) -> Axis:
    if scale == "bool":
        return Points("bool", ("false", "true"), True)
    if scale == "enum":
        enum = schema.enum.get(type_name(subject.fact.type))
        if enum is not None and not enum.open:
            members = tuple(m.name for m in enum.members)
            if enum.ordered:
                order = Order("discrete", 0, len(members) - 1)
                return _line(scale, order, [members.index(str(v)) for v in values], False, members=members)
            return Points(scale, tuple(sorted(members)), True)
    if scale in _POINTS:
        return Points(scale, tuple(sorted(str(v) for v in values)))
    order = _ORDERS.get(scale, DENSE)
    if order.kind == "discrete" and order.low is not None and scale != "count" and not isinstance(subject.term, Field):
        order = _ORDERS["int"]
    return _line(scale, order, values, scale in subject.fallible)


def _line(scale: str, order: Order, values: Iterable[Value], fallible: bool, members: tuple[str, ...] = ()) -> Line:
    cuts = set()
    for value in values:
        cuts.add(order.before(value))
        cuts.add(order.after(value))
    cuts.discard(BOTTOM)
    cuts.discard(TOP)
    return Line(scale, order, tuple(sorted(cuts)), fallible, members)
