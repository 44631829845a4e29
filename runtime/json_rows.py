"""Rows of JSON databases as values of a schema, for the evaluator.

A value is read by its column's type, as SQL's constants are (`targets/sql/constants.py`): "4" of a Number is 4,
"yes" of a Bool kept as "no/yes" is true, "05:51" of a Time is seconds since midnight, "?" may mean missing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..compiler.schema import Schema, fact
from ..compiler.terms import App, Entity, Lit
from ..compiler.types import Con
from ..targets.sql.constants import term_of_text
from ..targets.sql.names import ColumnInfo, TableInfo, columns_of_table
from . import sql_errors as errors
from .errors import RuntimeFailure
from .evaluate import RowData
from .values import Raw, Value, entity_value, literal_value, quantity


def rows_of_json(schema: Schema, tables: Mapping[str, Any]) -> dict[str, Sequence[RowData]]:
    """Rows by DL table. `tables`: loaded JSON by DL table name; columns go by the facts `@json`, `@sql`, else by name.

    Raises RuntimeFailure (DLC428).
    """
    database: dict[str, Sequence[RowData]] = {}
    for table in schema.tables:
        entries = tables.get(table.name)
        if entries is None:
            continue
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise RuntimeFailure(errors.bad_rows(table.name, "this is no list of objects"))
        info = TableInfo(table.name, table.name, columns_of_table(table))
        database[table.name] = [_row(schema, info, entry) for entry in entries]
    return database


def _row(schema: Schema, table: TableInfo, entry: Mapping[str, Any]) -> RowData:
    return {
        column.name: value_of(schema, column, entry.get(fact(column.column.facts, "json") or column.sql))
        for column in table.columns.values()
    }


def value_of(schema: Schema, column: ColumnInfo, stored: Any) -> Value:
    """The value that a database's value stands for; what is none of the column's type is kept raw."""
    if stored is None or stored in column.missing:
        return None
    type_ = column.type
    if not column.stored and isinstance(stored, bool | int | float) and isinstance(type_, Con):
        # JSON's own numbers and truth values need no reading.
        if isinstance(stored, bool) == (type_.name == "Bool") and type_.name in ("Bool", "Number", "Int"):
            return stored
    text = stored if isinstance(stored, str) else str(stored)
    if column.stored == "amount":
        number, _, _ = text.partition(" ")
        try:
            return quantity(f"{float(number):g}{fact(column.column.facts, 'sql_unit') or ''}")
        except ValueError:
            return Raw(text)
    if type_ == Con("DateTime"):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return Raw(text)
    term = term_of_text(schema, type_, text, column.stored)
    if isinstance(term, Lit):
        return literal_value(term)
    if isinstance(term, Entity):
        return entity_value(term)
    if isinstance(term, App):
        return term.fn
    if isinstance(type_, Con) and type_.name == "Dynamic":
        return text
    return Raw(text)
