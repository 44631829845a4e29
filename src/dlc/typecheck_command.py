"""`dlc typecheck`: every program of the inputs against its schema."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import orjson

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.grammar.render import render, render_json

from . import errors
from .conversion import units
from .errors import InputFailure
from .options import Options
from .outputs import Output
from .report import DIAGNOSTICS, FAILURE, FINE, Report
from .sources import Judged, Read, source
from .units import Broken, Unit
from .workers import ordered, spare_collector

if TYPE_CHECKING:
    from dlc.compiler.check import CheckedTurn, Checker
    from dlc.compiler.schema import Schema

Form = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class _Lines:
    output: bytes
    turns: int
    failed: int


def run_typecheck(
    lang: str, paths: list[str], options: Options, form: Form = "text", typed: bool = False, output: str | None = None,
    jobs: int = 1, color: bool = False,
) -> int:  # fmt: skip
    """Check all inputs; the exit status. What is found is the output; unreadable inputs go to standard error."""
    report = Report()
    make = partial(_work, lang, options, form, typed, color)
    spare_collector()
    turns = failed = 0
    with report.failures(), ExitStack() as stack:
        out = stack.enter_context(Output(output))
        for lines in ordered(make, units(source(lang), paths, report.failure), jobs):
            out.write(lines.output)
            turns += lines.turns
            failed += lines.failed
            report.progress(turns)
        if form == "text":
            out.write(_summary(turns, failed))
        if report.status == FAILURE:
            out.flush()
        else:
            out.commit()
    report.status = max(report.status, DIAGNOSTICS if failed else FINE)
    return report.finish()


def _summary(turns: int, failed: int) -> bytes:
    checked = f"{turns:,} turn{'s' if turns != 1 else ''} checked"
    return f"{checked}, {failed:,} with errors\n".encode()


def _work(lang: str, options: Options, form: Form, typed: bool, color: bool) -> Callable[[Unit | Broken], _Lines]:
    opened = source(lang)
    checkers: dict[int, Checker] = {}
    if opened.check is not None:
        check = opened.check(options)

        def rows_of(unit: Unit) -> Iterator[CheckRow]:
            return (_judged_row(unit, judged, typed) for judged in check(unit))

    else:
        read = opened.reader(options)

        def rows_of(unit: Unit) -> Iterator[CheckRow]:
            return _rows(unit, read(unit), checkers, typed)

    def work(unit: Unit | Broken) -> _Lines:
        try:
            rows = list(_broken(unit) if isinstance(unit, Broken) else rows_of(unit))
        except (CompileError, InputFailure):
            raise
        except Exception as error:
            assert isinstance(unit, Unit)
            place = Place(unit.file, unit.dialogue, line=unit.parts[0].line)
            raise InputFailure(errors.internal(place, f"{type(error).__name__}: {error}")) from error
        if form == "json":
            output = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row, _ in rows)
        else:
            output = "".join(_text(row, found, typed, color) for row, found in rows).encode("utf-8", "replace")
        return _Lines(output, len(rows), sum(not row["ok"] for row, _ in rows))

    return work


CheckRow = tuple[dict[str, Any], tuple[Diagnostic, ...]]


def _text(row: dict[str, Any], found: tuple[Diagnostic, ...], typed: bool, color: bool) -> str:
    lines = [render(diagnostic, color=color) for diagnostic in found]
    if typed and row["typed"] is not None:
        lines.append(row["typed"])
    return "".join(line + "\n" for line in lines)


def _broken(unit: Broken) -> Iterator[CheckRow]:
    place = unit.diagnostic.place
    dialogue = place.dialogue.removesuffix(".json") if place.dialogue is not None else None
    yield _check_row(dialogue, place.turn, place.line, None, (unit.diagnostic,), False)


def _judged_row(unit: Unit, judged: Judged, typed: bool) -> CheckRow:
    row = {
        "dialogue_id": unit.dialogue,
        "turn": judged.turn,
        "line": judged.line,
        "ok": all(d.severity != "error" for d in judged.diagnostics),
        "type": judged.type,
        "typed": judged.typed if typed else None,
        "diagnostics": [render_json(d) for d in judged.diagnostics],
    }
    return row, judged.diagnostics


def _rows(unit: Unit, read: Read, checkers: "dict[int, Checker]", typed: bool) -> Iterator[CheckRow]:
    from dlc.compiler.check import Checker
    from dlc.compiler.pipeline import compile_program
    from dlc.compiler.sugar import print_turn

    from .odd_filters import odd_filters

    def checker_of(schema: "Schema") -> Checker:
        known = checkers.get(id(schema))
        if known is None:
            known = checkers[id(schema)] = Checker(schema)
        return known

    for i, turn in enumerate(read.dialogue.turns):
        dialogue, line = read.dialogue.id or None, read.lines[i] if read.lines else None
        place = Place(unit.file, dialogue, turn.turn if dialogue is not None else None, line)
        schema = read.schemas[i]
        if read.diagnostics:
            checked = read.checked[i]
            odd: tuple[Diagnostic, ...] = ()
            if checked is not None and schema is not None:
                programs = (part.value.get("program") for part in unit.parts if isinstance(part.value, dict))
                texts = [text for text in programs if isinstance(text, str)]
                odd = odd_filters(checked.turn, checker_of(schema).schema, texts, place)
            yield _check_row(dialogue, turn.turn, line, checked, (*read.diagnostics[i], *odd), typed)
        elif turn.program is None or schema is None:
            found = tuple(Diagnostic(note.code, note.message, note.span, place=place) for note in turn.notes)
            yield _check_row(dialogue, turn.turn, line, None, found, typed)
        else:
            # Through printed text, so that the places named can be looked at.
            text = print_turn(turn.program)
            checker = checker_of(schema)
            result = compile_program(text, checker)
            lost = tuple(Diagnostic(n.code, n.message, n.span, place=place) for n in turn.notes if n.loss)
            odd = odd_filters(turn.program, checker.schema, (text,), place)
            found = (*lost, *(d.at(place, text) for d in result.diagnostics), *odd)
            yield _check_row(dialogue, turn.turn, line, result.turns[0] if result.turns else None, found, typed)


def _check_row(
    dialogue: str | None, turn: int | None, line: int | None, checked: "CheckedTurn | None",
    found: tuple[Diagnostic, ...], typed: bool,
) -> CheckRow:  # fmt: skip
    from dlc.compiler.sugar import print_turn
    from dlc.compiler.types import show

    row = {
        "dialogue_id": dialogue,
        "turn": turn,
        "line": line,
        "ok": all(d.severity != "error" for d in found),
        "type": "; ".join(show(type_) for type_ in checked.types) if checked is not None else None,
        "typed": print_turn(checked.elaborated) if typed and checked is not None else None,
        "diagnostics": [render_json(d) for d in found],
    }
    return row, found
