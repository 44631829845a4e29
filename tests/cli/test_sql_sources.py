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


def test_python_interface(folder):
    program = dlc.read("sql", "SELECT name FROM ship WHERE built = 1900", str(folder / "harbour.db"))
    assert str(program) == "user: ship | where .built = 1900 | show .name;\n"
    (written,) = dlc.write("sql", program)
    assert written.program == "SELECT name FROM ship WHERE built = 1900"
