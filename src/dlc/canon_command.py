"""`dlc canon`: every program of the inputs in canonical form."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.grammar.errors import too_deep
from dlc.grammar.span import Span

from . import errors
from .conversion import units
from .errors import InputFailure
from .options import Options
from .outputs import Output
from .report import FAILURE, Report
from .requests import Requests
from .sources import source
from .units import Broken, Unit
from .workers import ordered, spare_collector

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn


def run_canon(
    lang: str, paths: list[str], options: Options, form: str = "jsonl", output: str | None = None, jobs: int = 1,
    style: str = "dl",
) -> int:  # fmt: skip
    """Canonical forms of all inputs, as rows or as a program a line; the exit status.

    style: `dl`, or a published form (`styles.STYLES`), for which programs are written in its language first.
    """
    report = Report()
    spare_collector()
    turns = 0
    with report.failures(), ExitStack() as stack:
        out = stack.enter_context(Output(output))
        for rows, found in ordered(
            partial(_work, lang, options, style), units(source(lang), paths, report.failure), jobs
        ):
            for diagnostic in found:
                report.found(diagnostic)
            for row in rows:
                turns += 1
                out.write(_line(row, form))
            report.progress(turns)
        if report.status == FAILURE:
            out.flush()
        else:
            out.commit()
    return report.finish()


def _line(row: dict[str, Any], form: str) -> bytes:
    if form == "lines":
        return ((row["program"] or "-- rejected") + "\n").encode()
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


Rows = tuple[list[dict[str, Any]], list[Diagnostic]]


def _work(lang: str, options: Options, style: str) -> Callable[[Unit | Broken], Rows]:
    if style != "dl":
        return _styled(lang, options, style)
    forms = canonical_rows(lang, options)

    def work(unit: Unit | Broken) -> Rows:
        rows, found = [], []
        for row, _, diagnostics in forms(unit):
            rows.append(row)
            found.extend(diagnostics)
        return rows, found

    return work


def _styled(lang: str, options: Options, style: str) -> Callable[[Unit | Broken], Rows]:
    from .conversion import Converter
    from .styles import STYLES

    chosen = STYLES[style]
    converter = Converter(lang, chosen.target, options)

    def work(unit: Unit | Broken) -> Rows:
        rows: list[dict[str, Any]] = []
        found: list[Diagnostic] = []
        for made in converter.convert(unit):
            row: dict[str, Any] = {**made.row}
            if row["program"] is not None:
                row["program"] = chosen.form(row["program"])
            rows.append(row)
            found.extend(made.diagnostics)
        return rows, found

    return work


def canonical_rows(
    lang: str, options: Options
) -> "Callable[[Unit | Broken], Iterator[tuple[dict[str, Any], Any, list[Diagnostic]]]]":
    """A function from units to rows in canonical form, each with its turn, form and schema (None if rejected).

    ThingTalk that is outside DL stays ThingTalk.
    """
    from dlc.canon.pipeline import Canonicalizer
    from dlc.compiler.check import prelude
    from dlc.compiler.schema import merge
    from dlc.targets.thingtalk.stand_ins import is_beyond

    read = source(lang).reader(replace(options, beyond=True))
    requests = Requests(options)
    forms: dict[int, Canonicalizer] = {}

    def rows(unit: Unit | Broken) -> Iterator[tuple[dict[str, Any], Any, list[Diagnostic]]]:
        if isinstance(unit, Broken):
            yield _row(unit.diagnostic.place.dialogue, unit.diagnostic.place.turn, None, None), None, [unit.diagnostic]
            return
        try:
            done = requests.plain(read(unit))
        except (CompileError, InputFailure):
            raise
        except Exception as error:
            place = Place(unit.file, unit.dialogue, line=unit.parts[0].line)
            raise InputFailure(errors.internal(place, f"{type(error).__name__}: {error}")) from error
        for i, turn in enumerate(done.dialogue.turns):
            schema = done.schemas[i]
            place = Place(unit.file, done.dialogue.id or None, turn.turn)
            told = [d for d in (done.diagnostics[i] if done.diagnostics else ()) if d.severity == "error"]
            row = _row(done.dialogue.id or None, turn.turn, turn.speaker, turn.utterance)
            row["schema"] = turn.schema or None
            row["notes"] = [{"code": n.code, "message": n.message, "span": None} for n in turn.notes]
            if turn.program is None:
                yield row, None, told or [Diagnostic(n.code, n.message, n.span, place=place) for n in turn.notes]
                continue
            canonical = forms.get(id(schema))
            if canonical is None:
                full = merge(prelude(), schema) if schema is not None else prelude()
                canonical = Canonicalizer(full)
                if not is_beyond(full):
                    forms[id(schema)] = canonical
            try:
                form = canonical.turn(turn.program)
                row["program"], row["status"] = program_text(form, canonical.schema), "exact"
            except CompileError as error:
                yield row, None, [*told, *(d.at(place) for d in error.diagnostics)]
                continue
            except RecursionError:
                # Variables put where they are used can nest deeper than anything that was read.
                yield row, None, [*told, too_deep(Span(0, 0)).at(place)]
                continue
            row["lang"] = "thingtalk" if is_beyond(canonical.schema) else "dl"
            yield row, (turn.program, form, canonical.schema), told

    return rows


def program_text(turn: "Turn", schema: "Schema") -> str:
    """A turn in the language it stays in."""
    from dlc.targets.thingtalk.stand_ins import is_beyond

    if is_beyond(schema):
        from dlc.targets.thingtalk.beyond import write_beyond

        return write_beyond(turn, schema)
    from dlc.compiler.sugar import print_turn

    return print_turn(turn)


def _row(dialogue: str | None, turn: int | None, speaker: str | None, utterance: str | None) -> dict[str, Any]:
    return {
        "dialogue_id": dialogue.removesuffix(".json") if dialogue is not None else None,
        "turn": turn,
        "speaker": speaker,
        "utterance": utterance,
        "lang": "dl",
        "schema": None,
        "program": None,
        "status": "rejected",
        "notes": [],
    }
