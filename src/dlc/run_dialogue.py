"""`dlc run` without data: dialogues on the dataflow graph, a JSON object a turn."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place

from . import errors
from .errors import InputFailure
from .options import Options
from .report import Report
from .sources import Read, source
from .talks import Talk, World, talk_in, talk_of
from .units import Unit

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn
    from dlc.runtime.dialogue import StepResult
    from dlc.runtime.graph import Failure, Graph

Row = dict[str, Any]


class Graphs:
    """The dialogues of one run. Rows without a dialogue's name are each a dialogue of their own."""

    def __init__(self, lang: str, options: Options, world: World | None = None) -> None:
        self._world = world
        self._read = source(lang).reader(options)
        self._whole = options.recipe is not None and options.recipe.no_revise

    def rows(self, unit: Unit, report: Report) -> Iterator[Row]:
        """What each turn gave: its statements' values and exceptions, and their programs with references inlined."""
        read = self._read(unit)
        turns = [said(read, i) for i in range(len(read.dialogue.turns))]
        schema = next((schema for schema in read.schemas if schema is not None), None)
        talk = self._begun([turn for turn in turns if turn is not None], schema) if schema is not None else None
        for i, (row, turn) in enumerate(zip(read.dialogue.turns, turns, strict=True)):
            if turn is None or talk is None or read.schemas[i] is not schema:
                for diagnostic in reasons(unit, read, i):
                    report.found(diagnostic)
                continue
            place = Place(unit.file, unit.dialogue, row.turn, read.lines[i] if read.lines else None)
            told: list[Diagnostic] = []
            try:
                result = talk.dialogue.step(turn)
            except CompileError:
                raise
            except Exception as error:
                raise InputFailure(errors.internal(place, f"{type(error).__name__}: {error}")) from error
            graph = talk.dialogue.graph
            made: Row = {
                "dialogue_id": read.dialogue.id or None,
                "turn": row.turn,
                "results": list(_results(result, graph, talk.requests is not None, told)),
            }
            for diagnostic in told:
                report.found(diagnostic.at(place))
            if talk.requests is not None:
                made["state"] = talk.requests.update(graph, graph.turns[-1])
            yield made

    def _begun(self, turns: "list[Turn]", schema: "Schema") -> Talk:
        return talk_in(self._world, schema) if self._world is not None else talk_of(turns, schema, self._whole)


def said(read: Read, index: int) -> "Turn | None":
    """What a row says, well typed or not."""
    checked = read.checked[index] if read.checked else None
    return checked.turn if checked is not None else read.dialogue.turns[index].program


def reasons(unit: Unit, read: Read, index: int) -> tuple[Diagnostic, ...]:
    """Why a row says nothing."""
    if read.diagnostics and read.diagnostics[index]:
        return read.diagnostics[index]
    turn = read.dialogue.turns[index]
    line = read.lines[index] if read.lines else None
    text = read.texts[index] if read.texts else None
    place = Place(unit.file, unit.dialogue, turn.turn, line)
    return tuple(Diagnostic(note.code, note.message, note.span, place=place, text=text) for note in turn.notes)


def _results(result: "StepResult", graph: "Graph", written: bool, told: list[Diagnostic]) -> Iterator[Row]:
    """A statement's value, exception and program; a program too large to write is None, and `told` says so."""
    from dlc.compiler.sugar import print_term
    from dlc.runtime.errors import RuntimeFailure
    from dlc.runtime.fragments import fragment

    roots = graph.turns[-1].roots
    for root, value, failure in zip(roots, result.values, result.failures, strict=True):
        program: str | None = None
        try:
            program = print_term(fragment(graph, root, written))
        except RuntimeFailure as error:
            told += error.diagnostics
        exception = _exception(failure) if failure is not None else None
        yield {"value": _shown(value), "exception": exception, "program": program}


def _exception(failure: "Failure") -> Row:
    return {"kind": failure.kind, "message": failure.message, "path": ".".join(failure.path)}


def _shown(value: Any) -> Any:
    """A value as JSON has it; None where nothing is known but the program."""
    from dlc.runtime.dialogue import Symbol
    from dlc.runtime.evaluate import Call, Relation
    from dlc.runtime.graph import Reference

    if value is None or isinstance(value, Symbol | Reference) or callable(value):
        return None
    if isinstance(value, Relation):
        return [dict(row) for row in value.rows]
    if isinstance(value, Call):
        return {value.fn: {label: _shown(each) for label, each in value.arguments}}
    return value
