"""Diagnostics of running SQL, DLC42x. Each docstring is what `dlc explain CODE` prints."""

from ..grammar.diagnostic import Diagnostic


def cannot_open(path: str, why: str) -> Diagnostic:
    """DLC420: a database file that cannot be opened.

    What it means: the file is not there, cannot be read, or is no SQLite or DuckDB database. Databases are opened
    read-only and never created.

    How to fix it: check the path given to --db.
    """
    return Diagnostic("DLC420", f"{path}: {why}")


def damaged(path: str, why: str) -> Diagnostic:
    """DLC421: a damaged database.

    What it means: the file begins like a database, but its pages contradict each other or end too early.

    How to fix it: restore it from a copy; `sqlite3 FILE .recover` saves what can be saved.
    """
    return Diagnostic("DLC421", f"{path} is damaged: {why}")


def locked(path: str) -> Diagnostic:
    """DLC422: a database that another process holds.

    What it means: somebody is writing to it. dlc waited and then gave up; nothing was changed.

    How to fix it: try again when the other process is done.
    """
    return Diagnostic("DLC422", f"{path} is locked by another process")


def refused(what: str) -> Diagnostic:
    """DLC423: a statement that is not allowed.

    What it means: programs are run read-only, one query at a time. Statements that write, define, attach files,
    change settings or load extensions are refused before they run.

    How to fix it: give a SELECT.
    """
    return Diagnostic("DLC423", f"{what} is refused: only queries are run")


def out_of_time(seconds: float) -> Diagnostic:
    """DLC424: a query that took too long.

    What it means: the query was stopped at the time limit. A join without condition, or a recursion without end, is
    the usual reason.

    How to fix it: add the join's condition, or raise the limit.
    """
    return Diagnostic("DLC424", f"the query was stopped after {seconds:g} s")


def failed(why: str) -> Diagnostic:
    """DLC425: a query that the database rejects.

    What it means: the database's own message follows: a table or column it does not have, an ambiguous name, a
    limit of its own.

    How to fix it: check that the database is the one the schema was read from.
    """
    return Diagnostic("DLC425", f"the database says: {why}")


def engine_missing(name: str) -> Diagnostic:
    """DLC426: a database engine that is not installed.

    What it means: DuckDB files need the package of that name; SQLite is always there.

    How to fix it: pip install 'dlc[duckdb]'.
    """
    return Diagnostic("DLC426", f"{name} is not installed", help=(f"pip install 'dlc[{name}]'",))


def unfilled(names: tuple[str, ...]) -> Diagnostic:
    """DLC427: placeholders without a value.

    What it means: the program has delexicalized constants, `$0` and so on, and nothing says what they stand for.

    How to fix it: give their values, or use the lexicalized program.
    """
    return Diagnostic("DLC427", f"no value is given for {', '.join(names)}")


def bad_rows(where: str, why: str) -> Diagnostic:
    """DLC428: rows that are not the schema's.

    What it means: a JSON database is a list of objects, one a row; this one is something else.

    How to fix it: compare with the layout in docs/sql.md.
    """
    return Diagnostic("DLC428", f"{where}: {why}")
