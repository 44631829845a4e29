"""Names between SQL and DL, and a schema as SQL sees it.

A DL table or column has the name the database gives it, spelled as declared. Where DL cannot use that name (a
table called `list` would be the function) it gets another, and the fact `@sql "list"` keeps the database's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from ...compiler.check import prelude
from ...compiler.operators import OPERATORS
from ...compiler.relations import RELATIONAL
from ...compiler.schema import Column, Schema, Table, fact, fact_list
from ...compiler.types import BUILTIN_TYPES, Con, Type
from ...grammar.diagnostic import CompileError
from . import errors

_SPECIAL = ("it", "any", "none", "everything", "coerce", "all_fields", "asc", "desc", "true", "false")
# SQLite's own tables, listed in some schemas; no query asks about them and none can be created.
RESERVED_TABLES = frozenset(("sqlite_sequence", "sqlite_stat1", "sqlite_master", "sqlite_schema"))


@cache
def reserved() -> frozenset[str]:
    """Names that mean something in every DL program."""
    return frozenset((*RELATIONAL, *OPERATORS, *BUILTIN_TYPES, *prelude().function, *_SPECIAL))


def dl_name(name: str, taken: "set[str] | frozenset[str]" = frozenset()) -> str:
    """The name DL uses for a table or column of the database: itself, unless DL has no spelling or another use for it."""
    made = name.replace("`", "_").replace("\n", "_").replace("\r", "_") or "_"
    while made in taken:
        made += "_"
    return made


def table_name(name: str, taken: "set[str] | frozenset[str]" = frozenset()) -> str:
    """`dl_name` of a table, which shares its names with types and functions."""
    return dl_name(name, reserved() | taken)


def named_fact(made: str, original: str) -> tuple[tuple[str, str], ...]:
    """The fact that keeps the database's own name where DL's differs."""
    return (("sql", original),) if made != original else ()


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column both ways. `stored`: how values are kept (`values.py`); `declared`: the database's own type tag."""

    name: str
    sql: str
    type: Type
    column: Column
    table: str
    stored: str
    missing: tuple[str, ...]
    declared: str


@dataclass(frozen=True)
class TableInfo:
    """A table both ways; `columns` by DL name, `folded` by the database's name in lower case."""

    name: str
    sql: str
    columns: Mapping[str, ColumnInfo]

    @cached_property
    def folded(self) -> Mapping[str, ColumnInfo]:
        """Columns by the database's name, case folded."""
        return {c.sql.lower(): c for c in self.columns.values()}


class Catalog:
    """A schema's tables as the database names them. Raises CompileError (DLC255) if names differ in case only."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.tables: dict[str, TableInfo] = {}
        self.by_name: dict[str, TableInfo] = {}
        for table in schema.tables:
            if fact(table.facts, "sql") == "no":
                continue
            info = TableInfo(table.name, fact(table.facts, "sql") or table.name, columns_of_table(table))
            folded = info.sql.lower()
            if folded in self.tables:
                raise CompileError(errors.case_clash("table", (self.tables[folded].sql, info.sql)))
            self.tables[folded] = self.by_name[table.name] = info
        self.taken = frozenset(self.tables) | {name.lower() for name in self.by_name}


def columns_of_table(table: Table) -> dict[str, ColumnInfo]:
    """The columns a database has, by DL name. Raises CompileError (DLC255)."""
    columns: dict[str, ColumnInfo] = {}
    seen: dict[str, str] = {}
    for column in table.columns:
        sql = fact(column.facts, "sql") or column.name
        if sql == "no":
            continue
        clash = seen.setdefault(sql.lower(), sql)
        if clash is not sql:
            raise CompileError(errors.case_clash("column", (clash, sql)))
        declared = fact(column.facts, "sql_type") or default_declared(column.type)
        columns[column.name] = ColumnInfo(
            column.name,
            sql,
            column.type,
            column,
            table.name,
            fact(column.facts, "sql_as") or "",
            fact_list(column.facts, "sql_missing"),
            declared,
        )
    return columns


def default_declared(type_: Type) -> str:
    """The declared type of a column whose DL type says enough."""
    if isinstance(type_, Con) and type_.name in ("Number", "Int"):
        return "number"
    if isinstance(type_, Con) and type_.name == "Bool":
        return "boolean"
    return "text"
