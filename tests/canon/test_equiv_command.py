"""`dlc equiv` from the command line: programs of several languages, pairs, witnesses, exit status."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dlc.canon_cli import register
from dlc.equiv_command import Effort, Judge
from dlc.grammar.diagnostic import CompileError, Place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "s.dl").write_text("schema rooms\ntable Inn { id: Inn key, stars: Number? }\n")
    (tmp_path / "a.dl").write_text("user ask: Inn;\n")
    return tmp_path


def run(*arguments: object) -> tuple[int, str]:
    import typer

    def leave(work):  # type: ignore[no-untyped-def]
        raise typer.Exit(work())

    app = typer.Typer()
    register(app, leave)
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


TABLES = """CREATE TABLE port (code INTEGER PRIMARY KEY, town TEXT);
CREATE TABLE ship (id INTEGER PRIMARY KEY, name TEXT, home INTEGER NOT NULL REFERENCES port (code));
"""


def test_equiv_of_sql(folder: Path) -> None:
    (folder / "harbour.sql").write_text(TABLES)
    schema = ("--schema", folder / "harbour.sql", "--lang", "sql")
    joined = "SELECT ship.name FROM ship JOIN port ON ship.home = port.code"
    assert run("equiv", joined, "SELECT name FROM ship", *schema)[0] == 0
    distinct = "SELECT DISTINCT name FROM ship"
    status, out = run("equiv", "SELECT name FROM ship", distinct, *schema, "--witness", folder / "witness.json")
    assert status == 1 and "replay in SQLite" in out
    witness = json.loads((folder / "witness.json").read_text())
    assert len(witness["ship"]) == 2 and len(witness["port"]) == 1
    assert run("equiv", "SELECT name FROM ship", distinct, *schema, "--no-distinct")[0] == 0
    open_ = (
        "SELECT home FROM ship GROUP BY home HAVING count(*) > 500",
        "SELECT home FROM ship GROUP BY home HAVING count(*) > 501",
    )
    status, out = run("equiv", *open_, *schema, "--databases", "5", "--format", "json")
    assert status == 4 and json.loads(out)["verdict"] == "likely_equal"
    assert run("equiv", *open_, *schema, "--databases", "0")[0] == 4


def test_equiv_of_pairs(folder: Path) -> None:
    (folder / "harbour.sql").write_text(TABLES)
    pairs = [
        {"id": "p1", "a": "SELECT count(*) FROM ship", "b": "SELECT count(id) FROM ship", "lang": "sql"},
        {"id": "p2", "a": "ship | show .name", "b": "ship | show .id"},
        {"id": "p3", "a": "ship | show .nam", "b": "ship | show .id"},
        {"a": 3},
        {"a": "ship", "b": "ship", "lang": "klingon"},
    ]
    file = folder / "pairs.jsonl"
    file.write_text("".join(json.dumps(p) + "\n" for p in pairs) + "x\n")
    status, out = run("equiv", "--pairs", file, "--schema", folder / "harbour.sql", "-o", folder / "out.jsonl")
    rows = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert status == 1 and out == ""
    assert [r["verdict"] for r in rows] == ["equal", "different", "unknown", "unknown", "unknown"]
    assert rows[1]["id"] == "p2" and rows[1]["witness"]["ship"] and rows[1]["replayed"] == "SQLite"
    assert rows[2]["reason"].startswith("DLC102") and rows[3]["reason"].startswith("DLC361")
    assert all(set(r) >= {"verdict", "bound", "reason", "witness"} for r in rows)
    file.write_text(json.dumps(pairs[0]) + "\n")
    assert run("equiv", "--pairs", file, "--schema", folder / "harbour.sql")[0] == 0
    assert run("equiv", "--pairs", folder / "nosuch.jsonl", "--schema", folder / "harbour.sql")[0] == 3


def test_equiv_wants_two_programs_or_pairs(folder: Path) -> None:
    assert run("equiv", "Inn", "--schema", folder / "s.dl")[0] == 2
    assert run("equiv", "--schema", folder / "s.dl")[0] == 2
    assert run("equiv", "Inn", "Inn", "--pairs", folder / "a.dl", "--schema", folder / "s.dl")[0] == 2


def test_a_finding_says_which_of_the_two_programs_it_is_about(folder: Path) -> None:
    judge = Judge(str(folder / "s.dl"), Effort())
    for programs, side in ((("Inn | where .beds = 3", "Inn"), "A"), (("Inn", "Inn | where .beds = 3"), "B")):
        with pytest.raises(CompileError) as caught:
            judge.compare(*programs, "dl", None, Place())
        assert caught.value.diagnostics[0].place.file == side
