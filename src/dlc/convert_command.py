"""`dlc convert`: units in, lines out, rejects aside."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import orjson

from dlc.grammar.diagnostic import CompileError, Diagnostic, Severity

from .conversion import Converted, Converter, units
from .errors import InputFailure
from .options import Options
from .outputs import Output
from .report import FAILURE, Report
from .sources import source
from .units import Broken, Unit
from .workers import Engine, ordered, spare_collector


@dataclass(frozen=True, slots=True)
class _Lines:
    """What one unit became: lines of the output and of the rejects, and what to report."""

    output: bytes
    rejects: bytes
    diagnostics: tuple[Diagnostic, ...]
    turns: int


def run_convert(
    source_name: str,
    paths: list[str],
    target: str,
    options: Options,
    output: str | None = None,
    rejects: str | None = None,
    jobs: int = 1,
    engine: Engine = "local",
) -> int:
    """Convert all inputs; the exit status. Output files appear only if every input could be read to its end."""
    report = Report()
    make = partial(_work, source_name, target, options, rejects is not None)
    spare_collector()
    try:
        with ExitStack() as stack:
            out = stack.enter_context(Output(output))
            aside = stack.enter_context(Output(rejects)) if rejects is not None else None
            turns = 0
            for lines in ordered(make, _units(source_name, paths, report), jobs, engine):
                out.write(lines.output)
                if aside is not None:
                    aside.write(lines.rejects)
                for diagnostic in lines.diagnostics:
                    report.found(diagnostic)
                turns += lines.turns
                report.progress(turns)
            if report.status == FAILURE:
                out.flush()
                if aside is not None:
                    aside.flush()
            else:
                out.commit()
                if aside is not None:
                    aside.commit()
    except InputFailure as failure:
        report.failure(failure.diagnostic)
        report.status = FAILURE
    except CompileError as error:
        # The schema that all rows shall use cannot be read.
        for diagnostic in error.diagnostics:
            report.failure(diagnostic)
    return report.finish()


def _units(source_name: str, paths: list[str], report: Report) -> Iterator[Unit | Broken]:
    return units(source(source_name), paths, report.failure)


def _work(source_name: str, target: str, options: Options, keep_rejects: bool) -> Callable[[Unit | Broken], _Lines]:
    converter = Converter(source_name, target, options)

    def work(unit: Unit | Broken) -> _Lines:
        made = converter.convert(unit)
        output = b"".join(orjson.dumps(one.row, option=orjson.OPT_APPEND_NEWLINE) for one in made)
        rejects = b""
        if keep_rejects:
            rejects = b"".join(_reject(one) for one in made if one.row["status"] == "rejected")
        return _Lines(output, rejects, tuple(d for one in made for d in one.diagnostics), len(made))

    return work


def _reject(one: Converted) -> bytes:
    """A line of the rejects file: where the row stood, why it was rejected, and the row itself."""
    row = one.row
    severe: Severity = "error"
    reason = next((d for d in one.diagnostics if d.severity == severe), None)
    line = {
        "file": one.place.file,
        "line": one.place.line,
        "dialogue_id": row["dialogue_id"],
        "turn": row["turn"],
        **({"part": row["part"]} if "part" in row else {}),
        "code": reason.code if reason is not None else None,
        "message": reason.message if reason is not None else None,
        "notes": row["notes"],
        "source": one.source,
    }
    # The standard library's writer: the source's own row may nest deeper than orjson goes.
    return json.dumps(line, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"
