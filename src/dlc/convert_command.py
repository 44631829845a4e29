"""`dlc convert`: units in, lines out, rejects aside."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from dlc.grammar.diagnostic import Diagnostic, Severity

from .conversion import Converted, Converter, units
from .forms import form_of
from .options import Options
from .outputs import Output
from .report import FAILURE, Report
from .sources import source
from .units import Broken, Unit
from .workers import Engine, ordered, spare_collector


@dataclass(frozen=True, slots=True)
class _Lines:
    """What one unit became: the form's payload, lines of the rejects, and what to report."""

    output: Any
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
    form_name: str = "jsonl",
    layout: str | None = None,
) -> int:
    """Convert all inputs; the exit status. Output files appear only if every input could be read to its end.

    form_name: jsonl, parquet, or native in a layout, which changes a file that is there and nothing else in it.
    """
    report = Report()
    make = partial(_work, source_name, target, options, rejects is not None, form_name, layout)
    spare_collector()
    with report.failures():
        form = form_of(form_name, layout)
        with ExitStack() as stack:
            out = stack.enter_context(Output(output))
            sink = form.sink(out, output)
            aside = stack.enter_context(Output(rejects)) if rejects is not None else None
            turns = 0
            for lines in ordered(make, _units(source_name, paths, report), jobs, engine):
                sink.write(lines.output)
                if aside is not None:
                    aside.write(lines.rejects)
                for diagnostic in lines.diagnostics:
                    report.found(diagnostic)
                turns += lines.turns
                report.progress(turns)
            if report.status != FAILURE or out.path is None:
                for diagnostic in sink.finish():
                    report.found(diagnostic)
            if report.status == FAILURE:
                out.flush()
                if aside is not None:
                    aside.flush()
            else:
                out.commit()
                if aside is not None:
                    aside.commit()
    return report.finish()


def _units(source_name: str, paths: list[str], report: Report) -> Iterator[Unit | Broken]:
    return units(source(source_name), paths, report.failure)


def _work(
    source_name: str, target: str, options: Options, keep_rejects: bool, form_name: str, layout: str | None
) -> Callable[[Unit | Broken], _Lines]:
    converter = Converter(source_name, target, options)
    encode = form_of(form_name, layout).encoder()
    # A native layout has no place for what an agent's turn loses: only its rejection is told.
    quiet = ("agent",) if form_name == "native" else ()

    def work(unit: Unit | Broken) -> _Lines:
        made = converter.convert_turns(unit)
        rejected = [one for one, _, _ in made if one.row["status"] == "rejected"]
        told = (one for one, _, _ in made if one.row["status"] == "rejected" or one.row["speaker"] not in quiet)
        rejects = b"".join(map(_reject, rejected)) if keep_rejects else b""
        return _Lines(encode(made), rejects, tuple(d for one in told for d in one.diagnostics), len(made))

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
