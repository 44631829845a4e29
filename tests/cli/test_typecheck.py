"""`dlc typecheck` and `dlc schema`."""

import json
from importlib.resources import files

import pytest

from dlc.compiler.schema_text import read_schema
from dlc.schema_views import VIEWS

ROWS = [
    "user inform: Hotel | where .stars = 4 and .area = north; book_hotel(people: 2);",
    'user inform: Hotel | where .stars = "four";',
    "user inform: Hotel | where",
]


def test_text(dlc_run, tmp_path):
    (tmp_path / "rows.dl").write_text("\n".join(ROWS) + "\n")
    done = dlc_run("typecheck", "rows.dl", "--schema", "multiwoz")
    assert done.status == 1
    assert "error[DLC104]" in done.out and "rows.dl · line 2 · column 37" in done.out
    assert "error[DLC004]" in done.out and "rows.dl · line 3 · column 27" in done.out
    assert done.out.splitlines()[-1] == "3 turns checked, 2 with errors"


def test_json(dlc_run):
    lines = [json.dumps({"dialogue_id": "D", "turn": 2 * i, "program": p}) for i, p in enumerate(ROWS)]
    args = ("typecheck", "-", "--lang", "dl", "--schema", "multiwoz", "--format", "json", "--typed")
    done = dlc_run(*args, stdin="\n".join(lines).encode())
    rows = done.rows()
    assert done.status == 1
    assert all(list(row) == ["dialogue_id", "turn", "line", "ok", "type", "typed", "diagnostics"] for row in rows)
    assert [(r["dialogue_id"], r["turn"], r["line"], r["ok"]) for r in rows] == [
        ("D", 0, 1, True),
        ("D", 2, 2, False),
        ("D", 4, 3, False),
    ]
    assert rows[0]["type"].startswith("Rel[Hotel]; Action[")
    assert rows[0]["typed"].startswith("user inform: Hotel | where") and rows[2]["typed"] is None
    (found,) = rows[1]["diagnostics"]
    assert (found["code"], found["turn"], found["column"]) == ("DLC104", 2, 37)


def test_a_corpus(dlc_run):
    done = dlc_run("typecheck", "--lang", "multiwoz", "--format", "json")
    assert done.status == 0 and len(done.rows()) > 90
    assert {d["severity"] for row in done.rows() for d in row["diagnostics"]} == {"warning"}


def test_jobs_change_nothing(dlc_run):
    one = dlc_run("typecheck", "--lang", "multiwoz")
    assert dlc_run("typecheck", "--lang", "multiwoz", "--jobs", "2") == one


def test_broken_rows_and_files(dlc_run):
    done = dlc_run("typecheck", "-", "nowhere", "--schema", "multiwoz", "--format", "json", stdin=b'{"a"\n')
    assert done.status == 3 and "DLC350" in done.err
    (row,) = done.rows()
    assert not row["ok"] and row["diagnostics"][0]["code"] == "DLC355"


def test_usage(dlc_run):
    assert dlc_run("typecheck").status == 2
    assert dlc_run("typecheck", "x", "--lang", "klingon").status == 2


@pytest.mark.parametrize("notation", sorted(VIEWS))
def test_schema_show(dlc_run, notation):
    done = dlc_run("schema", "show", "multiwoz", "--as", notation)
    assert done.status == 0 and "hotel" in done.out.lower()


def test_schema_show_dl_is_the_schema(dlc_run):
    text = files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8")
    assert read_schema(dlc_run("schema", "show").out) == read_schema(text)


def test_json_schema_says_what_the_schema_says(dlc_run):
    shown = json.loads(dlc_run("schema", "show", "--as", "json-schema").out)
    definitions = shown["$defs"]
    assert definitions["Area"]["enum"] == ["east", "north", "centre", "south", "west"]
    assert definitions["Hotel.row"]["properties"]["stars"] == {"type": "number", "minimum": 0, "maximum": 5}
    assert definitions["Hotel.row"]["properties"]["area"] == {"$ref": "#/$defs/Area"}
    assert "phone" in definitions["Hotel.row"]["required"]
    assert definitions["book_hotel"]["properties"]["people"]["type"] == "number"
    used = {part["$ref"].removeprefix("#/$defs/") for part in walk(definitions) if "$ref" in part}
    assert used <= set(definitions)


def walk(node):
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from walk(child)


def test_schema_import(dlc_run, tmp_path):
    (tmp_path / "mine.dl").write_text("schema mine  table T{a:Int key,b:Text?}")
    done = dlc_run("schema", "import", "mine.dl", "-o", "out.dl")
    assert done.status == 0 and "table T { a: Int key, b: Text? }" in (tmp_path / "out.dl").read_text()
    again = dlc_run("schema", "import", "out.dl")
    assert again.out == (tmp_path / "out.dl").read_text()


@pytest.mark.parametrize("content", [b"", b"\xff", b"table {", b"schema x\ntable T { a: " + b"List[" * 50_000])
def test_schema_import_of_bad_files(dlc_run, tmp_path, content):
    (tmp_path / "bad.dl").write_bytes(content)
    done = dlc_run("schema", "import", "bad.dl", "-o", "out.dl")
    assert done.status == 3 and "bad.dl" in done.err and "Traceback" not in done.err
    assert not (tmp_path / "out.dl").exists()


def test_a_schema_of_another_kind(dlc_run, tmp_path):
    (tmp_path / "s.xml").write_text("<x/>")
    done = dlc_run("schema", "import", "s.xml")
    assert done.status == 3 and "DLC365" in done.err


def test_a_program_outside_dl_is_reported_with_the_type_errors_in_it(dlc_run, tmp_path):
    classes = "class @org.sea { monitorable list query boat(out name : String, out length : Number); }"
    (tmp_path / "sea.tt").write_text(classes, encoding="utf-8")
    programs = 'monitor(@org.sea.boat() filter length == "x");\nmonitor(@org.sea.boat());\n'
    (tmp_path / "programs.tt").write_text(programs, encoding="utf-8")
    done = dlc_run("typecheck", "--lang", "thingtalk", "--schema", "sea.tt", "programs.tt")
    assert done.out.count("DLC225") == 2 and done.out.count("DLC104") == 1
    assert "line 1 · column 32" in done.out
