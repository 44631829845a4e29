"""`dlc schema harvest`: signatures learned from a corpus of fully typed programs, as a schema."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place

from .conversion import units
from .errors import InputFailure
from .outputs import Output
from .report import Report
from .sources import source
from .units import Broken

if TYPE_CHECKING:
    from dlc.targets.dataflow.harvest import Harvest

# Corpora that hold fully typed programs.
HARVESTED = ("smcalflow",)


def run_harvest(corpus: str, paths: list[str], output: str | None) -> int:
    """Write the schema that the corpus teaches; the exit status. What cannot be learned from is reported."""
    from dlc.compiler.schema_text import print_schema
    from dlc.targets.dataflow.harvest import Harvest
    from dlc.targets.dataflow.read import stored_turns

    report = Report()
    harvest = Harvest()
    known: set[tuple[str, str]] = set()
    read = 0
    try:
        for unit in units(source(corpus), paths, report.failure):
            if isinstance(unit, Broken):
                report.found(unit.diagnostic)
                continue
            place = Place(unit.file, unit.dialogue, line=unit.parts[0].line)
            try:
                _, typed = stored_turns(unit.parts[0].value, "fully_typed_lispress")
                _, short = stored_turns(unit.parts[0].value, "lispress")
            except CompileError as error:
                for diagnostic in error.diagnostics:
                    report.found(diagnostic.at(place))
                continue
            for index, (full, untyped) in enumerate(zip(typed, short, strict=True)):
                found = _learn(harvest, known, full, untyped)
                if found is not None:
                    report.found(found.at(replace(place, turn=2 * index), full if isinstance(full, str) else None))
                read += found is None
                report.progress(read)
        name = os.path.splitext(os.path.basename(output))[0] if output else corpus
        schema, left_out = harvest.schema(name)
        for diagnostic in left_out:
            report.found(diagnostic)
        with Output(output) as out:
            out.write(print_schema(schema).encode())
            out.commit()
    except InputFailure as failure:
        report.failure(failure.diagnostic)
    return report.finish()


def _learn(
    harvest: "Harvest", known: set[tuple[str, str]], typed: str | Diagnostic, short: str | Diagnostic
) -> Diagnostic | None:
    """Learn from one turn, each distinct one once; what is wrong with it."""
    from dlc.targets.dataflow.errors import bad_lispress
    from dlc.targets.dataflow.reader import read_program
    from dlc.targets.dataflow.sexp import LispressError

    if isinstance(typed, Diagnostic):
        return typed
    pair = (typed, short if isinstance(short, str) else "")
    if pair in known:
        return None
    known.add(pair)
    try:
        harvest.add(read_program(typed), read_program(short) if isinstance(short, str) else None)
    except LispressError as error:
        return bad_lispress(error.message)
    return None
