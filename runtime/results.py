"""What a database says to the queries of a turn that have run: as many results as there are, and the first of them.

An agent says some of what it found. Where the tables are at hand they decide how many there are (a page of `PAGE` is
counted, what is beyond it is `more`), what else a named row has, and which row comes first if the agent names none. A
query that no table can decide (a value kept raw, a mark `none`) keeps the outcome that was said.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from ..compiler.schema import Column, Schema, Table
from ..compiler.terms import App, Entity, Lit, Outcome, Record, Statement, Term, Turn, subterms
from ..compiler.types import Con
from .evaluate import Context, Database, query_rows
from .scalars import SCALARS
from .values import Raw, Value

PAGE: Final = 50
_REMEMBERED: Final = 2_000


Known: TypeAlias = dict[Term, list[Mapping[str, Any]]]
"""Rows of queries that have run, kept by the caller: a dialogue asks the same again and again."""


def with_results(turn: Turn, schema: Schema, database: Database, known: Known | None = None) -> Turn:
    """The turn with the outcomes of its queries as the tables decide them. Raises RuntimeFailure for what cannot run."""
    memo = known if known is not None else {}
    return replace(turn, statements=tuple(_decided(s, schema, database, memo) for s in turn.statements))


def _decided(statement: Statement, schema: Schema, database: Database, known: Known) -> Statement:
    outcome = statement.outcome
    table = schema.table.get(_head(statement.term))
    if outcome is None or table is None or table.name not in database or not _decidable(statement.term):
        return statement
    rows = known.get(statement.term)
    if rows is None:
        context = Context(schema, database, dict(SCALARS))
        if len(known) >= _REMEMBERED:
            known.clear()
        found = query_rows(statement.term, context).rows
        rows = known[statement.term] = [row[table.name] or {} for row in found]
    records = tuple(_completed(record, rows, table, schema) for record in outcome.results)
    if not records and rows:
        records = (_record(rows[0], table, schema),)
    count = min(len(rows), PAGE)
    counted = Lit("number", str(count)) if count > len(records) else None
    return replace(statement, outcome=Outcome(records, counted, len(rows) > PAGE, outcome.error))


def _head(term: Term) -> str:
    """The table of a query whose rows are that table's; "" for any other."""
    while isinstance(term, App) and term.fn in ("where", "sort", "take") and term.args:
        term = term.args[0]
    return term.fn if isinstance(term, App) else ""


def _decidable(term: Term) -> bool:
    return not any(
        (isinstance(t, Lit) and t.kind == "raw") or (isinstance(t, App) and t.fn == "is_none") for t in subterms(term)
    )


def _completed(record: Record, rows: list[Mapping[str, Any]], table: Table, schema: Schema) -> Record:
    """What was said, then what the row of that key has beside it."""
    said = dict(record.fields)
    key = next((c.name for c in table.columns if c.key), None)
    name = said.get(key) if key is not None else None
    if not isinstance(name, Entity) or name.text is None:
        return record
    found = [row for row in rows if str(row.get(key or "", "")).lower() == name.text.lower()]
    if len(found) != 1:
        return record
    more = [(label, value) for label, value in _record(found[0], table, schema).fields if label not in said]
    return Record((*record.fields, *more))


def _record(row: Mapping[str, Any], table: Table, schema: Schema) -> Record:
    fields = ((c.name, _term(row[c.name], c, schema)) for c in table.columns if row.get(c.name) is not None)
    return Record(tuple(fields))


def _term(value: Value, column: Column, schema: Schema) -> Term:
    """A value as a term of its column's type."""
    name = column.type.name if isinstance(column.type, Con) else ""
    match value:
        case Raw(text):
            return Lit("raw", text)
        case bool():
            return Lit("bool", "true" if value else "false")
        case datetime():
            return Lit("datetime", value.isoformat())
        case date():
            return Lit("date", value.isoformat())
        case (str(currency), int() | float() as amount):
            return Lit("quantity", f"{amount:g}{currency}")
        case int() | float() if name == "Time":
            return Lit("time", f"{int(value) // 3600:02}:{int(value) % 3600 // 60:02}")
        case int() | float() if name == "Duration":
            return Lit("quantity", f"{value / 60:g}min")
        case int() | float():
            return Lit("int", str(value)) if name == "Int" else Lit("number", f"{value:g}")
    if name in schema.enum:
        return App(str(value))
    return Lit("text", str(value)) if name == "Text" else Entity(str(value))
