"""The `dlc` command. Commands are thin; what they need is imported when they run."""

import signal
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from . import __version__
from .canon_cli import register as register_meaning
from .harvest_command import HARVESTED
from .options import LAYOUTS
from .run_cli import register as register_run
from .schema_views import VIEWS
from .sinks import TARGETS
from .sources import SOURCES

app = typer.Typer(
    name="dlc",
    help="A compiler for the formal languages of dialogue: slot states, ThingTalk, dataflow and SQL in one typed language.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit status: 0 fine, 1 diagnostics, 2 usage, 3 input or internal failure, 4 undecided.",
)
schema_app = typer.Typer(no_args_is_help=True, help="Read schemas and show them in other notations.")
app.add_typer(schema_app, name="schema")

_METRICS = ("acts", "dataflow", "responses", "slots", "sql", "thingtalk")
_DRAWINGS = ("dot", "mermaid", "svg")
_FORMS = ("jsonl", "parquet", "native")
_SPEAKERS = ("user", "agent", "both")
_NORMALIZATIONS = ("none", "trade@1")
_ENGINES = ("local", "ray")
_SYNTAXES = ("normal", "tokenized")


def _one_of(names: Iterable[str]) -> Callable[[str | None], str | None]:
    known = sorted(names)

    def check(value: str | None) -> str | None:
        if value is not None and value not in known:
            from dlc.grammar.diagnostic import nearest

            close = nearest(value, known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(known)}{hint}")
        return value

    return check


def _completing(names: Iterable[str]) -> Callable[[str], list[str]]:
    known = sorted(names)
    return lambda incomplete: [name for name in known if name.startswith(incomplete)]


