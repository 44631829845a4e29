"""The sources cosql, sparc, spider and sql, the target sql, SQL schemas, and `dlc run` on databases."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import dlc

TABLES: list[dict[str, Any]] = [
    {
        "db_id": name,
        "table_names_original": ["ship", "port"],
        "column_names_original": [[-1, "*"], [0, "Id"], [0, "Name"], [0, "Home"], [1, "Code"], [1, "Town"]],
        "column_types": ["text", "number", "text", "number", "number", "text"],
        "primary_keys": [1, 4],
        "foreign_keys": [[3, 4]],
    }
    for name in ("harbour", "coast")
]
INTERACTIONS = [
    {
        "database_id": "harbour",
        "interaction": [
            {"utterance": "ships?", "query": "SELECT Name FROM ship"},
            {"utterance": "from Ely", "query": 'SELECT T1.Name FROM ship AS T1 JOIN port AS T2 ON T1.Home = T2.Code WHERE Town = "Ely"'},
        ],
        "final": {"utterance": "", "query": ""},
    },
    {"database_id": "coast", "interaction": [{"utterance": "how many?", "query": "SELECT count(*) FROM nosuch"}], "final": {}},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables.json").write_text(json.dumps(TABLES))
    (tmp_path / "dev.json").write_text(json.dumps(INTERACTIONS))
    (tmp_path / "harbour.sql").write_text("CREATE TABLE ship (id INTEGER PRIMARY KEY, name TEXT, built INTEGER);")
    connection = sqlite3.connect(tmp_path / "harbour.db")
    connection.executescript((tmp_path / "harbour.sql").read_text())
    connection.executemany("INSERT INTO ship VALUES (?, ?, ?)", [(1, "ann", 1900), (2, "O'Hara", None)])
    connection.commit()
    connection.close()
    return tmp_path


@pytest.mark.parametrize("source", ["cosql", "sparc"])
def test_interactions(dlc_run, folder, source):
    done = dlc_run("convert", source, "dev.json", "--to", "sql", "--schema", "tables.json")
    rows = done.rows()
    assert [(r["dialogue_id"], r["turn"], r["schema"], r["status"]) for r in rows] == [
        ("0", 0, "harbour", "exact"),
        ("0", 2, "harbour", "exact"),
        ("1", 0, "coast", "rejected"),
    ]
    assert rows[1]["program"] == "SELECT ship.Name FROM ship JOIN port ON ship.Home = port.Code WHERE port.Town = 'Ely'"
    assert rows[2]["notes"][0]["code"] == "DLC243"
    assert done.status == 1


RELEASE = {
    "41": {
        "db_id": "harbour",
        "turns": [
            {"isUser": True, "text": "hello, ships?", "label": ["GREETING", "INFORM_SQL"]},
            {"isUser": False, "text": "", "rawSql": "SELECT Name FROM ship"},
            {"isUser": False, "text": "Here they are.", "label": ["CONFIRM_SQL"]},
            {"isUser": True, "text": "hm"},
            {"isUser": True, "text": "bye", "label": ["SHRUG"]},
        ],
    }
}


def test_the_full_release(dlc_run, folder):
    (folder / "all.json").write_text(json.dumps(RELEASE))
    done = dlc_run("convert", "cosql", "all.json", "--to", "dl", "--schema", "tables.json", "--speakers", "both")
    assert [(r["dialogue_id"], r["turn"], r["speaker"], r["program"]) for r in done.rows()] == [
        ("41", 0, "user", "user GREETING, INFORM_SQL:"),
        ("41", 1, "agent", "agent: ship | show .Name;"),
        ("41", 2, "agent", "agent CONFIRM_SQL:"),
        ("41", 3, "user", None),
        ("41", 4, "user", "user SHRUG:"),
    ]
    (folder / "all.jsonl").write_text(done.out)
    checked = dlc_run("typecheck", "all.json", "--lang", "cosql", "--schema", "tables.json", "--format", "json")
    told = [[d["code"] for d in r["diagnostics"]] for r in checked.rows()]
    # The paper's acts are declared; an act of nobody's is a lint.
    assert told[0] == [] and told[-1] == ["DLC122"]


def test_through_dl_in_a_new_process(dlc_run, folder):
    straight = dlc_run("convert", "cosql", "dev.json", "--to", "sql", "--schema", "tables.json").rows()
    dlc_run("convert", "cosql", "dev.json", "--to", "dl", "--schema", "tables.json", "-o", "dev.jsonl")
    again = dlc_run("convert", "dl", "dev.jsonl", "--to", "sql", "--schema", "tables.json").rows()
    assert [r["program"] for r in again] == [r["program"] for r in straight]


def test_questions_and_a_database_that_is_not_there(dlc_run, folder):
    questions = [
        {"db_id": "coast", "question": "how many ships?", "query": "SELECT count(*) FROM ship"},
        {"db_id": "nosuch", "question": "?", "query": "SELECT 1"},
        3,
    ]
    (folder / "spider.json").write_text(json.dumps(questions))
    rows = dlc_run("convert", "spider", "spider.json", "--to", "dl", "--schema", "tables.json").rows()
    assert [r["program"] for r in rows] == ["user: ship | whole | show count();", None, None]
    assert [r["notes"][0]["code"] for r in rows[1:]] == ["DLC342", "DLC340"]


def test_rows_of_sql(dlc_run, folder):
    text = 'SELECT name FROM ship WHERE built > 1899\n-- a comment\n{"program": "SELECT nope FROM ship"}\n'
    done = dlc_run("convert", "sql", "-", "--to", "dl", "--schema", "harbour.sql", stdin=text.encode())
    assert [r["program"] for r in done.rows()] == ["user: ship | where .built > 1899 | show .name;", None]
    assert "DLC244" in done.err and done.status == 1
    done = dlc_run("typecheck", "-", "--lang", "sql", "--schema", "harbour.db", stdin=b"SELECT name FROM ship")
    assert done.status == 0


def test_dialects(dlc_run, folder):
    sql = b"SELECT name FROM ship WHERE name = 2 ORDER BY built LIMIT 2"
    done = dlc_run("convert", "sql", "-", "--to", "sql", "--schema", "harbour.db", "--dialect", "tsql", stdin=sql)
    assert "TOP 2" in done.rows()[0]["program"]
    done = dlc_run("convert", "sql", "-", "--to", "sql", "--schema", "harbour.db", "--dialect", "nosuch", stdin=sql)
    assert done.status == 2


def test_schemas(dlc_run, folder):
    from_ddl = dlc_run("schema", "show", "harbour.sql", "--as", "sql").out
    assert from_ddl.startswith("CREATE TABLE ship (")
    assert "name: Text?" in dlc_run("schema", "import", "harbour.db").out
    assert dlc_run("schema", "show", "tables.json#coast").out.startswith("schema coast")
    several = dlc_run("schema", "show", "tables.json")
    assert several.status != 0 and "2 databases" in several.err
    assert dlc_run("schema", "show", "tables.json#nosuch").status != 0


def test_run(dlc_run, folder):
    before = (folder / "harbour.db").read_bytes()
    rows = dlc_run("run", "-", "--lang", "sql", "--db", "harbour.db", stdin=b"SELECT name FROM ship ORDER BY id").rows()
    assert rows == [{"dialogue_id": None, "turn": 0, "columns": ["name"], "rows": [["ann"], ["O'Hara"]], "more": False}]
    program = b'user: ship | where .name = "O\'Hara" | show .id;'
    assert dlc_run("run", "-", "--db", "harbour.db", stdin=program).rows()[0]["rows"] == [[2]]
    limited = dlc_run(
        "run", "-", "--lang", "sql", "--db", "harbour.db", "--rows", "1", stdin=b"SELECT * FROM ship"
    ).rows()
    assert limited[0]["more"] and len(limited[0]["rows"]) == 1
    refused = dlc_run("run", "-", "--lang", "sql", "--db", "harbour.db", stdin=b"DROP TABLE ship\nSELECT 1")
    assert refused.status == 1 and "DLC423" in refused.err
    assert [r["rows"] for r in refused.rows()] == [[[1]]]
    endless = b"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
    stopped = dlc_run("run", "-", "--lang", "sql", "--db", "harbour.db", "--seconds", "0.2", stdin=endless)
    assert stopped.status == 1 and "DLC424" in stopped.err
    (folder / "bad.db").write_bytes(b"no database")
    assert dlc_run("run", "-", "--lang", "sql", "--db", "bad.db", stdin=b"SELECT 1").status == 3
    assert dlc_run("run", "-", "--lang", "sql", "--db", "absent.db", stdin=b"SELECT 1").status == 3
    assert dlc_run("run", "-", "--lang", "sql", stdin=b"SELECT 1").status == 2
    assert (folder / "harbour.db").read_bytes() == before


SHIPS = {"ship": [{"id": 1, "name": "ann", "built": 1900}, {"id": 2, "name": "O'Hara", "built": None}], "other": []}


def test_run_over_rows_in_memory(dlc_run, folder):
    (folder / "rows.json").write_text(json.dumps(SHIPS))
    sql = b"SELECT name, built + 1 AS next FROM ship WHERE built > 1800\nSELECT count(*) FROM ship"
    done = dlc_run("run", "-", "--lang", "sql", "--data", "rows.json", "--schema", "harbour.sql", stdin=sql)
    assert [(r["columns"], r["rows"]) for r in done.rows()] == [(["name", "next"], [["ann", 1901]]), (["count"], [[2]])]
    (folder / "tables").mkdir()
    (folder / "tables" / "ship_db.json").write_text(json.dumps(SHIPS["ship"]))
    program = b'user: let x0 = ship; x0 | where .name = "O\'Hara" | show .id; ship;'
    done = dlc_run("run", "-", "--data", "tables", "--schema", "harbour.sql", "--rows", "1", stdin=program)
    assert [(r["rows"], r["more"]) for r in done.rows()] == [([[2]], False), ([[1, "ann", 1900]], True)]


def test_values_in_memory_are_shown_as_dl_writes_them(dlc_run, folder):
    train = {
        "trainID": "TR1",
        "day": "monday",
        "leaveAt": "05:51",
        "arriveBy": "07:00",
        "price": "23.60 pounds",
        "duration": "51 minutes",
    }
    (folder / "train_db.json").write_text(json.dumps([train]))
    program = b"user: Train | where .leave_at < 06:00 | show .leave_at, .price, .duration;"
    done = dlc_run("run", "-", "--data", "train_db.json", "--schema", "multiwoz", stdin=program)
    assert done.rows()[0]["rows"] == [["05:51", "23.6gbp", "51min"]]


def test_a_query_without_end_in_memory_stops(dlc_run, folder):
    rows = {"ship": [{"id": i, "name": "x", "built": i} for i in range(200)]}
    (folder / "rows.json").write_text(json.dumps(rows))
    nested = "ship as s4 | where s4.built < 0"
    for i in (3, 2, 1, 0):
        nested = f"ship as s{i} | where s{i}.built >= 0 and not exists ({nested} and s{i}.built != s{i + 1}.built)"
    program = f"user: {nested} | show .id;".encode()
    done = dlc_run("run", "-", "--data", "rows.json", "--schema", "harbour.sql", "--seconds", "0.3", stdin=program)
    assert done.status == 1 and "DLC424" in done.err
    product = "user: ship" + "".join(f" | join ship as s{i}" for i in range(5)) + " | whole | show count();"
    done = dlc_run("run", "-", "--data", "rows.json", "--schema", "harbour.sql", stdin=product.encode())
    assert done.status == 1 and "DLC4" in done.err


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 3), (b'{"ship": 3}', 3), (b'{"ship": [1]}', 3), (b"\xff", 3), (b"[" * 100_000, 3)],
)
def test_rows_that_are_none(dlc_run, folder, content, status):
    (folder / "rows.json").write_bytes(content)
    done = dlc_run("run", "-", "--data", "rows.json", "--schema", "harbour.sql", stdin=b"user: ship;")
    assert done.status == status and "error[DLC" in done.err


def test_run_wants_a_database_or_rows(dlc_run, folder):
    (folder / "rows.json").write_text("{}")
    assert dlc_run("run", "-", "--schema", "harbour.sql", stdin=b"user: ship;").status == 2
    both = ("--db", "harbour.db", "--data", "rows.json")
    assert dlc_run("run", "-", *both, "--schema", "harbour.sql", stdin=b"user: ship;").status == 2
    assert dlc_run("run", "-", "--data", "nosuch.json", "--schema", "harbour.sql", stdin=b"user: ship;").status == 3


def test_a_program_that_cannot_be_read_is_told(dlc_run, folder):
    (folder / "rows.json").write_text(json.dumps(SHIPS))
    sql = b"SELECT nosuch FROM ship\nSELECT id FROM ship"
    done = dlc_run("run", "-", "--lang", "sql", "--data", "rows.json", "--schema", "harbour.sql", stdin=sql)
    assert done.status == 1 and "DLC244" in done.err and len(done.rows()) == 1


def test_run_on_duckdb(dlc_run, folder):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(folder / "harbour.duckdb")) as connection:
        connection.execute((folder / "harbour.sql").read_text())
        connection.execute("INSERT INTO ship VALUES (1, 'ann', 1900), (2, 'O''Hara', NULL)")
    before = (folder / "harbour.duckdb").read_bytes()
    program = b'user: ship | where .name = "O\'Hara" | show .id;'
    done = dlc_run("run", "-", "--db", "harbour.duckdb", "--schema", "harbour.sql", stdin=program)
    assert done.rows()[0]["rows"] == [[2]]
    refused = dlc_run("run", "-", "--lang", "sql", "--db", "harbour.duckdb", stdin=b"DROP TABLE ship\nSELECT 1")
    assert refused.status == 1 and "DLC423" in refused.err and len(refused.rows()) == 1
    assert (folder / "harbour.duckdb").read_bytes() == before


HOSTILE_SQL = {
    "SELECT name FROM ship WHERE name = '' OR 1 = 1; DROP TABLE ship --": ("DLC423", 1),
    "UPDATE ship SET name = 'x'": ("DLC423", 1),
    "SELECT 1 FROM ship" + "".join(f" JOIN ship s{i}" for i in range(199)): ("DLC425", 1),
}


@pytest.mark.parametrize("sql", HOSTILE_SQL)
def test_hostile_sql_leaves_the_database_as_it_was(dlc_run, folder, sql):
    before = (folder / "harbour.db").read_bytes()
    done = dlc_run("run", "-", "--lang", "sql", "--db", "harbour.db", stdin=sql.encode())
    assert (HOSTILE_SQL[sql][0] in done.err, done.status) == (True, HOSTILE_SQL[sql][1])
    assert (folder / "harbour.db").read_bytes() == before


@pytest.mark.parametrize("value", ["' OR '1' = '1", "x'; DROP TABLE ship; --", "\\", "%", "O'Hara"])
def test_a_value_is_bound_and_never_run(dlc_run, folder, value):
    before = (folder / "harbour.db").read_bytes()
    text = value.replace("\\", "\\\\")
    done = dlc_run("run", "-", "--db", "harbour.db", stdin=f'user: ship | where .name = "{text}" | show .id;'.encode())
    assert done.rows()[0]["rows"] == ([[2]] if value == "O'Hara" else [])
    assert (folder / "harbour.db").read_bytes() == before


def test_a_locked_database(dlc_run, folder):
    writer = sqlite3.connect(folder / "harbour.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        done = dlc_run("run", "-", "--lang", "sql", "--db", "harbour.db", stdin=b"SELECT 1 FROM ship")
        assert done.status == 3 and "DLC422" in done.err
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def test_a_damaged_database(dlc_run, folder):
    content = (folder / "harbour.db").read_bytes()
    (folder / "cut.db").write_bytes(content[: len(content) // 2])
    done = dlc_run("run", "-", "--lang", "sql", "--db", "cut.db", stdin=b"SELECT count(name) FROM ship")
    assert done.status == 3 and "DLC421" in done.err


def test_columns_that_differ_in_case_only(dlc_run, folder):
    entry = {
        **TABLES[0],
        "column_names_original": [[-1, "*"], [0, "Id"], [0, "id"], [0, "Home"], [1, "Code"], [1, "Town"]],
    }
    (folder / "clash.json").write_text(json.dumps([entry]))
    row = json.dumps({"program": "SELECT Home FROM ship", "db_id": "harbour"}).encode()
    done = dlc_run("convert", "sql", "-", "--to", "dl", "--schema", "clash.json", stdin=row)
    assert done.status == 3 and "DLC255" in done.err


def test_python_interface(folder):
    program = dlc.read("sql", "SELECT name FROM ship WHERE built = 1900", str(folder / "harbour.db"))
    assert str(program) == "user: ship | where .built = 1900 | show .name;\n"
    (written,) = dlc.write("sql", program)
    assert written.program == "SELECT name FROM ship WHERE built = 1900"
