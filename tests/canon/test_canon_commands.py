"""`dlc canon`, `dlc equiv`, `dlc diff` from the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dlc.canon_cli import register
from dlc.meaning import canonicalize, equivalent

SCHEMA = """schema rooms
enum Quarter = east | west
table Inn { id: Inn key, stars: Number?, parking: Bool?, quarter: Quarter? }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "s.dl").write_text(SCHEMA)
    a = ["Inn | where .stars = 3 and .quarter = east", "Inn | where .stars >= 3 and .stars <= 3",
         "Inn | where .parking = true | show .id", "Inn | show .id"]  # fmt: skip
    b = ["Inn | where .stars = 3 and .quarter = east", "Inn | where .stars = 3",
         "Inn | where .parking = false | show .id", "Inn | show <b>"]  # fmt: skip
    for name, queries in (("a.dl", a), ("b.dl", b)):
        (tmp_path / name).write_text("".join(f"user ask: {q};\n" for q in queries))
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


def test_canon_prints_one_text_for_one_meaning(folder: Path) -> None:
    status, out = run("canon", folder / "a.dl", "--schema", folder / "s.dl", "--format", "lines")
    assert status == 0
    assert out.splitlines()[:2] == [
        "user ask: Inn | where .quarter = east and .stars = 3;",
        "user ask: Inn | where .stars = 3;",
    ]
    again = folder / "again.dl"
    again.write_text(out)
    assert run("canon", again, "--schema", folder / "s.dl", "--format", "lines") == (0, out)


def test_canon_rows_are_convert_rows_and_a_bad_row_is_rejected(folder: Path) -> None:
    status, out = run("canon", folder / "b.dl", "--schema", folder / "s.dl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 1 and [r["status"] for r in rows] == ["exact"] * 3 + ["rejected"]
    assert set(rows[0]) == {
        "dialogue_id",
        "turn",
        "speaker",
        "utterance",
        "lang",
        "schema",
        "program",
        "status",
        "notes",
    }


def test_diff_says_spelling_meaning_or_where(folder: Path) -> None:
    status, out = run("diff", folder / "a.dl", folder / "b.dl", "--schema", folder / "s.dl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [r["verdict"] for r in rows] == ["same spelling", "same meaning", "different", "only one side"]
    assert rows[2]["differs"] == [".parking = true", ".parking = false"]


def test_diff_of_a_file_with_itself_is_fine(folder: Path) -> None:
    assert run("diff", folder / "a.dl", folder / "a.dl", "--schema", folder / "s.dl")[0] == 0


def test_the_page_holds_everything_and_escapes_it(folder: Path) -> None:
    page = folder / "page.html"
    run("diff", folder / "a.dl", folder / "b.dl", "--schema", folder / "s.dl", "--format", "html", "-o", page)
    text = page.read_text()
    assert "<mark>.parking = true</mark>" in text and 'data-verdict="same meaning"' in text
    assert "http" not in text and "src=" not in text and "<b>" not in text


def test_equiv_says_the_verdict_with_its_bound_or_witness(folder: Path) -> None:
    status, out = run("equiv", "Inn | where .stars in [3]", "Inn | where .stars = 3", "--schema", folder / "s.dl")
    assert status == 0 and out.startswith("equal, on all databases")
    status, out = run(
        "equiv",
        "Inn | where .stars != 3",
        "Inn | where not .stars = 3",
        "--schema",
        folder / "s.dl",
        "--format",
        "json",
    )
    answer = json.loads(out)
    assert status == 1 and answer["verdict"] == "different" and answer["witness"]["Inn"][0]["stars"] is None
    assert run("equiv", "Inn | where", "Inn", "--schema", folder / "s.dl")[0] == 1


def test_the_python_interface(folder: Path) -> None:
    text = "user ask: Inn | where 3 <= .stars | where .stars <= 3;"
    assert str(canonicalize(text, str(folder / "s.dl"))) == "user ask: Inn | where .stars = 3;\n"
    assert equivalent("Inn | show .id | distinct", "Inn | show .id", str(folder / "s.dl")).kind == "equal"
    careful = equivalent("Inn | show .id | distinct", "Inn | show .id", str(folder / "s.dl"), keys=False)
    assert careful.kind == "different"
