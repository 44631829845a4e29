"""`dlc run`: the queries of programs on a database or over rows in memory, results a JSON object a query."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place

from .conversion import units
from .errors import InputFailure
from .options import Options
from .outputs import Output
from .report import Report
from .requests import Requests
from .sources import source
from .units import Broken, Unit

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn
    from dlc.runtime.sql_run import Database, Limits, Result

# Diagnostics about the database rather than the program: exit status 3.
_ABOUT_INPUT = ("DLC420", "DLC421", "DLC422", "DLC426", "DLC428")

Row = dict[str, Any]
Rows = Callable[[Unit, Report], Iterator[Row]]
Ask = Callable[["Turn", "Schema"], "Iterable[Result]"]


def run_on_database(
    lang: str, paths: list[str], databases: list[str], options: Options, limits: "Limits", output: str | None = None
) -> int:
    """Run every query of the inputs; the exit status. A program that fails is reported, and the run goes on.

    lang `sql`: each program is sent as it is, under the same bounds; no schema is needed. Any other source: read to DL
    and asked with its constants bound.
    """
    from dlc.runtime.sql_run import opened, run_turn

    def answer(database: "Database") -> Rows:
        if lang == "sql":
            return lambda unit, report: _sent(unit, database, report)
        ask: Ask = lambda turn, schema: run_turn(turn, schema, database)[0]  # noqa: E731
        return _asked(lang, options, ask)

    report = Report()
    with _reported(report), opened(databases, limits) as database:
        _write(lang, paths, answer(database), output, report)
    return report.finish()


def run_in_memory(
    lang: str, paths: list[str], data: list[str], options: Options, limits: "Limits", output: str | None = None
) -> int:
    """Run every query of the inputs over rows of JSON files, evaluated in plain Python; the exit status."""
    from .run_memory import Memory, read_tables

    report = Report()
    with _reported(report):
        memory = Memory(read_tables(data), limits)
        _write(lang, paths, _asked(lang, options, memory.run_turn), output, report)
    return report.finish()


def run_on_graph(lang: str, paths: list[str], options: Options, output: str | None = None) -> int:
    """Run every dialogue of the inputs on the dataflow graph, without data; the exit status."""
    from .run_dialogue import Graphs

    report = Report()
    with _reported(report):
        _write(lang, paths, Graphs(lang, options).rows, output, report)
    return report.finish()


def run_with_library(
    lang: str,
    paths: list[str],
    library: str,
    data: list[str],
    now: datetime,
    options: Options,
    output: str | None = None,
) -> int:
    """Run every dialogue of the inputs on the dataflow graph with a library over rows of JSON files; the exit status."""
    from .run_dialogue import Graphs
    from .run_memory import read_tables
    from .talks import World

    report = Report()
    with _reported(report):
        world = World(library, read_tables(data), now)
        _write(lang, paths, Graphs(lang, options, world).rows, output, report)
    return report.finish()


@contextmanager
def _reported(report: Report) -> Iterator[None]:
    try:
        yield
    except InputFailure as failure:
        report.failure(failure.diagnostic)
    except CompileError as error:
        for diagnostic in error.diagnostics:
            (report.failure if diagnostic.code in _ABOUT_INPUT else report.found)(diagnostic)


def _write(lang: str, paths: list[str], answers: "Rows", output: str | None, report: Report) -> None:
    with Output(output) as out:
        for unit in units(source(lang), paths, report.failure):
            if isinstance(unit, Broken):
                report.found(unit.diagnostic)
                continue
            for row in answers(unit, report):
                out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=_plain))
        out.commit()


def _plain(value: Any) -> Any:
    """A database value that JSON has no form for."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _sent(unit: Unit, database: "Database", report: Report) -> Iterator[Row]:
    """SQL as it stands."""
    for i, part in enumerate(unit.parts):
        program = part.value.get("program")
        if not isinstance(program, str):
            continue
        turn = part.value.get("turn", i)
        place = Place(unit.file, unit.dialogue, turn if unit.dialogue is not None else None, part.line)
        try:
            result = database.query(program.strip().rstrip(";"))
        except CompileError as error:
            _tell(error, place, report)
            continue
        yield _row(unit.dialogue, turn, result)


def _asked(lang: str, options: Options, ask: Ask) -> Rows:
    """Programs of any source, through DL."""
    reader = source(lang).reader(options)
    requests = Requests(options)

    def rows(unit: Unit, report: Report) -> Iterator[Row]:
        read = requests.plain(reader(unit))
        for i, (turn, schema) in enumerate(zip(read.dialogue.turns, read.schemas, strict=True)):
            line = read.lines[i] if read.lines else None
            place = Place(unit.file, unit.dialogue, turn.turn if unit.dialogue is not None else None, line)
            if turn.program is None or schema is None:
                found = read.diagnostics[i] if read.diagnostics else ()
                for diagnostic in found or (
                    Diagnostic(n.code, n.message, n.span, place=place) for n in turn.notes if n.loss
                ):
                    report.found(diagnostic)
                continue
            try:
                for result in ask(turn.program, schema):
                    yield _row(read.dialogue.id or None, turn.turn, result)
            except CompileError as error:
                _tell(error, place, report)

    return rows


def _tell(error: CompileError, place: Place, report: Report) -> None:
    for diagnostic in error.diagnostics:
        (report.failure if diagnostic.code in _ABOUT_INPUT else report.found)(diagnostic.at(place))


def _row(dialogue: str | None, turn: int, result: Any) -> Row:
    return {
        "dialogue_id": dialogue,
        "turn": turn,
        "columns": list(result.columns),
        "rows": [list(row) for row in result.rows],
        "more": result.more,
    }
