"""What is around an expression of DL: the rows in hand, the rows of enclosing queries, the keys of a group, variables."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..compiler.node import node
from ..compiler.schema import Schema
from ..compiler.spelling import is_identifier, quote_name
from ..compiler.types import Con, Type
from ..compiler.types import Row as BinderRow
from .net import Net
from .words import Words

Columns = tuple[tuple[str, Type], ...]


@node
class Row:
    """A row by its binder: of a table (or another type with fields), or flat with the columns shown."""

    binder: str
    type: Type | None
    columns: Columns = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Rows in hand (one: fields are `.f`; several: `row.f`), rows around, keys (None: no group), variables with
    their types, nesting depth."""

    rows: tuple[Row, ...] = ()
    outer: tuple[Row, ...] = ()
    keys: tuple[tuple[str, str], ...] | None = None
    depth: int = 0
    bound: Columns = ()
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.rows, self.outer, self.keys, self.depth, self.bound)))

    def __hash__(self) -> int:
        return self._hash

    def ungrouped(self) -> "Context":
        """Inside an aggregate: every column of the rows."""
        return replace(self, keys=None)

    def inside(self) -> "Context":
        """Around a query written inside this one."""
        return Context((), self.rows + self.outer, None, self.depth + 1, self.bound)

    def beside(self) -> "Context":
        """Around a query that stands beside the rows in hand and does not see them."""
        return Context((), self.outer, None, self.depth + 1, self.bound)

    def taken(self) -> frozenset[str]:
        """Names that the rows in hand have."""
        return frozenset(row.binder for row in self.rows)


NOWHERE = Context()


