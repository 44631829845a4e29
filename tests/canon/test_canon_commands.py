"""`dlc canon`, `dlc equiv`, `dlc diff` from the command line."""

import json
from pathlib import Path

import pytest
from thingtalk_oracle import Oracle
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


# ---------------------------------------------------------------- published forms


def test_a_published_form_is_chosen_by_name(folder: Path) -> None:
    state = "$dialogue @org.thingpedia.dialogue.transaction.execute; @uk.ac.cam.multiwoz.Hotel.Hotel() filter "
    (folder / "a.tt").write_text(f"{state}stars == 4 && area == enum north;\n{state}stars >= 4 && stars >= 3;\n")
    arguments = ("canon", folder / "a.tt", "--lang", "thingtalk", "--schema", "multiwoz", "--format", "lines")
    assert run(*arguments, "--style", "thingtalk") == (
        0,
        f"{state}area == enum north && stars == 4;\n{state}stars >= 4 && stars >= 3;\n",
    )
    # DL's own form knows that the second is one bound.
    assert run(*arguments)[1].splitlines()[1] == "user execute: Hotel | where .stars >= 4;"
    (folder / "a.lispress").write_text("(Yield (+ 1 0.26))\n")
    assert run(
        "canon", folder / "a.lispress", "--lang", "dataflow", "--schema", "smcalflow", "--style", "lispress-metric",
        "--format", "lines",
    ) == (0, "(Yield (+ 1.0 0.3))\n")  # fmt: skip
    assert run("canon", folder / "a.tt", "--lang", "thingtalk", "--style", "upper")[0] == 2


def test_a_row_that_cannot_be_read_has_no_published_form_and_is_told(folder: Path) -> None:
    (folder / "bad.tt").write_text("$dialogue @org.thingpedia.dialogue.transaction.execute; @no.such.Thing();\n")
    status, out = run("canon", folder / "bad.tt", "--lang", "thingtalk", "--schema", "multiwoz", "--style", "thingtalk")
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert status == 1 and row["status"] == "rejected" and row["program"] is None


@pytest.mark.corpus
@pytest.mark.oracle
def test_multiwoz_3_in_thingtalks_own_form(folder: Path, corpora: Path, oracle: Oracle) -> None:
    lines = (corpora / "multiwoz30" / "train.user.tsv").read_text("utf-8").splitlines()[::8]
    (folder / "part.tsv").write_text("\n".join(lines) + "\n")
    status, out = run("canon", folder / "part.tsv", "--lang", "multiwoz3", "--style", "thingtalk", "--speakers", "both")
    rows = [json.loads(line) for line in out.splitlines()]
    made = [row["program"] for row in rows if row["part"] == "target"]
    targets = [line.split("\t")[3] for line in lines]
    answers = oracle.judge([(t, "tokenized") for t in targets], corpora / "multiwoz30" / "schema.tt")
    assert status == 0 and made == [answer["canonical_tokens"] for answer in answers]


@pytest.mark.corpus
def test_smcalflow_in_the_form_of_its_leaderboard(folder: Path, corpora: Path) -> None:
    import gzip

    from dlc.metrics.dataflow_canonical import leaderboard_form

    with gzip.open(corpora / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [line for i, line in enumerate(file) if i % 20 == 0]
    (folder / "part.jsonl").write_text("".join(lines))
    status, out = run("canon", folder / "part.jsonl", "--lang", "smcalflow", "--style", "lispress-metric")
    made = [json.loads(line)["program"] for line in out.splitlines()]
    wanted = [leaderboard_form(turn["lispress"]) for line in lines for turn in json.loads(line)["turns"]]
    assert status == 0 and made == wanted and len(made) > 200
