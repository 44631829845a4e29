"""Schemas out of what databases have: `tables.json`, CREATE TABLE statements, a SQLite file.

A file of several databases (Spider's tables.json) is a collection: `FILE#db_id` names one of them.
"""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dlc.grammar.diagnostic import CompileError

from . import errors

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

DATABASES = (".db", ".sqlite", ".sqlite3")


def read_ddl(text: str, name: str, path: str) -> "Schema":
    """The schema that a file of CREATE TABLE statements declares. Raises CompileError (DLC240, DLC25x)."""
    from dlc.targets.sql.ddl import read_ddl as read

    return read(text, name)


def read_database(path: str) -> "Schema":
    """The schema of a SQLite file, opened read-only. Raises CompileError (DLC25x, DLC42x)."""
    from dlc.runtime.sql_run import opened
    from dlc.targets.sql.live import read_sqlite

    with opened(path) as database:
        return read_sqlite(database.connection, os.path.splitext(os.path.basename(path))[0])


def read_collection(text: str, path: str) -> "Mapping[str, Schema] | None":
    """The databases of a tables.json; None if the JSON is something else. Raises CompileError (DLC25x, DLC36x)."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CompileError(errors.bad_schema_file(path, f"this is no JSON: {error}")) from error
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict) or "table_names_original" not in first:
        return None
    from dlc.targets.sql.tables_json import read_tables_json

    return read_tables_json(value)
