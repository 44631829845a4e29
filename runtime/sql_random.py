"""Random SQLite databases for a schema, with the constants of a query planted.

Used to tell whether two queries mean the same: rows respect keys and foreign keys, value pools are small so that
joins meet, and references are skewed so that groups have different sizes. Everything follows from the seed.
"""

import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..compiler.schema import Schema
from ..compiler.terms import App, Field, Lit, Term, children, subterms
from ..targets.sql.constants import member_text
from ..targets.sql.ddl import sql_type
from ..targets.sql.dialects import identifier
from ..targets.sql.names import Catalog, ColumnInfo, TableInfo

Value = int | float | str | None
_COMPARING = frozenset(("=", "!=", "<", "<=", ">", ">=", "between", "not_between", "in", "not_in", "like", "not_like"))
_WORDS = ("alpha", "beta", "gamma", "delta", "kappa", "omega")


def constants_of(terms: Iterable[Term]) -> dict[str, tuple[str, ...]]:
    """The constants that queries compare a column with, by the column's DL name."""
    found: dict[str, dict[str, None]] = {}
    for term in terms:
        for node in subterms(term):
            if isinstance(node, App) and node.fn in _COMPARING:
                fields = [f.name for a in node.args for f in _fields(a)]
                for literal in (lit for a in node.args for lit in _literals(a)):
                    for field in fields:
                        found.setdefault(field, {})[literal] = None
    return {name: tuple(values) for name, values in found.items()}


def _fields(term: Term) -> list[Field]:
    """Fields of a side of a comparison; of a subquery, what it shows."""
    if isinstance(term, Field):
        return [term]
    if isinstance(term, App) and term.fn == "show":
        return [f for _, over in term.named for child in children(over) for f in _fields(child)]
    if isinstance(term, App) and term.args:
        return [f for a in term.args[:1] for f in _fields(a)]
    return []


def _literals(term: Term) -> list[str]:
    if isinstance(term, Lit) and term.kind in ("number", "text", "raw", "int"):
        return [term.value]
    if isinstance(term, App) and term.fn in ("list", "number_of", "text_of", "untyped"):
        return [value for a in term.args for value in _literals(a)]
    return []


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a database is, and how often a value is missing. `strict`: a reference leads to a row or is missing."""

    rows: tuple[int, int] = (5, 12)
    missing: float = 0.0
    strict: bool = False


def create(schema: Schema, connection: sqlite3.Connection) -> None:
    """The schema's tables, without keys or references, so that planting a constant never fails."""
    for table in Catalog(schema).by_name.values():
        columns = ", ".join(f"{identifier(c.sql)} {sql_type(c.column)}" for c in table.columns.values())
        connection.execute(f"CREATE TABLE {identifier(table.sql)} ({columns})")


def random_database(schema: Schema, seed: int, shape: Shape | None = None) -> sqlite3.Connection:
    """An in-memory database of random rows."""
    shape = shape or Shape()
    chance = random.Random(f"{schema.name}/{seed}")
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create(schema, connection)
    catalog = Catalog(schema)
    kept: dict[tuple[str, str], list[Value]] = {}
    for table in _parents_first(catalog):
        count = chance.randint(*shape.rows)
        if shape.strict:
            count = _keep_to_parents(table, kept, count, chance)
        rows = [_row(table, i, kept, chance, shape, schema) for i in range(count)]
        for i, column in enumerate(table.columns):
            kept[(table.name, column)] = [row[i] for row in rows]
        marks = ", ".join("?" * len(table.columns))
        connection.executemany(f"INSERT INTO {identifier(table.sql)} VALUES ({marks})", rows)
    return connection


def _parents_first(catalog: Catalog) -> list[TableInfo]:
    """Tables after those they refer to, as far as references make no circle."""
    done: list[TableInfo] = []
    seen: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        table = catalog.by_name.get(name)
        if table is None or name in seen or name in trail:
            return
        for column in table.columns.values():
            if column.column.references is not None:
                visit(column.column.references[0], (*trail, name))
        if name not in seen:
            seen.add(name)
            done.append(table)

    for name in catalog.by_name:
        visit(name, ())
    return done


def _row(
    table: TableInfo,
    index: int,
    kept: Mapping[tuple[str, str], Sequence[Value]],
    chance: random.Random,
    shape: Shape,
    schema: Schema,
) -> list[Value]:
    return [_value(c, index, kept, chance, shape, schema) for c in table.columns.values()]


def _value(
    info: ColumnInfo,
    index: int,
    kept: Mapping[tuple[str, str], Sequence[Value]],
    chance: random.Random,
    shape: Shape,
    schema: Schema,
) -> Value:
    column = info.column
    if column.key and shape.strict and column.references is not None and column.references in kept:
        return kept[column.references][index]
    if column.key:
        return index + 1 if _is_number(info) else f"{index + 1}"
    if column.optional and chance.random() < shape.missing:
        return info.missing[0] if info.missing else None
    pool = kept.get(column.references) if column.references is not None else None
    if pool:
        # The smaller of two draws: the first rows are referred to more often.
        return pool[min(chance.randrange(len(pool)), chance.randrange(len(pool)))]
    if shape.strict and column.references is not None and column.references[0] in schema.table:
        return None
    return _plain(info, chance, schema)


