"""Spider's `tables.json`: a list of databases, each with parallel lists of names, types and key indices.

Format: the release of Spider, SParC and CoSQL. `column_names_original` holds [table index, name], index -1 for `*`;
`foreign_keys` pairs of column indices, the first referring to the second.
"""

from collections.abc import Iterable
from typing import Any

from ...compiler.schema import Schema
from ...grammar.diagnostic import CompileError
from . import errors
from .declared import DeclaredColumn, DeclaredTable, build_schema


def read_tables_json(entries: Any) -> dict[str, Schema]:
    """Schemas by `db_id` from the loaded file. Raises CompileError (DLC255, DLC256)."""
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list) or not entries:
        raise CompileError(errors.bad_schema("a tables.json is a list of databases"))
    schemas: dict[str, Schema] = {}
    for entry in entries:
        schema = schema_of_entry(entry)
        schemas[str(entry["db_id"])] = schema
    return schemas


def schema_of_entry(entry: Any) -> Schema:
    """The schema of one entry. Raises CompileError."""
    if not isinstance(entry, dict) or not isinstance(entry.get("db_id"), str):
        raise CompileError(errors.bad_schema("an entry of tables.json is an object with a `db_id`"))
    db_id = entry["db_id"]
    tables = _names(entry, "table_names_original", db_id)
    columns = _list(entry, "column_names_original", db_id)
    tags = [str(t) for t in _list(entry, "column_types", db_id)]
    if len(tags) != len(columns):
        raise CompileError(errors.bad_schema(f"{db_id}: {len(columns)} columns have {len(tags)} types"))
    places: list[tuple[int, str]] = []
    for column in columns:
        if not (isinstance(column, list) and len(column) == 2 and isinstance(column[0], int)):
            raise CompileError(errors.bad_schema(f"{db_id}: a column is [table, name], this is {column!r}"))
        if not -1 <= column[0] < len(tables):
            raise CompileError(errors.bad_schema(f"{db_id}: column {column[1]!r} is of table {column[0]}"))
        places.append((column[0], str(column[1])))
    primary: dict[int, list[str]] = {}
    for key in _list(entry, "primary_keys", db_id):
        for index in key if isinstance(key, list) else [key]:
            table, name = _place(places, index, db_id)
            primary.setdefault(table, []).append(name)
    foreign: dict[int, list[tuple[str, str, str]]] = {}
    for pair in _list(entry, "foreign_keys", db_id):
        if not (isinstance(pair, list) and len(pair) == 2):
            raise CompileError(errors.bad_schema(f"{db_id}: a foreign key is a pair, this is {pair!r}"))
        (own, name), (other, target) = (_place(places, i, db_id) for i in pair)
        foreign.setdefault(own, []).append((name, tables[other], target))
    declared = [
        DeclaredTable(
            table,
            tuple(DeclaredColumn(n, tags[j]) for j, (t, n) in enumerate(places) if t == i),
            tuple(primary.get(i, ())),
            tuple(foreign.get(i, ())),
        )
        for i, table in enumerate(tables)
    ]
    return build_schema(db_id, declared)


def _list(entry: dict[str, Any], key: str, db_id: str) -> list[Any]:
    value = entry.get(key)
    if not isinstance(value, list):
        raise CompileError(errors.bad_schema(f"{db_id}: `{key}` is no list"))
    return value


def _names(entry: dict[str, Any], key: str, db_id: str) -> list[str]:
    names: Iterable[Any] = _list(entry, key, db_id)
    return [str(name) for name in names]


def _place(places: list[tuple[int, str]], index: Any, db_id: str) -> tuple[int, str]:
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(places) or places[index][0] < 0:
        raise CompileError(errors.bad_schema(f"{db_id}: there is no column {index!r}"))
    return places[index]
