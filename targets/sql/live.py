"""The schema of a SQLite database, asked of the database itself. The connection is opened by the caller."""

import sqlite3

from ...compiler.schema import Schema
from ...grammar.diagnostic import CompileError
from . import errors
from .declared import DeclaredColumn, DeclaredTable, build_schema


def read_sqlite(connection: sqlite3.Connection, name: str) -> Schema:
    """Tables, types, keys, uniqueness and foreign keys. Raises CompileError (DLC255, DLC256)."""
    try:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid")
        tables = [str(row[0]) for row in rows if not str(row[0]).startswith("sqlite_")]
        declared = [_table(connection, table) for table in tables]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise CompileError(errors.bad_schema(f"{name} is no readable database: {error}")) from error
    if not declared:
        raise CompileError(errors.bad_schema(f"{name} has no table"))
    by_name = {t.name.lower(): t for t in declared}
    return build_schema(name, [_implicit_targets(t, by_name) for t in declared])


def _table(connection: sqlite3.Connection, table: str) -> DeclaredTable:
    info = connection.execute("SELECT name, type, [notnull], pk FROM pragma_table_info(?)", (table,)).fetchall()
    primary = [str(row[0]) for row in sorted(info, key=lambda row: int(row[3])) if row[3]]
    unique = _unique(connection, table)
    columns = tuple(DeclaredColumn(str(n), str(t), bool(required), str(n) in unique) for n, t, required, _ in info)
    rows = connection.execute('SELECT id, "from", "table", "to" FROM pragma_foreign_key_list(?)', (table,)).fetchall()
    foreign = tuple((str(own), str(other), str(to) if to is not None else "") for _, own, other, to in reversed(rows))
    return DeclaredTable(table, columns, tuple(primary), foreign)


def _unique(connection: sqlite3.Connection, table: str) -> set[str]:
    found: set[str] = set()
    query = "SELECT name FROM pragma_index_list(?) WHERE [unique] AND NOT partial"
    for (index,) in connection.execute(query, (table,)).fetchall():
        columns = connection.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
        if len(columns) == 1 and columns[0][0] is not None:
            found.add(str(columns[0][0]))
    return found


def _implicit_targets(table: DeclaredTable, tables: dict[str, DeclaredTable]) -> DeclaredTable:
    """A foreign key without named columns refers to the other table's primary key."""
    foreign = []
    for own, other, column in table.foreign:
        target = tables.get(other.lower())
        if not column and target is not None and len(target.primary) == 1:
            column = target.primary[0]
        foreign.append((own, other, column))
    return DeclaredTable(table.name, table.columns, table.primary, tuple(foreign), table.facts)
