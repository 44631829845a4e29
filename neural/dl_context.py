"""What is around an expression of DL: the rows in hand, the rows of enclosing queries, the keys of a group."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..compiler.schema import Schema
from ..compiler.spelling import is_identifier, quote_name
from ..compiler.types import Con, Type
from .net import Net
from .words import Words

Columns = tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its binder: of a table (or another type with fields), or flat with the columns shown."""

    binder: str
    type: Type | None
    columns: Columns = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Rows in hand (one: fields are `.f`; several: `row.f`), rows around, keys (None: no group), nesting depth."""

    rows: tuple[Row, ...] = ()
    outer: tuple[Row, ...] = ()
    keys: tuple[tuple[str, str], ...] | None = None
    depth: int = 0
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.rows, self.outer, self.keys, self.depth)))

    def __hash__(self) -> int:
        return self._hash

    def ungrouped(self) -> "Context":
        """Inside an aggregate: every column of the rows."""
        return replace(self, keys=None)

    def inside(self, rows: tuple[Row, ...]) -> "Context":
        """Around a query written inside this one."""
        return Context(rows, self.rows + self.outer, None, self.depth + 1)

    def taken(self) -> frozenset[str]:
        """Names that rows have."""
        return frozenset(row.binder for row in self.rows + self.outer)


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
    """Bounds of the decoder's language: rows joined, stages of a query, columns shown, queries inside queries,
    operands of one sum, how deep the constructors of a type nest."""

    rows: int = 4
    stages: int = 12
    columns: int = 8
    nesting: int = 2
    operands: int = 3
    types: int = 4


def spelled_field(name: str) -> str:
    """A field after its dot."""
    return name if is_identifier(name) else quote_name(name)


def columns_of(dl: Dl, row: Row) -> Columns:
    """Fields of a row with their types."""
    if row.type is None:
        return row.columns
    if not isinstance(row.type, Con):
        return ()
    found: dict[str, Type] = {}
    for owner in (row.type.name, *dl.schema.supertypes(row.type.name)):
        for name in dl.schema.fields_of(owner):
            column = dl.schema.column(owner, name)
            if column is not None and name not in found:
                found[name] = column.type
    return tuple(found.items())


def fields(dl: Dl, context: Context) -> tuple[tuple[str, str, Type], ...]:
    """Every field that can be written here: how it is spelled, its name, its type."""
    found = dl.memo.get(("fields", context))
    if found is None:
        found = dl.memo["fields", context] = tuple(_fields(dl, context))
    return found


def _fields(dl: Dl, context: Context) -> Iterator[tuple[str, str, Type]]:
    single = len(context.rows) == 1
    inner = frozenset(row.binder for row in context.rows)
    for row in context.rows:
        for name, type_ in columns_of(dl, row):
            if context.keys is not None and (row.binder, name) not in context.keys:
                continue
            before = "" if single else quote_name(row.binder)
            yield f"{before}.{spelled_field(name)}", name, type_
    seen = set(inner)
    for row in context.outer:
        if row.binder in seen or row.binder == "it":
            continue
        seen.add(row.binder)
        for name, type_ in columns_of(dl, row):
            yield f"{quote_name(row.binder)}.{spelled_field(name)}", name, type_
