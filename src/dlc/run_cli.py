"""The command `dlc run`."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, NoReturn

import typer

from .sources import SOURCES

_DIALOGUES = ("dataflow", "smcalflow")
_LIBRARIES = ("assistant",)

Runs = Callable[[Callable[[], int]], NoReturn]


def register(app: typer.Typer, run: Runs) -> None:
    """Add the command; `run` turns an exit status into an exit."""

    def lang_of(value: str) -> str:
        if value not in SOURCES:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(sorted(SOURCES))}")
        return value

    @app.command("run")
    def run_programs(
        paths: Annotated[
            list[str] | None, typer.Argument(metavar="[PATH]...", help="Files; - is standard input.")
        ] = None,
        lang: Annotated[
            str, typer.Option("--lang", metavar="L", help="The source, or language.", callback=lang_of)
        ] = "dl",
        db: Annotated[
            list[str] | None,
            typer.Option("--db", metavar="FILE", help="A SQLite or DuckDB database; several SQLite files are one."),
        ] = None,
        data: Annotated[
            list[str] | None,
            typer.Option(
                "--data",
                metavar="PATH",
                help="Rows in memory instead: JSON files of rows by table, or a folder of tables.",
            ),
        ] = None,
        library: Annotated[
            str | None,
            typer.Option("--library", metavar="|".join(_LIBRARIES), help="Functions over --data for dialogues."),
        ] = None,
        now: Annotated[
            datetime | None, typer.Option("--now", help="The moment it is for --library; else the present.")
        ] = None,
        schema: Annotated[
            str | None,
            typer.Option("--schema", metavar="S", help="A built-in schema or a schema file; the database's."),
        ] = None,
        seconds: Annotated[float, typer.Option("--seconds", min=0.01, help="Time limit of a query.")] = 10.0,
        rows: Annotated[int, typer.Option("--rows", min=1, help="Rows given of a query.")] = 10_000,
        output: Annotated[
            str | None, typer.Option("-o", "--output", metavar="OUT", help="Write here, whole or not at all.")
        ] = None,
    ) -> None:
        """Run the queries of programs on a database, read-only, or over rows in memory: a JSON object a query.

        With neither, dataflow dialogues run on their graph, calls that nothing implements standing for themselves: a JSON
        object a turn, with values, exceptions, and programs whose references are inlined.
        """
        from dlc.runtime.sql_run import Limits

        from .options import Options
        from .run_command import run_in_memory, run_on_database, run_on_graph, run_with_library

        if library is not None and (library not in _LIBRARIES or not data):
            raise typer.BadParameter(f"--library is one of {', '.join(_LIBRARIES)}, over rows given with --data")
        on_graph = not db and not data and lang in _DIALOGUES
        if bool(db) == bool(data) and not on_graph:
            raise typer.BadParameter("a database or rows are needed, one of the two: --db FILE or --data PATH")
        if not paths and SOURCES[lang]().sample is None:
            raise typer.BadParameter(f"{lang} needs a PATH; - is standard input")
        known = schema
        if known is None and db and lang == "dl" and db[0].lower().endswith((".db", ".sqlite", ".sqlite3")):
            known = db[0]
        options = Options(known, "both" if lang in ("dl", "sql") else None)
        limits = Limits(seconds=seconds, rows=rows)
        if library is not None:
            told = Options(schema or library, "both")
            moment = now if now is not None else datetime.now()
            run(lambda: run_with_library(lang, paths or [], library, data or [], moment, told, output))
        if data:
            run(lambda: run_in_memory(lang, paths or [], data, options, limits, output))
        if on_graph:
            run(lambda: run_on_graph(lang, paths or [], options, output))
        run(lambda: run_on_database(lang, paths or [], db or [], options, limits, output))
