"""`dlc run --data`: queries over rows in memory, evaluated in plain Python, within the same bounds as on a database."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.compiler.types import DYNAMIC, Con, RecordType, Row, Type
from dlc.grammar.diagnostic import Place

from . import errors
from .errors import InputFailure

if TYPE_CHECKING:
    from dlc.compiler.check import Checker
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn
    from dlc.runtime.evaluate import Database
    from dlc.runtime.sql_run import Limits, Result

MAX_BYTES = 256 << 20


def read_tables(paths: Sequence[str]) -> dict[str, Any]:
    """Rows by table name in lower case: files of `{table: [row]}`, files of `[row]` named after their table
    (`hotel.json`, `hotel_db.json`), folders of either. Raises InputFailure.
    """
    tables: dict[str, Any] = {}
    for path in paths:
        folder = Path(path)
        files = sorted(folder.glob("*.json")) if folder.is_dir() else [folder]
        if not files:
            raise InputFailure(errors.no_such_file(path, "no JSON file is in this folder"))
        for file in files:
            value = _json(file)
            if isinstance(value, dict) and not folder.is_dir():
                tables |= {name.lower(): rows for name, rows in value.items()}
            else:
                tables[file.stem.removesuffix("_db").lower()] = value
    return tables


def rows_for(schema: "Schema", tables: Mapping[str, Any]) -> "Database":
    """The rows of a schema's tables, which go by their own name or by the database's. Raises RuntimeFailure."""
    from dlc.compiler.schema import fact
    from dlc.runtime.json_rows import rows_of_json

    named = {}
    for table in schema.tables:
        for name in (table.name, fact(table.facts, "sql") or table.name):
            if name.lower() in tables:
                named[table.name] = tables[name.lower()]
    return rows_of_json(schema, named)


def _json(file: Path) -> Any:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputFailure(errors.value_too_large(Place(str(file)), MAX_BYTES))
        return json.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputFailure(errors.no_such_file(str(file), error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        raise InputFailure(errors.not_unicode(Place(str(file)), f"at byte {error.start + 1}")) from error
    except json.JSONDecodeError as error:
        place = Place(str(file), line=error.lineno)
        raise InputFailure(errors.bad_json(place, error.msg, error.lineno, error.colno)) from error
    except RecursionError:
        raise InputFailure(errors.nested_too_deeply(Place(str(file)))) from None
    except ValueError as error:
        raise InputFailure(errors.bad_json(Place(str(file)), str(error), 1, 1)) from error


class _Watched(dict[str, Any]):
    """Tables that may be looked at until a moment: nested queries look at one for every row."""

    def __init__(self, tables: Mapping[str, Any], seconds: float) -> None:
        super().__init__(tables)
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def get(self, name: str, default: Any = None) -> Any:
        from dlc.runtime.errors import RuntimeFailure
        from dlc.runtime.sql_errors import out_of_time

        if time.monotonic() > self._end:
            raise RuntimeFailure(out_of_time(self._seconds))
        return super().get(name, default)


class Memory:
    """Rows given as JSON, read by each schema that asks about them."""

    def __init__(self, tables: Mapping[str, Any], limits: "Limits") -> None:
        self._tables, self._limits = tables, limits
        self._read: dict[int, tuple[Schema, Checker, Database]] = {}

    def run_turn(self, turn: "Turn", schema: "Schema") -> Iterator["Result"]:
        """The result of each query of a turn. Raises CompileError (DLC4xx), RuntimeFailure among them."""
        from dlc.runtime.evaluate import Context, Scope, evaluate, query_rows
        from dlc.runtime.scalars import SCALARS
        from dlc.runtime.sql_run import Result

        checker, rows = self._for(schema)
        lets: dict[str, Any] = {}
        for statement, type_ in zip(turn.statements, checker.check_turn(turn).types, strict=True):
            context = Context(checker.schema, _Watched(rows, self._limits.seconds), dict(SCALARS))
            if statement.let is not None:
                lets[statement.let] = evaluate(statement.term, context, Scope(lets))
                continue
            if not isinstance(type_, Con) or type_.name == "Action":
                # What acts is a dialogue's business; a query says nothing about it.
                continue
            found = query_rows(statement.term, context, Scope(lets))
            columns = _columns(type_, checker.schema)
            rows_kept = found.rows[: self._limits.rows]
            kept = [[v for b in found.binders for v in (row[b] or _empty(b, schema)).values()] for row in rows_kept]
            if len(columns) != len(kept[0] if kept else columns):
                columns = [(name, DYNAMIC) for b in found.binders for name in found.rows[0][b] or ()]
            shown = (tuple(shown_value(v, t) for v, (_, t) in zip(row, columns, strict=True)) for row in kept)
            yield Result(tuple(name for name, _ in columns), tuple(shown), len(found.rows) > self._limits.rows)

    def _for(self, schema: "Schema") -> "tuple[Checker, Database]":
        known = self._read.get(id(schema))
        if known is None:
            from dlc.compiler.check import Checker

            known = self._read[id(schema)] = (schema, Checker(schema), rows_for(schema, self._tables))
        return known[1], known[2]


def _columns(type_: Type, schema: "Schema") -> list[tuple[str, Type]]:
    """The columns of a relation's rows, binder after binder; none for what is no relation of records."""
    found: list[tuple[str, Type]] = []
    row = type_.args[0] if isinstance(type_, Con) and type_.args else None
    for _, part in row.binders if isinstance(row, Row) else ():
        if isinstance(part, RecordType):
            found += part.fields
        elif isinstance(part, Con) and part.name in schema.table:
            found += [(c.name, c.type) for c in schema.table[part.name].columns]
    return found


def _empty(binder: str, schema: "Schema") -> Mapping[str, Any]:
    """The columns of a table where an outer join found no row of it."""
    table = schema.table.get(binder)
    return dict.fromkeys(c.name for c in table.columns) if table is not None else {}


def shown_value(value: Any, type_: Type) -> Any:
    """A value as JSON has it: times, dates, amounts and raw values as DL writes them, the rest as it is."""
    name = type_.name if isinstance(type_, Con) else ""
    if isinstance(value, tuple):
        return f"{value[1]:g}{value[0]}"
    if name == "Time" and isinstance(value, int):
        seconds = f":{value % 60:02}" if value % 60 else ""
        return f"{value // 3600:02}:{value % 3600 // 60:02}{seconds}"
    if name == "Duration" and isinstance(value, int | float):
        return f"{value / 60:g}min" if value % 60 == 0 else f"{value:g}s"
    return getattr(value, "text", value)
