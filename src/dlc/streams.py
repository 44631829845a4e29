"""The Python interface to whole corpora: `convert`."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from dlc.grammar.diagnostic import Diagnostic

from .conversion import Converted, Converter, OutputRow, units
from .errors import InputFailure
from .options import Normalize, Options, Speakers, Syntax
from .sinks import TARGETS
from .sources import SOURCES, source
from .units import Broken, Unit
from .workers import ordered

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.targets.dataflow.multiwoz import Options as Recipe


def convert(
    source_name: str,
    *paths: str | os.PathLike[str],
    to: str,
    schema: "Schema | str | None" = None,
    speakers: Speakers | None = None,
    normalize: Normalize = "none",
    syntax: Syntax | None = None,
    recipe: "Recipe | None" = None,
    jobs: int = 1,
    on_diagnostic: Callable[[Diagnostic], None] | None = None,
) -> Iterator[OutputRow]:
    """The rows of `dlc convert`, one by one, in the order of the source and in constant memory.

    source_name, to: a source and a target as on the command line. Without paths, a source that ships a sample is
    read from it. schema: a schema, a built-in name or a path; None for the row's own, else the source's.
    syntax: of ThingTalk that is written; None for that of the source, else normal.
    recipe: how slot states are written as dataflow; None for the published setting.
    on_diagnostic: called with what the command would say on standard error; rows carry the same in `notes`.

    Raises ValueError for an unknown source or target; CompileError for a schema that cannot be read;
    InputFailure for an input that cannot be read to its end (after the rows before it).
    """
    for name, known, what in ((source_name, SOURCES, "source"), (to, TARGETS, "target")):
        if name not in known:
            raise ValueError(f"{what} is one of {', '.join(known)}, not {name!r}")
    opened = source(source_name)
    if not paths and opened.sample is None:
        raise ValueError(f"{source_name} needs a path")
    options = Options(schema, speakers, normalize, syntax, recipe=recipe)
    return _rows(source_name, [os.fspath(p) for p in paths], to, options, jobs, on_diagnostic or _ignore)


def _rows(
    source_name: str, paths: list[str], to: str, options: Options, jobs: int, tell: Callable[[Diagnostic], None]
) -> Iterator[OutputRow]:
    failures: list[Diagnostic] = []

    def failed(diagnostic: Diagnostic) -> None:
        tell(diagnostic)
        if diagnostic.severity == "error":
            failures.append(diagnostic)

    for made in ordered(partial(_work, source_name, to, options), units(source(source_name), paths, failed), jobs):
        for one in made:
            for diagnostic in one.diagnostics:
                tell(diagnostic)
            yield one.row
    if failures:
        raise InputFailure(failures[0])


def _work(source_name: str, to: str, options: Options) -> Callable[[Unit | Broken], list[Converted]]:
    return Converter(source_name, to, options).convert


def _ignore(diagnostic: Diagnostic) -> None:
    """Nobody asked; the rows' notes say the same."""
