"""A database as the official SQL metrics see it: lower-cased table and column names, and the foreign keys."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import MetricError

ALL = "__all__"
"""The identifier of `*`."""


@dataclass(frozen=True, slots=True)
class SqlSchema:
    """One database.

    `columns`: table to its columns, in order. `identifiers`: `table` and `table.column` to the marked identifiers that a
    parsed query holds. `foreign_keys`: pairs of marked column identifiers. `merged`: every foreign-key column to the one
    that stands for its class, by the official greedy rule (pairs in list order, a pair joins the first class that
    holds either end, classes never merge with each other, the smallest column index represents).
    """

    db_id: str
    columns: Mapping[str, tuple[str, ...]]
    identifiers: Mapping[str, str]
    foreign_keys: tuple[tuple[str, str], ...]
    merged: Mapping[str, str]


def mark(table: str, column: str) -> str:
    """The identifier of a column."""
    return f"__{table}.{column}__"


def read_tables_json(entries: Sequence[Mapping[str, Any]]) -> dict[str, SqlSchema]:
    """Schemas by `db_id` out of a loaded `tables.json` (Spider's layout). Raises `MetricError` on a malformed entry."""
    return {schema.db_id: schema for schema in map(schema_from_entry, entries)}


def schema_from_entry(entry: Mapping[str, Any]) -> SqlSchema:
    """One entry of `tables.json`: original names, columns as `[table index, name]`, foreign keys as column indices."""
    try:
        tables = [str(name).lower() for name in entry["table_names_original"]]
        columns = [(int(table), str(name).lower()) for table, name in entry["column_names_original"]]
        pairs = [(int(a), int(b)) for a, b in entry.get("foreign_keys", [])]
        marked = [mark(tables[table], name) if table >= 0 else ALL for table, name in columns]
        by_table = {name: tuple(column for t, column in columns if t == i) for i, name in enumerate(tables)}
        return _schema(str(entry["db_id"]), by_table, marked, pairs)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise MetricError(f"malformed schema entry {str(entry.get('db_id'))!r}: {error!r}") from error


def schema_from_sqlite(path: Path) -> SqlSchema:
    """The schema of a SQLite file, opened read-only; foreign keys as the file declares them."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            names = [str(n) for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            info = "SELECT name FROM pragma_table_info(?)"
            fks = 'SELECT "from", "table", coalesce("to", (SELECT name FROM pragma_table_info("table") WHERE pk = 1))'
            by_table = {n.lower(): tuple(str(c).lower() for (c,) in connection.execute(info, (n,))) for n in names}
            edges = [
                (mark(n.lower(), str(a).lower()), mark(str(t).lower(), str(b).lower()))
                for n in names
                for a, t, b in connection.execute(f"{fks} FROM pragma_foreign_key_list(?)", (n,))
            ]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise MetricError(f"cannot read the schema of {path.name}: {error}") from error
    marked = [ALL, *(mark(table, column) for table, columns in by_table.items() for column in columns)]
    index = {identifier: i for i, identifier in enumerate(marked)}
    return _schema(path.stem, by_table, marked, [(index[a], index[b]) for a, b in edges if a in index and b in index])


def _schema(
    db_id: str, by_table: Mapping[str, tuple[str, ...]], marked: Sequence[str], pairs: Iterable[tuple[int, int]]
) -> SqlSchema:
    identifiers = {
        f"{table}.{column}": mark(table, column) for table, columns in by_table.items() for column in columns
    }
    identifiers |= {table: f"__{table}__" for table in by_table}
    identifiers["*"] = ALL
    pairs = list(pairs)
    return SqlSchema(
        db_id,
        by_table,
        identifiers,
        tuple((marked[a], marked[b]) for a, b in pairs),
        {marked[i]: marked[min(group)] for group in _greedy_classes(pairs) for i in sorted(group)},
    )


def _greedy_classes(pairs: Iterable[tuple[int, int]]) -> list[set[int]]:
    classes: list[set[int]] = []
    for a, b in pairs:
        home = next((group for group in classes if a in group or b in group), None)
        if home is None:
            classes.append(home := set())
        home |= {a, b}
    return classes
