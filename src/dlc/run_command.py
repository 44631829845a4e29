"""`dlc run --db`: the queries of programs on a database, results a JSON object a turn."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from dlc.grammar.diagnostic import CompileError, Place

from .conversion import units
from .errors import InputFailure
from .options import Options
from .outputs import Output
from .report import Report
from .sources import source
from .units import Broken, Unit

if TYPE_CHECKING:
    from dlc.runtime.sql_run import Database, Limits

# Diagnostics about the database rather than the program: exit status 3.
_ABOUT_INPUT = ("DLC420", "DLC421", "DLC422", "DLC426")

Row = dict[str, Any]


def run_on_database(
    lang: str, paths: list[str], databases: list[str], options: Options, limits: "Limits", output: str | None = None
) -> int:
    """Run every query of the inputs; the exit status. A program that fails is reported, and the run goes on.

    lang `sql`: each program is sent as it is, under the same bounds; no schema is needed. Any other source: read to DL
    and asked with its constants bound.
    """
    from dlc.runtime.sql_run import opened

    report = Report()
    try:
        with opened(databases, limits) as database, Output(output) as out:
            for unit in units(source(lang), paths, report.failure):
                if isinstance(unit, Broken):
                    report.found(unit.diagnostic)
                    continue
                rows = _sent(unit, database, report) if lang == "sql" else _asked(lang, unit, database, options, report)
                for row in rows:
                    out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=_plain))
            out.commit()
    except InputFailure as failure:
        report.failure(failure.diagnostic)
    except CompileError as error:
        for diagnostic in error.diagnostics:
            (report.failure if diagnostic.code in _ABOUT_INPUT else report.found)(diagnostic)
    return report.finish()


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


def _asked(lang: str, unit: Unit, database: "Database", options: Options, report: Report) -> Iterator[Row]:
    """Programs of any source, through DL."""
    from dlc.runtime.sql_run import run_turn

    read = source(lang).reader(options)(unit)
    for i, (turn, schema) in enumerate(zip(read.dialogue.turns, read.schemas, strict=True)):
        line = read.lines[i] if read.lines else None
        place = Place(unit.file, unit.dialogue, turn.turn if unit.dialogue is not None else None, line)
        if turn.program is None or schema is None:
            for diagnostic in read.diagnostics[i] if read.diagnostics else ():
                report.found(diagnostic)
            continue
        try:
            results, _ = run_turn(turn.program, schema, database)
        except CompileError as error:
            _tell(error, place, report)
            continue
        for result in results:
            yield _row(read.dialogue.id or None, turn.turn, result)


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
