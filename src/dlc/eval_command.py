"""`dlc eval`: gold and predictions to the figures of a metric."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dlc.grammar.diagnostic import CompileError, Place

from . import errors
from .errors import InputFailure
from .eval_comparison import comparison
from .eval_figures import Figures, as_json, as_text
from .eval_rows import Cut, Pairs, pair, programs_or_dialogues, query_blocks, read_rows, rows, states
from .options import Options
from .outputs import Output
from .report import FAILURE, Report

VARIANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "slots": (
        "trade",
        "strict",
        "per-slot",
        "simpletod-2020",
        "simpletod-fixed",
        "ignore-none-dontcare",
        "convlab3",
        "sgd",
        "sgd-exact",
        "sgd-turn",
        "sgd-multiwoz",
        "all",
    ),
    "sql": ("official", "repaired", "meaning"),
    "thingtalk": (),
    "dataflow": ("all", "token", "leaderboard", "report"),
    "acts": (),
    "responses": ("13a", "none"),
}
"""The metrics and the variants of each, the default first."""

_CUTS: Final[Mapping[str, Cut]] = {
    "slots": states,
    "sql": query_blocks,
    "thingtalk": rows("//"),
    "dataflow": programs_or_dialogues,
    "acts": rows("//"),
    "responses": rows("\0"),
}


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """What a metric was asked for. tables, db: for `sql`; inventory: a file of slot names, for `slots`; inline: for
    `dataflow`, also after references are inlined; against: the predictions of a second system; data: for
    `thingtalk`, rows in which names of entities are looked up."""

    variant: str | None = None
    tables: str | None = None
    db: str | None = None
    inventory: str | None = None
    schema: str | None = None
    speakers: Literal["user", "agent", "both"] | None = None
    inline: bool = False
    against: str | None = None
    data: tuple[str, ...] = ()


def run_eval(
    metric: str, gold: str, predicted: str, options: EvalOptions, form: str = "text", output: str | None = None
) -> int:
    """Print the figures; the exit status. Nothing is printed unless every gold turn could be scored."""
    report = Report()
    try:
        wanted = Options(None, options.speakers).wanted_speakers("agent" if metric == "responses" else "user")
        cut = _CUTS[metric]
        known = read_rows(gold, cut, wanted)
        figures = _guarded(pair(known, read_rows(predicted, cut, wanted)), metric, options)
        sections, told = figures.sections, figures.told
        if options.against is not None:
            other = _guarded(pair(known, read_rows(options.against, cut, wanted)), metric, options)
            sections = [*sections, comparison(figures.measures, other.measures)]
            told = list(dict.fromkeys((*told, *other.told)))
        for warning in told:
            report.found(warning)
        with Output(output) as out:
            out.write(as_json(metric, sections) if form == "json" else as_text(sections).encode())
            out.commit()
    except InputFailure as failure:
        report.failure(failure.diagnostic)
        report.status = FAILURE
    except CompileError as error:
        for diagnostic in error.diagnostics:
            report.found(diagnostic)
    return report.finish()


def _guarded(pairs: Pairs, metric: str, options: EvalOptions) -> Figures:
    try:
        return _figures(pairs, metric, options)
    except (CompileError, InputFailure):
        raise
    except Exception as error:
        place = Place(pairs[0][0][0].file)
        raise InputFailure(errors.internal(place, f"{type(error).__name__}: {error}")) from error


def _figures(pairs: Pairs, metric: str, options: EvalOptions) -> Figures:
    variant = options.variant or (VARIANTS[metric][0] if VARIANTS[metric] else "")
    if metric == "sql":
        from .eval_sql import sql_figures

        return sql_figures(pairs, options.tables, options.db, variant)
    if metric == "slots":
        from .eval_states import slots_figures

        return slots_figures(pairs, options.variant, options.inventory, options.schema)
    if metric == "dataflow":
        from .eval_dataflow import dataflow_figures

        return dataflow_figures(pairs, variant, options.schema, options.inline)
    if metric in ("acts", "responses"):
        from .eval_dialogues import act_figures, response_figures

        return act_figures(pairs) if metric == "acts" else response_figures(pairs, variant)
    from .eval_thingtalk import thingtalk_figures
    from .schemas import Schemas

    named = pairs[0][0][0].fields.get("schema")
    schema = Schemas(options.schema).get(named, "multiwoz", "thingtalk")
    return thingtalk_figures(pairs, schema, "agent" if options.speakers == "agent" else "user", options.data)


def usage_fault(metric: str, options: EvalOptions) -> str:
    """What is wrong with the flags of a metric, or ""."""
    known = VARIANTS[metric]
    if options.variant is not None and options.variant not in known:
        wanted = ", ".join(known) or "none"
        return f"--variant of {metric} is one of {wanted}, not {options.variant!r}"
    if metric == "sql" and options.tables is None and options.db is None:
        return "sql needs --tables (a tables.json) or --db (a folder of databases)"
    if metric == "slots" and (variant := options.variant or "").startswith("sgd") and options.schema is None:
        return f"--variant {variant} needs --schema, the schema.json of the services"
    if options.against is not None and metric == "responses":
        return "--against compares turn by turn, and BLEU is a figure of the whole corpus"
    if options.inline and metric != "dataflow":
        return f"--inline is for dataflow, not for {metric}"
    if options.data and metric != "thingtalk":
        return f"--data is for thingtalk, not for {metric}"
    if options.db is not None and not os.path.isdir(options.db):
        return f"--db {options.db!r} is no folder"
    return ""
