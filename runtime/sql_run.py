"""Running queries on SQLite and DuckDB: read-only, within bounds, constants bound and never pasted.

SQLite: the file is opened with `mode=ro`, an authorizer refuses everything but reading, a progress handler watches
the clock, and SQLite's own limits bound lengths and depths. DuckDB: opened read-only with external access off.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

from ..compiler.schema import Schema
from ..compiler.terms import Turn
from ..targets.rows import Note
from ..targets.sql.names import Catalog
from ..targets.sql.write import bound_queries
from . import sql_errors as errors
from .errors import RuntimeFailure

_SQLITE = b"SQLite format 3\x00"
_DUCKDB = b"DUCK"
_READING = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE))
_REFUSED_FUNCTIONS = frozenset(
    ("load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "zeroblob", "randomblob")
)
_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one query: seconds of wall time, rows returned, bytes of one value, seconds to wait for a lock."""

    seconds: float = 10.0
    rows: int = 10_000
    value_bytes: int = 10_000_000
    lock_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a query gave. `more`: there were rows beyond the limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool = False


class Database:
    """An open database; use `opened`."""

    def __init__(self, engine: str, connection: Any, path: str, limits: Limits) -> None:
        self.engine, self.path, self.limits = engine, path, limits
        self._connection = connection

    @property
    def connection(self) -> Any:
        """The engine's own connection, for the schema reader."""
        return self._connection

    def query(self, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> Result:
        """Run one query. Raises RuntimeFailure (DLC421 to DLC425, DLC427)."""
        if self.engine == "sqlite":
            return _query_sqlite(self._connection, sql, values, self.path, self.limits)
        return _query_duckdb(self._connection, sql, values, self.limits)


@contextmanager
def opened(paths: str | Path | Sequence[str | Path], limits: Limits | None = None) -> Iterator[Database]:
    """A database, or several SQLite files whose tables are seen as one. Raises RuntimeFailure (DLC420 to DLC422)."""
    limits = limits or Limits()
    files = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    if not files:
        raise RuntimeFailure(errors.cannot_open("", "no database is given"))
    kinds = {_engine(f) for f in files}
    if kinds == {"duckdb"} and len(files) == 1:
        connection: Any = _open_duckdb(files[0])
        engine = "duckdb"
    elif kinds == {"sqlite"}:
        connection = _open_sqlite(files, limits)
        engine = "sqlite"
    else:
        raise RuntimeFailure(errors.cannot_open(str(files[0]), "several files must all be SQLite"))
    try:
        yield Database(engine, connection, str(files[0]), limits)
    finally:
        connection.close()


def run_turn(
    turn: Turn, schema: Schema | Catalog, database: Database, holes: Mapping[int | tuple[int, str], Any] | None = None
) -> tuple[tuple[Result, ...], tuple[Note, ...]]:
    """Run each query of a turn with its constants bound. What the writer had to leave out is in the notes.

    holes: values of placeholders as the database keeps them, by number and type name (`(0, "Time")`) or by number.
    Raises RuntimeFailure.
    """
    queries, notes = bound_queries(turn, schema, database.engine)
    results = []
    for query in queries:
        values: dict[str, Any] = dict(query.values)
        missing = []
        for name, index, kind in query.holes:
            known = holes or {}
            if (index, kind) not in known and index not in known:
                missing.append(f"${index}")
            else:
                values[name] = known[(index, kind)] if (index, kind) in known else known[index]
        if missing:
            raise RuntimeFailure(errors.unfilled(tuple(missing)))
        results.append(database.query(query.sql, values))
    return tuple(results), notes


def _engine(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(100)
            size = file.seek(0, 2)
    except OSError as error:
        raise RuntimeFailure(errors.cannot_open(str(path), error.strerror or str(error))) from error
    if head.startswith(_SQLITE):
        if size < _promised(head):
            raise RuntimeFailure(
                errors.damaged(str(path), f"it ends after {size} bytes, {_promised(head)} are expected")
            )
        return "sqlite"
    if head[8:12] == _DUCKDB:
        return "duckdb"
    raise RuntimeFailure(errors.cannot_open(str(path), "this is no SQLite or DuckDB database"))


def _promised(head: bytes) -> int:
    """How long a SQLite file says it is (0 if it does not say): SQLite itself takes a missing page for an empty one.

    Format: https://sqlite.org/fileformat2.html, the database header.
    """
    if len(head) < 100 or head[24:28] != head[92:96]:
        return 0
    page = int.from_bytes(head[16:18], "big")
    return (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")


# ---------------------------------------------------------------- SQLite


def _uri(path: Path) -> str:
    return f"{path.resolve().as_uri()}?mode=ro"


def _open_sqlite(files: list[Path], limits: Limits) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(_uri(files[0]), uri=True, timeout=limits.lock_seconds, isolation_level=None)
    except sqlite3.Error as error:
        raise RuntimeFailure(_told(error, str(files[0]), limits)) from error
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.value_bytes)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1_000_000)
        for i, file in enumerate(files[1:], 1):
            connection.execute("ATTACH ? AS ?", (_uri(file), f"db{i}"))
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    except sqlite3.Error as error:
        connection.close()
        raise RuntimeFailure(_told(error, str(files[0]), limits)) from error
    return connection


def _authorized(refusals: list[str]) -> Any:
    def ask(action: int, first: str | None, second: str | None, *_: Any) -> int:
        if action in _READING:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and str(second).lower() not in _REFUSED_FUNCTIONS:
            return sqlite3.SQLITE_OK
        refusals.append(f"the function {second}" if action == sqlite3.SQLITE_FUNCTION else _ACTIONS.get(action, "this"))
        return sqlite3.SQLITE_DENY

    return ask


_ACTIONS = {
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE",
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_TRANSACTION: "a transaction",
    sqlite3.SQLITE_SAVEPOINT: "a savepoint",
    sqlite3.SQLITE_CREATE_TABLE: "CREATE TABLE",
    sqlite3.SQLITE_CREATE_TEMP_TABLE: "CREATE TABLE",
    sqlite3.SQLITE_CREATE_INDEX: "CREATE INDEX",
    sqlite3.SQLITE_CREATE_TRIGGER: "CREATE TRIGGER",
    sqlite3.SQLITE_CREATE_VIEW: "CREATE VIEW",
    sqlite3.SQLITE_DROP_TABLE: "DROP TABLE",
    sqlite3.SQLITE_ALTER_TABLE: "ALTER TABLE",
    sqlite3.SQLITE_ANALYZE: "ANALYZE",
    sqlite3.SQLITE_REINDEX: "REINDEX",
}


def _query_sqlite(
    connection: sqlite3.Connection, sql: str, values: Mapping[str, Any] | Sequence[Any], path: str, limits: Limits
) -> Result:
    refusals: list[str] = []
    end = time.monotonic() + limits.seconds
    connection.set_authorizer(_authorized(refusals))
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        cursor = connection.execute(sql, values)
        try:
            if cursor.description is None:
                raise RuntimeFailure(errors.refused("a statement without result"))
            rows = cursor.fetchmany(limits.rows + 1)
        finally:
            cursor.close()
        columns = tuple(str(d[0]) for d in cursor.description or ())
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        if refusals:
            verb = sql.split(None, 1)[0].upper() if sql.strip() else ""
            raise RuntimeFailure(errors.refused(refusals[0] if verb in ("SELECT", "WITH") else verb)) from error
        if time.monotonic() > end or "interrupted" in str(error):
            raise RuntimeFailure(errors.out_of_time(limits.seconds)) from error
        raise RuntimeFailure(_told(error, path, limits)) from error
    finally:
        connection.set_progress_handler(None, 0)
        connection.set_authorizer(None)
    return Result(columns, tuple(map(tuple, rows[: limits.rows])), len(rows) > limits.rows)


def _told(error: Exception, path: str, limits: Limits) -> Any:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return errors.locked(path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR):
        return errors.damaged(path, str(error))
    if code == sqlite3.SQLITE_CANTOPEN:
        return errors.cannot_open(path, str(error))
    if isinstance(error, sqlite3.ProgrammingError) and "one statement" in str(error):
        return errors.refused("more than one statement")
    if isinstance(error, sqlite3.ProgrammingError) and "binding" in str(error):
        return errors.unfilled((str(error),))
    return errors.failed(str(error))


# ---------------------------------------------------------------- DuckDB


def _open_duckdb(path: Path) -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise RuntimeFailure(errors.engine_missing("duckdb")) from error
    config = {"enable_external_access": "false", "autoload_known_extensions": "false", "lock_configuration": "true"}
    try:
        return duckdb.connect(str(path), read_only=True, config=config)
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        made = errors.locked(str(path)) if "lock" in why.lower() else errors.damaged(str(path), why)
        raise RuntimeFailure(made) from error


def _query_duckdb(connection: Any, sql: str, values: Mapping[str, Any] | Sequence[Any], limits: Limits) -> Result:
    import duckdb

    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise RuntimeFailure(errors.failed(str(error).partition("\n")[0])) from error
    if len(statements) != 1:
        raise RuntimeFailure(errors.refused("more than one statement"))
    kind = str(statements[0].type).rpartition(".")[2].removesuffix("_STATEMENT")
    if kind != "SELECT":
        raise RuntimeFailure(errors.refused(kind))
    timer = Timer(limits.seconds, connection.interrupt)
    timer.daemon = True
    start = time.monotonic()
    timer.start()
    try:
        cursor = connection.execute(sql, values or None)
        columns = tuple(str(d[0]) for d in cursor.description or ())
        rows = cursor.fetchmany(limits.rows + 1)
    except duckdb.Error as error:
        if isinstance(error, duckdb.InterruptException) or time.monotonic() - start >= limits.seconds:
            raise RuntimeFailure(errors.out_of_time(limits.seconds)) from error
        raise RuntimeFailure(errors.failed(str(error).partition("\n")[0])) from error
    finally:
        timer.cancel()
    return Result(columns, tuple(map(tuple, rows[: limits.rows])), len(rows) > limits.rows)
