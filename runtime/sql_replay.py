"""Two queries run by SQLite on given rows: whether their results differ there, whatever order tables are read in."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..compiler.schema import Schema
from ..compiler.terms import Abs, App, Field, Lit, Statement, Term, Turn, Var, subterms
from ..grammar.diagnostic import CompileError
from ..targets.sql.ddl import sql_type
from ..targets.sql.names import Catalog
from ..targets.sql.write import write_sql
from .sql_random import turn_rows
from .sql_rows import database_of_rows

_SECONDS = 5


def differ_in_sqlite(first: Term, second: Term, database: Mapping[str, Sequence[Any]], schema: Schema) -> bool | None:
    """Whether the results differ, as bags, or as lists where both queries end in a sort. None if SQL cannot say the queries
    or the order of rows decides.
    """
    try:
        catalog = Catalog(schema)
        written = [_written(term, catalog) for term in (first, second)]
        queries = [query for query in written if query is not None]
    except CompileError:
        return None
    if len(queries) < 2:
        return None
    try:
        connection = database_of_rows(schema, database)
    except (sqlite3.Error, OverflowError):
        return None
    try:
        # A thousand steps of its machine are some microseconds: small tables never come near the limit.
        steps = iter(range(_SECONDS * 100_000))
        connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
        a, b = ([_rows(connection, query)] for query in queries)
        turn_rows(connection, [catalog.by_name[name].sql for name in database if name in catalog.by_name])
        for ways, query in zip((a, b), queries, strict=True):
            ways.append(_rows(connection, query))
    except sqlite3.Error:
        return None
    finally:
        connection.close()
    if Counter(a[0]) != Counter(a[1]) or Counter(b[0]) != Counter(b[1]):
        # Which rows come is not determined; how many do may be.
        return True if len(a[0]) == len(a[1]) != len(b[0]) == len(b[1]) else None
    if Counter(a[0]) != Counter(b[0]):
        return True
    if _sorted(first) and _sorted(second) and a[0] != b[0]:
        return True if a[0] == a[1] and b[0] == b[1] else None
    return False


def _written(term: Term, catalog: Catalog) -> str | None:
    written = write_sql(Turn("user", (), (Statement(term),)), catalog)
    return None if any(note.loss for note in written.notes) else written.program


def _rows(connection: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in connection.execute(query)]


def _sorted(term: Term) -> bool:
    while isinstance(term, App) and term.args and term.fn in ("show", "take", "at", "distinct", "where"):
        term = term.args[0]
    return isinstance(term, App) and term.fn == "sort"


# ---------------------------------------------------------------- how values are kept

_SETS = frozenset(("union", "except", "intersect", "union_all", "except_all", "intersect_all"))
_SAME_VALUE = frozenset(("pick", "min", "max"))


def kept_alike(first: Term, second: Term, schema: Schema) -> bool:
    """Whether SQLite keeps the columns of both results alike, and those that set operations in them combine.

    Columns that a reference connects have one type in DL and may have two in SQLite: `1` here and `'1'` there are one value
    of DL, and two of SQLite's.
    """
    combined = [p.args for term in (first, second) for p in subterms(term) if isinstance(p, App) and p.fn in _SETS]
    for left, right in ((first, second), *combined):
        pairs = zip(_kept(left, schema), _kept(right, schema), strict=False)
        if any(a != b and a and b for a, b in pairs):
            return False
    return True


def _kept(term: Term, schema: Schema) -> tuple[str, ...]:
    """How each column of a result is kept: TEXT, NUMERIC, or "" for what is computed."""
    match term:
        case App("show", (source, *_), named):
            tables = _tables(source, schema)
            return tuple(_affinity(over, tables, schema) for _, over in named)
        case App(fn, (source, *_)) if fn in _SETS or fn in ("take", "at", "distinct", "where", "sort"):
            return _kept(source, schema)
    return ()


def _tables(term: Term, schema: Schema) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in subterms(term):
        match part:
            case App("as", (App(table, ()), Lit("name", binder))) if table in schema.table:
                found[binder] = table
            case App(name, ()) if name in schema.table:
                found.setdefault(name, name)
    return found


def _affinity(over: Term, tables: Mapping[str, str], schema: Schema) -> str:
    """SQLite's rule for a declared type: https://sqlite.org/datatype3.html, section 3.1."""
    body = over.body if isinstance(over, Abs) else over
    while isinstance(body, App) and body.fn in _SAME_VALUE and body.args:
        body = body.args[0]
    match body:
        case Field(Var(binder), name) if binder in tables:
            column = schema.table[tables[binder]].by_name.get(name)
            declared = sql_type(column).upper() if column is not None else ""
            text = "INT" not in declared and any(word in declared for word in ("CHAR", "CLOB", "TEXT"))
            return ("TEXT" if text else "NUMERIC") if declared else ""
    return ""
