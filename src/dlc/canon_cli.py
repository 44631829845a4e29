"""The commands about meaning: `dlc canon`, `dlc equiv`, `dlc diff`."""

from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from .sources import SOURCES

# As `equiv_command.LANGUAGES`, which is not loaded for a help text.
LANGUAGES = ("dl", "sql", "thingtalk", "dataflow")
Runs = Callable[[Callable[[], int]], NoReturn]
_FORMS = ("jsonl", "lines")
_STYLES = ("dl", "thingtalk", "lispress-metric")
_DIFF_FORMS = ("jsonl", "parquet", "html")


def register(app: typer.Typer, run: Runs) -> None:
    """Add the commands; `run` turns an exit status into an exit."""

    def lang_of(value: str) -> str:
        if value not in SOURCES:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(sorted(SOURCES))}")
        return value

    def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
        def check(value: str) -> str:
            if value not in known:
                raise typer.BadParameter(f"{value!r} is not one of {', '.join(known)}")
            return value

        return check

    Lang = Annotated[str, typer.Option("--lang", metavar="L", help="The source, or language.", callback=lang_of)]
    Schema = Annotated[str | None, typer.Option("--schema", metavar="S", help="A built-in schema or a schema file.")]
    Out = Annotated[str | None, typer.Option("-o", "--output", metavar="OUT", help="Write here, whole or not at all.")]

    @app.command()
    def canon(
        paths: Annotated[
            list[str] | None, typer.Argument(metavar="[PATH]...", help="Files; - is standard input.")
        ] = None,
        lang: Lang = "dl",
        schema: Schema = None,
        output: Out = None,
        form: Annotated[
            str,
            typer.Option(
                "--format", metavar="|".join(_FORMS), help="Rows, or a program a line.", callback=one_of(_FORMS)
            ),
        ] = "jsonl",
        style: Annotated[
            str,
            typer.Option(
                "--style", metavar="|".join(_STYLES), help="DL's form, or a published one.", callback=one_of(_STYLES)
            ),
        ] = "dl",
        jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=256, help="Processes to use.")] = 1,
        speakers: Annotated[str | None, typer.Option("--speakers", metavar="user|agent|both", callback=None)] = None,
    ) -> None:
        """Bring programs to canonical form: one text for one meaning, as far as it goes."""
        from .canon_command import run_canon
        from .options import Options

        if not paths and SOURCES[lang]().sample is None:
            raise typer.BadParameter(f"{lang} needs a PATH; - is standard input")
        options = Options(schema, speakers)  # type: ignore[arg-type]
        run(lambda: run_canon(lang, paths or [], options, form, output, jobs, style))

    @app.command()
    def equiv(
        programs: Annotated[
            list[str] | None, typer.Argument(metavar="[A B]", help="Two programs, if no --pairs are given.")
        ] = None,
        lang: Annotated[
            str, typer.Option("--lang", metavar="L", help="dl, sql, thingtalk or dataflow.", callback=one_of(LANGUAGES))
        ] = "dl",
        pairs: Annotated[
            str | None, typer.Option("--pairs", metavar="FILE", help="Rows {a, b, lang?, db_id?}: a verdict for each.")
        ] = None,
        schema: Schema = None,
        witness: Annotated[
            str | None, typer.Option("--witness", metavar="FILE", help="Write the database that shows a difference.")
        ] = None,
        output: Out = None,
        form: Annotated[
            str,
            typer.Option(
                "--format", metavar="text|json", help="Form of the answer.", callback=one_of(("text", "json"))
            ),
        ] = "text",
        databases: Annotated[int, typer.Option(metavar="N", min=0, help="Random databases to try.")] = 200,
        bound: Annotated[int, typer.Option(metavar="K", min=1, max=4, help="Rows a table in the proof.")] = 2,
        timeout: Annotated[float, typer.Option(metavar="S", help="Seconds for the proof.")] = 5.0,
        keys: Annotated[bool, typer.Option("--keys/--no-keys", help="Trust declared keys and references.")] = True,
        smt: Annotated[bool, typer.Option("--smt/--no-smt", help="Try to prove with Z3.")] = True,
        distinct: Annotated[
            bool, typer.Option("--distinct/--no-distinct", help="Compare DISTINCT too, or as if there were none.")
        ] = True,
    ) -> None:
        """Whether two programs always give the same: proved, refuted with a database, or open."""
        from .equiv_command import Effort, run_equiv, run_pairs

        effort = Effort(databases, bound, timeout, keys, smt, distinct)
        known = schema or ("multiwoz" if lang in ("dl", "thingtalk") else None)
        if pairs is not None and not programs:
            run(lambda: run_pairs(pairs, lang, schema, effort, output))
        if pairs is not None or programs is None or len(programs) != 2:
            raise typer.BadParameter("two programs, or --pairs FILE")
        first, second = programs
        run(lambda: run_equiv(first, second, lang, known, form, effort, witness))

    @app.command()
    def diff(
        first: Annotated[str, typer.Argument(metavar="A", help="Programs.")],
        second: Annotated[str, typer.Argument(metavar="B", help="The same turns, annotated again.")],
        lang: Lang = "dl",
        schema: Schema = None,
        output: Out = None,
        form: Annotated[
            str,
            typer.Option(
                "--format",
                metavar="|".join(_DIFF_FORMS),
                help="Rows, a table, or a page.",
                callback=one_of(_DIFF_FORMS),
            ),
        ] = "jsonl",
        speakers: Annotated[str | None, typer.Option("--speakers", metavar="user|agent|both")] = None,
        prove: Annotated[bool, typer.Option("--prove/--no-prove", help="Beyond forms: databases and Z3.")] = True,
        summary: Annotated[
            str | None, typer.Option("--summary", metavar="FILE", help="How far the two agree, as JSON.")
        ] = None,
    ) -> None:
        """Two annotations turn by turn: same spelling, same meaning, or where they differ."""
        from .diff_command import run_diff
        from .options import Options

        options = Options(schema, speakers)  # type: ignore[arg-type]
        run(lambda: run_diff(first, second, lang, options, form, output, prove, summary))
