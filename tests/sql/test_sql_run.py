"""Running queries: read-only, bounded, values bound, and a diagnostic for everything else."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from dlc.compiler.lower import lower_program
from dlc.compiler.schema import Schema
from dlc.grammar.parser import parse
from dlc.runtime.errors import RuntimeFailure
from dlc.runtime.sql_run import Limits, Result, opened, run_turn
from dlc.targets.sql.ddl import read_ddl, write_ddl

DDL = "CREATE TABLE ship (id INTEGER PRIMARY KEY, name TEXT, built INTEGER);"
QUICK = Limits(seconds=0.3, lock_seconds=0.05)


@pytest.fixture
def schema() -> Schema:
    return read_ddl(DDL, "harbour")


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "harbour odd?name#1.db"
    connection = sqlite3.connect(file)
    connection.executescript(DDL)
    connection.executemany("INSERT INTO ship VALUES (?, ?, ?)", [(i, f"ship {i}", 1900 + i) for i in range(50)])
    connection.execute("INSERT INTO ship VALUES (99, ?, NULL)", ("O'Hara; DROP TABLE ship",))
    connection.commit()
    connection.close()
    before = sha256(file.read_bytes()).hexdigest()
    yield file
    assert sha256(file.read_bytes()).hexdigest() == before


def _code(error: pytest.ExceptionInfo[RuntimeFailure]) -> str:
    return error.value.diagnostics[0].code


def test_a_query_and_the_row_limit(path: Path) -> None:
    with opened(path, Limits(rows=3)) as database:
        result = database.query("SELECT name, built FROM ship ORDER BY id")
        assert result.columns == ("name", "built")
        assert result.rows == (("ship 0", 1900), ("ship 1", 1901), ("ship 2", 1902))
        assert result.more
        assert database.query("SELECT id FROM ship WHERE id < 3").more is False


def test_a_turn_with_bound_values(path: Path, schema: Schema) -> None:
    text = 'user: ship | where .name = "O\'Hara; DROP TABLE ship" | show .id; ship | where .built > $0 | whole | show count();'
    turns, _ = lower_program(parse(text))
    with opened(path) as database:
        results, notes = run_turn(turns[0], schema, database, {0: 1940})
        assert results == (Result(("id",), ((99,),)), Result(("COUNT(*)",), ((9,),)))
        assert notes == ()
        with pytest.raises(RuntimeFailure) as error:
            run_turn(turns[0], schema, database)
    assert _code(error) == "DLC427"


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE ship",
        "DELETE FROM ship",
        "UPDATE ship SET name = 'x'",
        "INSERT INTO ship VALUES (7, 'x', 1)",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t (x)",
        "ATTACH 'other.db' AS other",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "VACUUM",
        "BEGIN",
        "SAVEPOINT s",
        "SELECT load_extension('x')",
        "SELECT 1; DROP TABLE ship",
        "SELECT randomblob(100000000)",
    ],
)
def test_anything_but_a_query_is_refused(sql: str, path: Path) -> None:
    with opened(path) as database, pytest.raises(RuntimeFailure) as error:
        database.query(sql)
    assert _code(error) in ("DLC423", "DLC425")
    assert not list(path.parent.glob("other*"))


def test_a_query_that_never_ends(path: Path) -> None:
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
    with opened(path, QUICK) as database:
        with pytest.raises(RuntimeFailure) as error:
            database.query(endless)
        assert _code(error) == "DLC424"
        product = "SELECT count(*) FROM " + ", ".join(f"ship s{i}" for i in range(12))
        with pytest.raises(RuntimeFailure) as error:
            database.query(product)
        assert _code(error) == "DLC424"
        assert database.query("SELECT 1").rows == ((1,),)


def test_a_join_of_200_tables(path: Path) -> None:
    with opened(path) as database, pytest.raises(RuntimeFailure) as error:
        database.query("SELECT 1 FROM ship" + "".join(f" JOIN ship s{i}" for i in range(199)))
    assert _code(error) == "DLC425"
    assert "64" in str(error.value)


@pytest.mark.parametrize("sql", ["SELECT nosuch FROM ship", "SELECT", "SELECT * FROM nosuch", "'"])
def test_the_database_objects(sql: str, path: Path) -> None:
    with opened(path) as database, pytest.raises(RuntimeFailure) as error:
        database.query(sql)
    assert _code(error) == "DLC425"


def test_a_locked_database(path: Path) -> None:
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(RuntimeFailure) as error, opened(path, QUICK):
            pass
        assert _code(error) == "DLC422"
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def test_files_that_are_no_database(tmp_path: Path) -> None:
    for name, content in (("empty.db", b""), ("text.db", b"hello"), ("cut.db", b"SQLite")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RuntimeFailure) as error, opened(tmp_path / name):
            pass
        assert _code(error) == "DLC420"
    for missing in (tmp_path / "nosuch.db", tmp_path):
        with pytest.raises(RuntimeFailure) as error, opened(missing):
            pass
        assert _code(error) == "DLC420"
    assert not (tmp_path / "nosuch.db").exists()
    with pytest.raises(RuntimeFailure) as error, opened([]):
        pass
    assert _code(error) == "DLC420"


def test_a_damaged_database(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    with pytest.raises(RuntimeFailure) as error, opened(damaged) as database:
        database.query("SELECT * FROM ship")
    assert _code(error) == "DLC421"
    damaged.write_bytes(content[: len(content) // 2 + 7])
    with pytest.raises(RuntimeFailure) as error, opened(damaged) as database:
        database.query("SELECT count(name) FROM ship")
    assert _code(error) in ("DLC421", "DLC425")


def test_several_files_are_one_database(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "ports.db"
    connection = sqlite3.connect(other)
    connection.executescript("CREATE TABLE port (code TEXT); INSERT INTO port VALUES ('a')")
    connection.close()
    with opened([path, other]) as database:
        assert database.query("SELECT count(*) FROM ship JOIN port").rows == ((51,),)
        with pytest.raises(RuntimeFailure):
            database.query("DELETE FROM port")


def test_duckdb(tmp_path: Path, schema: Schema) -> None:
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "harbour.duckdb"
    connection = duckdb.connect(str(file))
    connection.execute(write_ddl(schema, "duckdb"))
    connection.execute("INSERT INTO ship SELECT i, 'ship ' || i, 1900 + i FROM range(50) t(i)")
    connection.close()
    before = sha256(file.read_bytes()).hexdigest()
    turns, _ = lower_program(
        parse('user: ship | where .name = "ship 7" | group .built | show .built, pick(.name), count();')
    )
    with opened(file, QUICK) as database:
        results, _ = run_turn(turns[0], schema, database)
        assert results[0].rows == ((1907, "ship 7", 1),)
        for sql in (
            "DROP TABLE ship",
            "COPY ship TO 'x.csv'",
            "SELECT 1; SELECT 2",
            "ATTACH 'x'",
            "INSTALL json",
            "SET threads = 1",
        ):
            with pytest.raises(RuntimeFailure) as error:
                database.query(sql)
            assert _code(error) == "DLC423"
        with pytest.raises(RuntimeFailure) as error:
            database.query("SELECT * FROM read_csv('/etc/passwd')")
        assert _code(error) == "DLC425"
        with pytest.raises(RuntimeFailure) as error:
            database.query("SELECT count(*) FROM range(10000000000) a, range(1000) b")
        assert _code(error) == "DLC424"
    assert sha256(file.read_bytes()).hexdigest() == before


def test_duckdb_is_optional() -> None:
    code = "import sys; sys.modules['duckdb'] = None; import dlc.runtime.sql_run"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