def _keep_to_parents(
    table: TableInfo, kept: dict[tuple[str, str], list[Value]], count: int, chance: random.Random
) -> int:
    """How many rows a table can have whose key is a reference too; the values it leads to are mixed."""
    for column in table.columns.values():
        if column.column.key and column.column.references in kept:
            values = kept[column.column.references]
            chance.shuffle(values)
            count = min(count, len(values))
    return count


def _is_number(info: ColumnInfo) -> bool:
    return getattr(info.type, "name", "") in ("Number", "Int") and not info.stored


def _plain(info: ColumnInfo, chance: random.Random, schema: Schema) -> Value:
    name = getattr(info.type, "name", "Text")
    if name in schema.enum and schema.enum[name].members:
        return member_text(schema, name, chance.choice(schema.enum[name].members).name)
    if info.stored.count("/") == 1:
        return chance.choice(info.stored.split("/"))
    if name == "Bool":
        return chance.randint(0, 1)
    if name == "Time":
        return f"{chance.randint(0, 23):02}:{chance.choice((0, 15, 30, 45)):02}"
    if info.declared in ("time", "date", "datetime", "timestamp"):
        return f"20{chance.randint(10, 14)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}"
    if name in ("Number", "Int", "Money", "Duration"):
        number = chance.randint(0, 9) if chance.random() < 0.7 else chance.choice((25, 60, 150, 1500, 80_000))
        return f"{number}" if info.stored else number
    return chance.choice(_WORDS)


def plant(
    connection: sqlite3.Connection,
    schema: Schema | Catalog,
    constants: Mapping[str, Sequence[str]],
    seed: int,
    keep_keys: bool = False,
) -> None:
    """Write a query's constants, and values beside them, into some rows of the columns that have the name.

    The same rows get the constants of all columns, so that conjunctions meet; other rows get one or none. `keep_keys`:
    keys stay unique and references lead to a row, so that a constant of a key renames one row everywhere.
    """
    catalog = schema if isinstance(schema, Catalog) else Catalog(schema)
    chance = random.Random(f"{catalog.schema.name}/{seed}/plant")
    for table in catalog.by_name.values():
        planted = [(c, constants[c.name]) for c in table.columns.values() if c.name in constants]
        if keep_keys:
            for column, values in planted:
                if column.column.key:
                    _rename_keys(connection, catalog, column, values, chance)
            planted = [(c, v) for c, v in planted if not c.column.key and c.column.references is None]
        if not planted:
            continue
        count = connection.execute(f"SELECT count(*) FROM {identifier(table.sql)}").fetchone()[0]
        for rowid in range(1, count + 1):
            together = chance.random() < 0.55
            for column, values in planted:
                if together or chance.random() < 0.25:
                    value = _near(chance.choice(list(values)), column, chance)
                    query = f"UPDATE {identifier(table.sql)} SET {identifier(column.sql)} = ? WHERE rowid = ?"
                    connection.execute(query, (value, rowid))


def turn_rows(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Let tables made by `create` be read in the opposite order, which no query should notice."""
    for table in tables:
        connection.execute(f"UPDATE {identifier(table)} SET rowid = -rowid")


def _rename_keys(
    connection: sqlite3.Connection, catalog: Catalog, key: ColumnInfo, values: Sequence[str], chance: random.Random
) -> None:
    table, column = identifier(catalog.by_name[key.table].sql), identifier(key.sql)
    there = [row[0] for row in connection.execute(f"SELECT {column} FROM {table}")]
    chance.shuffle(there)
    for old, constant in zip(there, values, strict=False):
        new = _near(constant, key, chance)
        if new in there or connection.execute(f"SELECT 1 FROM {table} WHERE {column} = ?", (new,)).fetchone():
            continue
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, old))
        for child in catalog.by_name.values():
            for other in child.columns.values():
                if other.column.references == (key.table, key.name):
                    query = f"UPDATE {identifier(child.sql)} SET {identifier(other.sql)} = ? WHERE {identifier(other.sql)} = ?"
                    connection.execute(query, (new, old))


def _near(constant: str, column: ColumnInfo, chance: random.Random) -> Value:
    text = constant.replace("%", "").replace("_", "a") if "%" in constant else constant
    if "%" in constant and not _is_number(column) and chance.random() < 0.5:
        text = f"x{text}" if constant.startswith("%") else f"{text}x"
    if _is_number(column) or not text.replace(".", "", 1).lstrip("-").isdigit():
        try:
            number = float(text)
        except ValueError:
            return text
        whole: int | float = int(number) if number.is_integer() else number
        return chance.choice((whole, whole, whole - 1, whole + 1, whole * 2 + 1))
    return chance.choice((text, text, f"{text}0"))