def _named(names: Iterable[str]) -> dict[str, Any]:
    known = list(names)
    return {"callback": _one_of(known), "autocompletion": _completing(known)}


Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH]...", help="Files (plain, .gz, .zip), folders, patterns; - is standard input."),
]
SchemaOption = Annotated[str | None, typer.Option("--schema", metavar="S", help="A built-in schema or a schema file.")]
OutOption = Annotated[
    str | None, typer.Option("-o", "--output", metavar="OUT", help="Write here, whole or not at all.")
]
JobsOption = Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=256, help="Processes to use.")]
EngineOption = Annotated[
    str, typer.Option("--engine", metavar="|".join(_ENGINES), help="Where the jobs run.", **_named(_ENGINES))
]
SpeakersOption = Annotated[
    str | None,
    typer.Option(
        "--speakers",
        metavar="|".join(_SPEAKERS),
        help="Whose turns: user for a corpus, both for rows of a bare language.",
        show_default=False,
        **_named(_SPEAKERS),
    ),
]
NormalizeOption = Annotated[
    str,
    typer.Option(
        "--normalize", metavar="|".join(_NORMALIZATIONS), help="Normalize values first.", **_named(_NORMALIZATIONS)
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dlc {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Run before every command."""


@app.command()
def convert(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help=f"One of {', '.join(sorted(SOURCES))}.", **_named(SOURCES))
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="TARGET", help=f"One of {', '.join(sorted(TARGETS))}.", **_named(TARGETS))
    ],
    paths: Paths = None,
    schema: SchemaOption = None,
    output: OutOption = None,
    rejects: Annotated[
        str | None, typer.Option("--rejects", metavar="FILE", help="Write rejected rows here, with their reasons.")
    ] = None,
    jobs: JobsOption = 1,
    engine: EngineOption = "local",
    form: Annotated[
        str, typer.Option("--format", metavar="|".join(_FORMS), help="Form of the output.", **_named(_FORMS))
    ] = "jsonl",
    layout: Annotated[
        str | None,
        typer.Option("--layout", metavar="|".join(LAYOUTS), help="Of --format native.", **_named(LAYOUTS)),
    ] = None,
    speakers: SpeakersOption = None,
    normalize: NormalizeOption = "none",
    syntax: Annotated[
        str | None,
        typer.Option(
            "--syntax",
            metavar="|".join(_SYNTAXES),
            help="Of ThingTalk that is written; as it was read, else normal.",
            show_default=False,
            **_named(_SYNTAXES),
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Rows, JSON by table: names found there get the row's key; they decide what agents found.",
        ),
    ] = None,
    delexicalize: Annotated[
        bool,
        typer.Option(
            "--delexicalize", help="ThingTalk tokenized, its constants as placeholders; values in `entities`."
        ),
    ] = False,
    dialect: Annotated[str, typer.Option("--dialect", metavar="D", help="Of SQL that is written.")] = "sqlite",
    no_refer: Annotated[bool, typer.Option("--no-refer", help="States as dataflow: never refer.")] = False,
    no_revise: Annotated[
        bool, typer.Option("--no-revise", help="States as dataflow: each turn says its whole state.")
    ] = False,
    keep_all_domains: Annotated[
        bool, typer.Option("--keep-all-domains", help="States as dataflow: more than the five domains published.")
    ] = False,
    remove_none: Annotated[
        bool, typer.Option("--remove-none", help="States as dataflow: without the value none.")
    ] = False,
    fill_none: Annotated[
        bool, typer.Option("--fill-none", help="States as dataflow: none for every slot not said.")
    ] = False,
    avoid_empty_plan: Annotated[
        bool, typer.Option("--avoid-empty-plan", help="States as dataflow: repeat the last change, not nothing.")
    ] = False,
) -> None:
    """Convert dialogues: a JSON object a line, each with its status and what was lost.

    --format native writes a corpus's own layout; into an OUT that is there, it changes the states that differ and not
    a byte beside them.

    Without PATH, multiwoz is the small corpus of invented dialogues that ships with dlc.
    """
    from .convert_command import run_convert
    from .options import Options

    _need_paths(source, paths)
    if rejects is not None and output is not None and rejects == output:
        raise typer.BadParameter("--rejects and -o name one file")
    if (form == "native") != (layout is not None):
        raise typer.BadParameter("--format native and --layout go together")
    if form == "native":
        if to != "slots":
            raise typer.BadParameter(f"--layout {layout} is a layout of slots: give --to slots")
        speakers = speakers or "both"
    if dialect != "sqlite":
        from dlc.targets.sql.dialects import known_dialects

        if dialect not in known_dialects():
            raise typer.BadParameter(f"{dialect!r} is not one of {', '.join(known_dialects())}")
    recipe = None
    flags = (no_refer, no_revise, keep_all_domains, remove_none, fill_none, avoid_empty_plan)
    if any(flags):
        from dlc.targets.dataflow.multiwoz import Options as Recipe

        recipe = Recipe(*flags)
    if delexicalize and (to != "thingtalk" or syntax == "normal"):
        raise typer.BadParameter("--delexicalize is for --to thingtalk in the tokenized syntax")
    options = Options(schema, speakers, normalize, syntax, dialect, recipe, delexicalize, tuple(data or ()))  # type: ignore[arg-type]
    _run(lambda: run_convert(source, paths or [], to, options, output, rejects, jobs, engine, form, layout))  # type: ignore[arg-type]


@app.command()
def typecheck(
    paths: Paths = None,
    lang: Annotated[
        str, typer.Option("--lang", metavar="L", help=f"One of {', '.join(sorted(SOURCES))}.", **_named(SOURCES))
    ] = "dl",
    schema: SchemaOption = None,
    form: Annotated[
        str, typer.Option("--format", metavar="text|json", help="Form of the output.", **_named(("text", "json")))
    ] = "text",
    typed: Annotated[bool, typer.Option("--typed", help="Show each program with its types written out.")] = False,
    output: OutOption = None,
    jobs: JobsOption = 1,
    speakers: SpeakersOption = None,
) -> None:
    """Check every program against its schema."""
    from .options import Options
    from .report import wants_color
    from .typecheck_command import run_typecheck

    _need_paths(lang, paths)
    options = Options(schema, speakers)  # type: ignore[arg-type]
    color = output is None and wants_color(sys.stdout)
    _run(lambda: run_typecheck(lang, paths or [], options, form, typed, output, jobs, color))  # type: ignore[arg-type]


@app.command()
def fmt(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="DL files, programs or schemas; - is standard input.")
    ],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if a file would change.")] = False,
) -> None:
    """Print DL files in their one printed form, in place. Comments stay."""
    from .fmt_command import run_fmt

    _run(lambda: run_fmt(paths, check))


@app.command()
def explain(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="A code such as DLC104; all if left out.")
    ] = None,
) -> None:
    """Explain a diagnostic: what it means and how to fix it."""
    from .catalog import explanations

    known = explanations()
    if code is None:
        for text in known.values():
            typer.echo(text.splitlines()[0])
        return
    wanted = code.upper() if code.upper().startswith("DLC") else f"DLC{code}"
    if wanted not in known:
        from dlc.grammar.diagnostic import nearest

        close = nearest(wanted, list(known), 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise typer.BadParameter(f"there is no diagnostic {code}{hint}")
    typer.echo(known[wanted])


@app.command("eval")
def evaluate(
    metric: Annotated[str, typer.Argument(metavar="METRIC", help=f"One of {', '.join(_METRICS)}.", **_named(_METRICS))],
    gold: Annotated[str, typer.Option("--gold", metavar="G", help="The reference; - is standard input.")],
    pred: Annotated[str, typer.Option("--pred", metavar="P", help="The predictions.")],
    against: Annotated[
        str | None, typer.Option("--against", metavar="P2", help="Another system's, compared figure by figure.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option("--variant", metavar="V", help="A published or repaired way to count.")
    ] = None,
    tables: Annotated[
        str | None, typer.Option("--tables", metavar="FILE", help="sql: the databases' tables.json.")
    ] = None,
    db: Annotated[
        str | None, typer.Option("--db", metavar="FOLDER", help="sql: SQLite files FOLDER/db_id/*.sqlite to run on.")
    ] = None,
    inventory: Annotated[
        str | None, typer.Option("--inventory", metavar="FILE", help="slots: names of all slots; else TRADE's 30.")
    ] = None,
    schema: SchemaOption = None,
    speakers: SpeakersOption = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="dataflow: also after references are inlined, as the paper scores.")
    ] = False,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", metavar="PATH", help="thingtalk: rows as JSON; names in slots that are found go by key."
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="text|json", help="Form of the output.", **_named(("text", "json")))
    ] = "text",
    output: OutOption = None,
) -> None:
    """Score predictions against gold by the published metrics of their language."""
    from .eval_command import EvalOptions, run_eval, usage_fault

    looked_up = tuple(data or ())
    options = EvalOptions(variant, tables, db, inventory, schema, speakers, inline, against, looked_up)  # type: ignore[arg-type]
    fault = usage_fault(metric, options)
    if fault:
        raise typer.BadParameter(fault)
    if (gold, pred, against).count("-") > 1:
        raise typer.BadParameter("only one of --gold, --pred and --against can be standard input")
    _run(lambda: run_eval(metric, gold, pred, options, form, output))


@app.command()
def stats(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help=f"One of {', '.join(sorted(SOURCES))}.", **_named(SOURCES))
    ],
    paths: Paths = None,
    schema: SchemaOption = None,
    speakers: Annotated[
        str | None,
        typer.Option(
            "--speakers",
            metavar="|".join(_SPEAKERS),
            help="Whose turns; both if left out.",
            show_default=False,
            **_named(_SPEAKERS),
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="text|json", help="Form of the output.", **_named(("text", "json")))
    ] = "text",
    output: OutOption = None,
) -> None:
    """Count a corpus: dialogues, turns, lengths, depths, library size, acts, constructs, representable turns."""
    from .options import Options
    from .stats_command import run_stats

    _need_paths(source, paths)
    _run(lambda: run_stats(source, paths or [], Options(schema, speakers), form, output))  # type: ignore[arg-type]


@app.command()
def graph(
    paths: Paths = None,
    lang: Annotated[
        str, typer.Option("--lang", metavar="L", help=f"One of {', '.join(sorted(SOURCES))}.", **_named(SOURCES))
    ] = "dl",
    form: Annotated[
        str, typer.Option("--format", metavar="|".join(_DRAWINGS), help="Form of the output.", **_named(_DRAWINGS))
    ] = "dot",
    dialogue: Annotated[
        str | None, typer.Option("--dialogue", metavar="ID", help="Which, if there are several.")
    ] = None,
    schema: SchemaOption = None,
    output: OutOption = None,
) -> None:
    """Draw a dialogue's dataflow graph, run without functions or data of its own."""
    from .graph_command import run_graph
    from .options import Options

    _need_paths(lang, paths)
    _run(lambda: run_graph(lang, paths or [], Options(schema, "both"), dialogue, form, output))


@schema_app.command("show")
def schema_show(
    schema: Annotated[str, typer.Argument(metavar="[S]", help="A built-in schema or a schema file.")] = "multiwoz",
    notation: Annotated[str, typer.Option("--as", metavar="|".join(VIEWS), help="Notation.", **_named(VIEWS))] = "dl",
    output: OutOption = None,
) -> None:
    """Show a schema in DL or in another notation."""
    from .schema_command import run_schema

    _run(lambda: run_schema(schema, notation, output))


@schema_app.command("import")
def schema_import(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A schema file.")],
    output: OutOption = None,
) -> None:
    """Read a schema file and write it as DL."""
    from .schema_command import run_schema

    _run(lambda: run_schema(path, "dl", output))


@schema_app.command("harvest")
def schema_harvest(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help=f"One of {', '.join(HARVESTED)}.", **_named(HARVESTED))
    ],
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files of dialogues; - is standard input.")],
    output: OutOption = None,
) -> None:
    """Learn a schema from the fully typed programs of a corpus."""
    from .harvest_command import run_harvest

    _run(lambda: run_harvest(corpus, paths, output))


def _need_paths(source: str, paths: list[str] | None) -> None:
    if not paths and SOURCES[source]().sample is None:
        raise typer.BadParameter(f"{source} needs a PATH; - is standard input")


def _run(work: Callable[[], int]) -> NoReturn:
    """Run a batch command: an interrupt or a request to end cleans up, says so and exits with 3."""
    from dlc.grammar.render import render

    from .errors import interrupted
    from .report import FAILURE

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status = work()
    except KeyboardInterrupt:
        print(render(interrupted()), file=sys.stderr)
        status = FAILURE
    raise typer.Exit(status)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


register_meaning(app, _run)
register_run(app, _run)


def main() -> None:
    """Entry point of the `dlc` command."""
    app()
