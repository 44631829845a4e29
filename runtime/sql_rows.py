"""Rows between SQLite and the evaluator: a database's tables as values of a schema, and rows in memory as a database.

Both ways a value is kept as its column's facts say (`targets/sql/constants.py`): a Bool as 0 and 1 or as two words, a
Time as `HH:MM`, an amount before its unit.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ..compiler.schema import Schema, fact
from ..compiler.types import Con
from ..targets.sql.constants import member_text
from ..targets.sql.dialects import identifier
from ..targets.sql.names import Catalog, ColumnInfo
from .evaluate import RowData
from .json_rows import value_of
from .scalars import number_of
from .sql_random import create

Stored = int | float | str | bytes | None


def rows_of_database(connection: sqlite3.Connection, catalog: Catalog) -> dict[str, Sequence[RowData]]:
    """All rows of a database, by DL table and column."""
    database: dict[str, Sequence[RowData]] = {}
    for table in catalog.by_name.values():
        columns = list(table.columns.values())
        names = ", ".join(identifier(c.sql) for c in columns)
        found = connection.execute(f"SELECT {names} FROM {identifier(table.sql)}").fetchall()
        database[table.name] = [
            {c.name: _value(catalog.schema, c, v) for c, v in zip(columns, row, strict=True)} for row in found
        ]
    return database


def _value(schema: Schema, column: ColumnInfo, stored: Stored) -> Any:
    if column.stored or column.missing:
        return value_of(schema, column, stored)
    name = column.type.name if isinstance(column.type, Con) else ""
    if stored is None or name == "Dynamic":
        return stored
    if name in ("Number", "Int"):
        return number_of(stored)
    if name == "Bool":
        return bool(stored)
    return str(stored) if name == "Text" else value_of(schema, column, stored)


def database_of_rows(schema: Schema, rows: Mapping[str, Sequence[RowData]]) -> sqlite3.Connection:
    """An in-memory SQLite database with these rows in the tables named, and the schema's other tables empty."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create(schema, connection)
    for name, info in Catalog(schema).by_name.items():
        columns = list(info.columns.values())
        marks = ", ".join("?" * len(columns))
        names = ", ".join(identifier(c.sql) for c in columns)
        connection.executemany(
            f"INSERT INTO {identifier(info.sql)} ({names}) VALUES ({marks})",
            [[stored_value(schema, c, row.get(c.name)) for c in columns] for row in rows.get(name, ())],
        )
    return connection


def stored_value(schema: Schema, column: ColumnInfo, value: Any) -> Stored:
    """How a database keeps a value of a column."""
    if value is None:
        return column.missing[0] if column.missing else None
    name = column.type.name if isinstance(column.type, Con) else ""
    if isinstance(value, bool):
        return column.stored.split("/")[value] if "/" in column.stored else int(value)
    if isinstance(value, tuple):
        value = value[1]
    if column.stored == "amount":
        return f"{value:g} {fact(column.column.facts, 'sql_unit') or ''}".strip()
    if name == "Time" and isinstance(value, int):
        hours, rest = divmod(value, 3600)
        seconds = f":{rest % 60:02}" if rest % 60 else ""
        return f"{hours:02}:{rest // 60:02}{seconds}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and name in schema.enum:
        return member_text(schema, name, value)
    text = getattr(value, "text", None)
    if text is not None:
        return str(text)
    return str(value) if column.stored and isinstance(value, int | float) else value
