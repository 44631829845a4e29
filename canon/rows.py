"""What is known of the values in a row: each subject's type, and whether it may be missing.

Read off the query and the schema, without inference: a fact is only claimed where the source of the value
is in sight. Nothing known means: any type, may be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..compiler.schema import Column, Schema
from ..compiler.terms import Abs, App, Ascribe, Field, Lit, Term, Var
from ..compiler.types import BOOL, NUMBER, Con, Type


@dataclass(frozen=True, slots=True)
class Fact:
    """Type of a value if known, whether it may be missing, and whether it counts something (0, 1, 2 …)."""

    type: Con | None = None
    optional: bool = True
    counts: bool = False


UNKNOWN = Fact()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a binder's rows come from: a table, or a projection's columns; `outer` if a join may leave it empty."""

    table: str | None = None
    columns: Mapping[str, Fact] | None = None
    outer: bool = False


NOWHERE = Source()
Binders = tuple[tuple[str, Source], ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Sources of the binders around an expression, and whether it stands inside groups."""

    schema: Schema
    binders: Mapping[str, Source] = field(default_factory=dict)

    def over(self, params: tuple[str, ...], row: Binders) -> "Scope":
        """Inside an abstraction over a row."""
        sources = dict(self.binders)
        for i, name in enumerate(params):
            sources[name] = row[i][1] if i < len(row) else NOWHERE
        return Scope(self.schema, sources)

    def without(self, params: tuple[str, ...]) -> "Scope":
        """Inside an abstraction whose parameters nothing is known of."""
        return self.over(params, ())

    def fact(self, term: Term) -> Fact:
        """What is known of an expression's value."""
        match term:
            case Field(Var(name), column):
                return self._column(self.binders.get(name, NOWHERE), column)
            case Field(subject, column):
                inner = self.fact(subject)
                owner = inner.type
                if owner is None or owner.args:
                    return UNKNOWN
                found = column_of(self.schema, owner.name, column)
                known = found is not None and column in getattr(self.schema.table.get(owner.name), "by_name", ())
                return _declared(found, inner.optional or not known)
            case App("count" | "count_distinct"):
                return Fact(NUMBER, False, True)
            case App("asc" | "desc", (inner_term,)):
                return self.fact(inner_term)
            case App("min" | "max" | "pick", (inner_term,)):
                return replace(self.fact(inner_term), optional=True)
            case App("is_any" | "is_none" | "is_missing" | "is_not_missing" | "exists" | "and" | "or" | "not"):
                return Fact(BOOL, False)
            case Lit(kind):
                return Fact(_LITERAL_TYPES.get(kind), kind == "raw")
            case Ascribe(inner_term, Con() as type_):
                return Fact(type_, self.fact(inner_term).optional)
        return UNKNOWN

    def _column(self, source: Source, name: str) -> Fact:
        if source.columns is not None:
            fact = source.columns.get(name, UNKNOWN)
        elif source.table is not None:
            fact = _declared(column_of(self.schema, source.table, name), source.table not in self.schema.table)
        else:
            return UNKNOWN
        return replace(fact, optional=True) if source.outer else fact


_LITERAL_TYPES = {
    "number": NUMBER,
    "int": Con("Int"),
    "text": Con("Text"),
    "bool": BOOL,
    "date": Con("Date"),
    "time": Con("Time"),
    "datetime": Con("DateTime"),
}


def column_of(schema: Schema, owner: str, name: str) -> Column | None:
    """A declared field, of the type itself or of a supertype."""
    found = schema.column(owner, name)
    if found is None and owner in schema.entity:
        for above in schema.supertypes(owner):
            found = schema.column(above, name)
            if found is not None:
                return found
    return found


def _declared(column: Column | None, optional: bool) -> Fact:
    if column is None:
        return UNKNOWN
    return Fact(column.type if isinstance(column.type, Con) else None, optional or column.optional)


_SAME_ROWS = frozenset(("where", "sort", "take", "at", "distinct", "group", "whole", "except", "except_all"))
_SAME_ROWS = _SAME_ROWS | frozenset(("intersect", "intersect_all"))
_JOINS = frozenset(("join", "join_left", "join_right", "join_full"))


def row_of(term: Term, scope: Scope) -> Binders:
    """The binders of a relation's rows with their sources."""
    while isinstance(term, App) and term.args and term.fn in _SAME_ROWS:
        term = term.args[0]
    if isinstance(term, App):
        return _row(term, scope)
    if isinstance(term, Var):
        return ((term.name, scope.binders.get(term.name, NOWHERE)),)
    if isinstance(term, Ascribe):
        return row_of(term.term, scope)
    return (("it", NOWHERE),)


def _row(term: App, scope: Scope) -> Binders:
    fn = term.fn
    if fn in _JOINS and len(term.args) > 1:
        first, second = row_of(term.args[0], scope), row_of(term.args[1], scope)
        if fn in ("join_right", "join_full"):
            first = tuple((n, replace(s, outer=True)) for n, s in first)
        if fn in ("join_left", "join_full"):
            second = tuple((n, replace(s, outer=True)) for n, s in second)
        return first + second
    match term:
        case App("show", (inner, *_), named):
            return (("it", _shown(named, row_of(inner, scope), scope)),)
        case App("as", (inner, Lit("name", name))):
            row = row_of(inner, scope)
            return ((name, row[0][1] if len(row) == 1 else NOWHERE),)
        case App("union" | "union_all", (left, right)):
            return _either(row_of(left, scope), row_of(right, scope))
        case App(name, (), (), ()) if name in scope.schema.table:
            return ((name, Source(table=name)),)
        case App(name, (), (), ()):
            return ((name, NOWHERE),)
    return (("it", NOWHERE),)


def _either(first: Binders, second: Binders) -> Binders:
    """Rows of one of two relations: columns by position; a fact holds if it holds on both sides."""
    if len(first) != 1 or len(second) != 1:
        return tuple((n, NOWHERE) for n, _ in first)
    (name, a), (_, b) = first[0], second[0]
    if a.table is not None and a == b:
        return first
    if a.columns is None or b.columns is None or len(a.columns) != len(b.columns):
        return ((name, NOWHERE),)
    merged = {
        label: Fact(x.type if x.type == y.type else None, x.optional or y.optional)
        for (label, x), y in zip(a.columns.items(), b.columns.values(), strict=True)
    }
    return ((name, Source(columns=merged)),)


def _shown(named: tuple[tuple[str, Term], ...], row: Binders, scope: Scope) -> Source:
    columns: dict[str, Fact] = {}
    for label, over in named:
        if not isinstance(over, Abs):
            return NOWHERE
        if over.body == App("all_fields"):
            if len(row) != 1 or row[0][1].table is None or len(named) > 1:
                return NOWHERE
            return row[0][1]
        columns[label] = scope.over(over.params, row).fact(over.body)
    return Source(columns=columns)


def type_name(type_: Type | None) -> str:
    """The name of a plain type, "" if it is not known."""
    return type_.name if isinstance(type_, Con) else ""
