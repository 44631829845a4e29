"""`dlc graph`: a dialogue's dataflow graph as DOT, Mermaid or SVG."""

import shutil
import subprocess

from dlc.grammar.diagnostic import CompileError, Place
from dlc.runtime.dialogue import Dialogue
from dlc.runtime.graph import Graph

from . import errors
from .conversion import units
from .errors import InputFailure
from .options import Options
from .outputs import Output
from .report import FAILURE, Report
from .run_dialogue import reasons, said
from .sources import source
from .talks import talk_of
from .units import Broken, Unit

DRAWING_SECONDS = 120


def run_graph(
    lang: str, paths: list[str], options: Options, dialogue: str | None, form: str = "dot", output: str | None = None
) -> int:
    """Draw one dialogue; the exit status. Turns that are no program are reported and left out."""
    report = Report()
    try:
        dot = _graphviz() if form == "svg" else ""
        found = _one(lang, paths, dialogue, report)
        graph = _graph(lang, found, options, report)
        with Output(output) as out:
            out.write(_drawn(graph, form, dot))
            out.commit()
    except InputFailure as failure:
        report.failure(failure.diagnostic)
        report.status = FAILURE
    except CompileError as error:
        for diagnostic in error.diagnostics:
            report.found(diagnostic)
    return report.finish()


def _one(lang: str, paths: list[str], wanted: str | None, report: Report) -> list[Unit]:
    """The units of the one dialogue asked for; rows without a name are one dialogue of none. Raises InputFailure."""
    found: dict[str | None, list[Unit]] = {}
    for unit in units(source(lang), paths, report.failure):
        if isinstance(unit, Broken):
            report.found(unit.diagnostic)
            continue
        name = unit.dialogue.removesuffix(".json") if unit.dialogue is not None else None
        if wanted is None or name == wanted.removesuffix(".json"):
            found.setdefault(name, []).append(unit)
    where = ", ".join(paths)
    if not found:
        why = f"there is no dialogue `{wanted}`" if wanted is not None else "there is no dialogue to draw"
        raise InputFailure(errors.which_dialogue(where, why))
    if len(found) > 1:
        shown = ", ".join(str(name) for name in list(found)[:3])
        why = f"there are {len(found)} dialogues ({shown}{', …' if len(found) > 3 else ''}); name one with --dialogue"
        raise InputFailure(errors.which_dialogue(where, why))
    return next(iter(found.values()))


def _graph(lang: str, found: list[Unit], options: Options, report: Report) -> Graph:
    """The graph of a dialogue after its last turn."""
    read = source(lang).reader(options)
    whole = [(unit, read(unit)) for unit in found]
    turns = [[said(made, i) for i in range(len(made.dialogue.turns))] for _, made in whole]
    running: Dialogue | None = None
    for (unit, made), programs in zip(whole, turns, strict=True):
        for i, (turn, program) in enumerate(zip(made.dialogue.turns, programs, strict=True)):
            schema = made.schemas[i]
            if program is None or schema is None:
                for diagnostic in reasons(unit, made, i):
                    report.found(diagnostic)
                continue
            if running is None:
                running = talk_of([p for each in turns for p in each if p is not None], schema).dialogue
            try:
                running.step(program)
            except CompileError:
                raise
            except Exception as error:
                place = Place(unit.file, unit.dialogue, turn.turn)
                raise InputFailure(errors.internal(place, f"{type(error).__name__}: {error}")) from error
    return running.graph if running is not None else Graph()


def _drawn(graph: Graph, form: str, dot: str) -> bytes:
    from dlc.runtime.draw import to_dot, to_mermaid

    if form == "mermaid":
        return to_mermaid(graph).encode("utf-8", "replace")
    text = to_dot(graph).encode("utf-8", "replace")
    return text if form == "dot" else _svg(text, dot)


def _graphviz() -> str:
    """The path of Graphviz' `dot`. Raises InputFailure."""
    found = shutil.which("dot")
    if found is None:
        raise InputFailure(errors.no_graphviz("SVG is drawn by Graphviz, whose `dot` is not installed"))
    return found


def _svg(text: bytes, dot: str) -> bytes:
    try:
        done = subprocess.run([dot, "-Tsvg"], input=text, capture_output=True, timeout=DRAWING_SECONDS)
    except subprocess.TimeoutExpired:
        raise InputFailure(errors.no_graphviz(f"`dot` did not end within {DRAWING_SECONDS} s")) from None
    except OSError as error:
        raise InputFailure(errors.no_graphviz(f"`dot` does not start: {error.strerror or error}")) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[:500]
        raise InputFailure(errors.no_graphviz(f"`dot` failed: {said or 'no reason given'}"))
    return done.stdout