@dataclass(frozen=True)
class Dl:
    """The surface being built: network, schema with the prelude, and bounds of the contract."""

    net: Net
    schema: Schema
    words: Words
    limits: "Limits"
    memo: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the decoder's language (docs/decoding.md).

    rows: rows joined. stages: of a query. columns: shown, and keys of a group. nesting: queries inside queries.
    operators, negations: of one chain of arithmetic, before one condition (the checker bounds them too). types: how deep the constructors of a type nest. lets: variables of a turn. lints: whether names that the checker
    only warns of may be written (undeclared acts, fields of results, error codes, paths of acts).
    """

    rows: int = 6
    stages: int = 16
    columns: int = 16
    nesting: int = 3
    operators: int = 32
    negations: int = 8
    types: int = 4
    lets: int = 2
    lints: bool = True


VARIABLES = tuple(f"x{i}" for i in range(10))
"""Names that `let` may bind."""


def spelled_field(name: str) -> str:
    """A field after its dot."""
    return name if is_identifier(name) else quote_name(name)


def fields_of_type(dl: Dl, type_: Type) -> Columns:
    """Fields of a value of a type: a table's or entity's, and declared ones."""
    if not isinstance(type_, Con):
        return ()
    key = ("fields of type", type_)
    known = dl.memo.get(key)
    if known is None:
        found: dict[str, Type] = {}
        if type_.name == "Ref" and len(type_.args) == 1:
            found = {"role": Con("Path"), "value": type_.args[0]}
        for owner in (type_.name, *dl.schema.supertypes(type_.name)):
            for name in dl.schema.fields_of(owner):
                column = dl.schema.column(owner, name)
                if column is not None and name not in found:
                    found[name] = column.type
        known = dl.memo[key] = tuple(found.items())
    return known


def columns_of(dl: Dl, row: Row) -> Columns:
    """Fields of a row with their types."""
    if row.type is not None:
        return fields_of_type(dl, row.type)
    first: dict[str, Type] = {}
    for name, type_ in row.columns:
        first.setdefault(name, type_)
    return tuple(first.items())


def all_columns(dl: Dl, rows: tuple[Row, ...]) -> Columns:
    """What `*` shows of rows, and what a set operation compares: repeats included, a value without columns under the
    name of its row."""
    found: list[tuple[str, Type]] = []
    for row in rows:
        if row.type is None:
            found += row.columns
        elif isinstance(row.type, Con) and row.type.name in dl.schema.table:
            found += [(c.name, c.type) for c in dl.schema.table[row.type.name].columns]
        else:
            found.append((row.binder, row.type))
    return tuple(found)


def fields(dl: Dl, context: Context) -> tuple[tuple[str, str, Type], ...]:
    """Every field that can be written here, a field of one included: how it is spelled, its name, its type."""
    found = dl.memo.get(("fields", context))
    if found is None:
        found = dl.memo["fields", context] = tuple(_fields(dl, context))
    return found


def spellings(dl: Dl, context: Context, type_: Type) -> tuple[str, ...]:
    """How fields, variables and fields of variables that have a type are spelled here."""
    key = ("spellings", context)
    by_type: dict[Type, tuple[str, ...]] | None = dl.memo.get(key)
    if by_type is None:
        by_type = dl.memo[key] = {}
        for spelled, found in named(dl, context).items():
            by_type[found] = (*by_type.get(found, ()), spelled)
    return by_type.get(type_, ())


def named(dl: Dl, context: Context) -> dict[str, Type]:
    """Everything here that is only a name, or a name of a name: fields, variables and their fields, with their types."""
    found: dict[str, Type] | None = dl.memo.get(("named", context))
    if found is None:
        found = dl.memo["named", context] = {spelled: type_ for spelled, _, type_ in fields(dl, context)}
        for name, type_ in context.bound:
            found[name] = type_
            found |= {f"{name}.{spelled_field(field)}": inner for field, inner in fields_of_type(dl, type_)}
    return found


def _fields(dl: Dl, context: Context) -> Iterator[tuple[str, str, Type]]:
    for spelled, name, type_ in own_fields(dl, context):
        yield spelled, name, type_
        for inner, inner_type in fields_of_type(dl, type_):
            yield f"{spelled}.{spelled_field(inner)}", inner, inner_type


def own_fields(dl: Dl, context: Context) -> Iterator[tuple[str, str, Type]]:
    """Fields of the rows themselves."""
    single = len(context.rows) == 1
    for row in context.rows:
        for name, type_ in columns_of(dl, row):
            if context.keys is not None and row.binder != "it" and (row.binder, name) not in context.keys:
                continue
            yield f"{'' if single else quote_name(row.binder)}.{spelled_field(name)}", name, type_
    if context.keys is not None:
        # The checker lets no other row's field stand in a group but inside an aggregate.
        return
    seen = {row.binder for row in context.rows}
    for row in context.outer:
        if row.binder in seen or row.binder == "it":
            continue
        seen.add(row.binder)
        for name, type_ in columns_of(dl, row):
            yield f"{quote_name(row.binder)}.{spelled_field(name)}", name, type_


def label_types(schema: Schema) -> dict[str, set[Type]]:
    """Types that columns and parameters have anywhere in a schema, by name."""
    found: dict[str, set[Type]] = {}
    for table in schema.tables:
        for column in table.columns:
            found.setdefault(column.name, set()).add(column.type)
    for function in schema.functions:
        for label, parameter in function.labelled.items():
            found.setdefault(label, set()).add(parameter.type)
    return found


def row_type(type_: Type) -> tuple[Row, ...] | None:
    """The rows of a variable that is a relation; None for any other value."""
    if isinstance(type_, Con) and type_.name == "Rel" and isinstance(type_.args[0], BinderRow):
        rows = []
        for binder, inner in type_.args[0].binders:
            rows.append(Row(binder, inner) if isinstance(inner, Con) else Row(binder, None, inner.fields))  # type: ignore[union-attr]
        return tuple(rows)
    return None


__all__ = ["NOWHERE", "VARIABLES", "Columns", "Context", "Dl", "Limits", "Row", "all_columns", "columns_of"]
__all__ += ["fields", "fields_of_type", "label_types", "named", "own_fields", "row_type", "spelled_field", "spellings"]
