"""`dlc canon`, `dlc equiv`, `dlc diff` from the command line."""

import json
from pathlib import Path

import pytest
from thingtalk_oracle import Oracle
from typer.testing import CliRunner

from dlc import canonicalize, equivalent
from dlc.canon_cli import register
from dlc.diff_rows import agreement

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


def test_variables_are_put_in_their_places_as_deep_as_can_be_read_again(folder: Path) -> None:
    for count in (20, 100, 400, 2000):
        lets = "".join(f"let x{i} = x{i - 1} + 1; " for i in range(1, count))
        (folder / "deep.dl").write_text(f"user: let x0 = 3; {lets} x{count - 1};\n")
        status, out = run("canon", folder / "deep.dl", "--schema", folder / "s.dl", "--format", "lines")
        assert status == 0 and out.count("let ") < count / 10
        (folder / "again.dl").write_text(out)
        assert run("canon", folder / "again.dl", "--schema", folder / "s.dl", "--format", "lines") == (0, out)


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


def test_diff_shows_the_database_that_tells_two_apart(folder: Path) -> None:
    for name, how in (("d.dl", "max"), ("e.dl", "min")):
        (folder / name).write_text(f"user ask: Inn | group .quarter | show .quarter, best: {how}(.stars);\n")
    arguments = ("diff", folder / "d.dl", folder / "e.dl", "--schema", folder / "s.dl")
    (row,) = [json.loads(line) for line in run(*arguments)[1].splitlines()]
    assert row["verdict"] == "different" and row["differs"] == ["max(.stars)", "min(.stars)"]
    assert row["witness"]["replayed"] == "SQLite" and row["witness"]["first"] != row["witness"]["second"]
    assert {inn["stars"] for inn in row["witness"]["database"]["Inn"]} - {None}
    page = run(*arguments, "--format", "html")[1]
    assert "a database that shows it (so does SQLite)" in page and "A gives" in page
    table = folder / "t.parquet"
    run(*arguments, "--format", "parquet", "-o", table)
    import pyarrow.parquet as pq

    assert json.loads(pq.read_table(table).to_pylist()[0]["witness"]) == row["witness"]


def test_diff_and_equiv_give_one_verdict(folder: Path) -> None:
    pairs = [("Inn | show .id | distinct", "Inn | show .id"), ("Inn | where not .stars = 3", "Inn | where .stars != 3"),
             ("Inn | where .stars > 3 | show .id", "Inn | where .stars >= 4 | show .id"),
             ("Inn | sort .stars asc | take 1", "Inn | sort .stars desc | take 1"),
             ("Inn | where .stars in [3]", "Inn | where .stars = 3")]  # fmt: skip
    for i, name in enumerate(("p.dl", "q.dl")):
        (folder / name).write_text("".join(f"user ask: {pair[i]};\n" for pair in pairs))
    rows = run("diff", folder / "p.dl", folder / "q.dl", "--schema", folder / "s.dl")[1].splitlines()
    told = {"same meaning": 0, "different": 1, "open": 4}
    for row, pair in zip(map(json.loads, rows), pairs, strict=True):
        assert told[row["verdict"]] == run("equiv", *pair, "--schema", folder / "s.dl")[0], pair


# ---------------------------------------------------------------- outside DL

STREAM = "monitor([stars] of @uk.ac.cam.multiwoz.Hotel.Hotel()) filter 3 <= stars;"


def test_thingtalk_outside_dl_has_a_form_and_stays_thingtalk(folder: Path) -> None:
    (folder / "s.tt").write_text(f'{STREAM}\nmonitor(@uk.ac.cam.multiwoz.Hotel.Hotel() filter stars == "three");\n')
    status, out = run("canon", folder / "s.tt", "--lang", "thingtalk")
    first, second = map(json.loads, out.splitlines())
    assert status == 1
    assert (first["lang"], first["status"], [n["code"] for n in first["notes"]]) == ("thingtalk", "exact", ["DLC225"])
    assert first["program"] == "[stars] of monitor(stars of @uk.ac.cam.multiwoz.Hotel.Hotel() filter stars >= 3);"
    assert (second["program"], second["status"], second["notes"][0]["code"]) == (None, "rejected", "DLC104")


def test_equiv_and_diff_of_streams_compare_forms(folder: Path) -> None:
    same = "[stars] of (monitor(stars of @uk.ac.cam.multiwoz.Hotel.Hotel() filter stars >= 3));"
    other = "monitor(@uk.ac.cam.multiwoz.Hotel.Hotel() filter stars >= 3);"
    within = "@uk.ac.cam.multiwoz.Hotel.Hotel() filter stars >= 3;"
    status, out = run("equiv", STREAM, same, "--lang", "thingtalk")
    assert status == 0 and out.startswith("equal")
    for second in (other, within):
        status, out = run("equiv", STREAM, second, "--lang", "thingtalk")
        assert status == 4 and "outside DL" in out
    (folder / "a.tt").write_text(f"{STREAM}\n{STREAM}\n{STREAM}\n")
    (folder / "b.tt").write_text(f"{STREAM}\n{same}\n{other}\n")
    status, out = run("diff", folder / "a.tt", folder / "b.tt", "--lang", "thingtalk")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["verdict"] for row in rows] == ["same spelling", "same meaning", "open"] and status == 1
    assert rows[1]["a"] == STREAM and rows[1]["b"] == same and "outside DL" in rows[2]["reason"]


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
def test_what_is_still_to_be_given_is_hidden_where_the_reference_hides_it(
    folder: Path, corpora: Path, oracle: Oracle
) -> None:
    """`$?` of a required parameter says nothing that its absence does not; of an optional one it does."""
    state, of = "$dialogue @org.thingpedia.dialogue.transaction.execute; ", "@uk.ac.cam.multiwoz"
    codes = [
        f"{state}{of}.Taxi.make_booking(departure=$?, arrive_by=$?);",
        f"{state}{of}.Train.make_booking(train=$?, book_people=$?) #[confirm=enum proposed];",
        f"{state}{of}.Hotel.Hotel() filter stars == 4 => {of}.Hotel.make_booking(hotel=id, book_day=$?);",
    ]
    (folder / "open.tt").write_text("".join(f"{code}\n" for code in codes))
    arguments = ("--lang", "thingtalk", "--schema", "multiwoz", "--format", "lines", "--style", "thingtalk")
    status, out = run("canon", folder / "open.tt", *arguments)
    answers = oracle.judge([(code, "normal") for code in codes], corpora / "multiwoz30" / "schema.tt")
    assert status == 0 and out.splitlines() == [answer["canonical"].replace("\n", " ") for answer in answers]
    assert out.count("$?") == 2


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


# ---------------------------------------------------------------- two annotations


def test_agreement_is_by_spelling_and_by_meaning(folder: Path) -> None:
    figures = folder / "figures.json"
    run("diff", folder / "a.dl", folder / "b.dl", "--schema", folder / "s.dl", "--summary", figures)
    told = json.loads(figures.read_text())
    assert told["verdicts"] == {
        "same spelling": 1, "same meaning": 1, "different": 1, "open": 0, "only one side": 1,
    }  # fmt: skip
    # Three turns have both sides: one written alike, two of one meaning.
    assert (told["turns"], told["both"]) == (4, 3)
    assert told["spelling"] == pytest.approx(1 / 3) and told["meaning"] == pytest.approx(2 / 3)
    # Labels of spelling: 1 2 3 against 1 4 5; of meaning: 1 2 3 against 1 2 4.
    assert told["kappa_spelling"] == pytest.approx((1 / 3 - 1 / 9) / (1 - 1 / 9))
    assert told["kappa_meaning"] == pytest.approx((2 / 3 - 2 / 9) / (1 - 2 / 9))


def test_of_turns_that_only_one_side_has_there_is_no_agreement_to_speak_of() -> None:
    assert agreement([{"a": "x", "b": None, "verdict": "only one side"}]).line().startswith("none of 1 turns")


def test_forms_proved_equal_are_one_label() -> None:
    def row(verdict: str, a: str, b: str) -> dict[str, object]:
        return {"verdict": verdict, "a": a, "b": b, "canonical_a": a, "canonical_b": b}

    rows = [
        row("same meaning", "p", "q"),
        row("different", "q", "r"),
        row("different", "p", "r"),
        row("open", "s", "t"),
    ]
    found = agreement(rows)
    # p and q are one: p p p s against p r r t.
    assert found.meaning == 1 / 4 and found.kappa_meaning == pytest.approx((1 / 4 - 3 / 16) / (1 - 3 / 16))


def test_the_rows_as_a_parquet_table(folder: Path) -> None:
    table = pytest.importorskip("pyarrow.parquet")
    file = folder / "rows.parquet"
    run("diff", folder / "a.dl", folder / "b.dl", "--schema", folder / "s.dl", "--format", "parquet", "-o", file)
    rows = table.read_table(file).to_pylist()
    assert [r["verdict"] for r in rows] == ["same spelling", "same meaning", "different", "only one side"]
    assert (rows[2]["differs_a"], rows[2]["differs_b"]) == (".parking = true", ".parking = false")
    assert rows[3]["b"] is None and rows[0]["turn"] is None


def test_the_page_counts_and_lists_what_differs_most(folder: Path) -> None:
    for name, stars in (("c.dl", 3), ("d.dl", 4)):
        (folder / name).write_text(f'user ask: Inn | where .stars = {stars} and .id = @"<i>";\n' * 3)
    page = folder / "page.html"
    run("diff", folder / "c.dl", folder / "d.dl", "--schema", folder / "s.dl", "--format", "html", "-o", page)
    text = page.read_text()
    assert "3 of 3 turns on both sides: 0.0% spelled alike" in text
    assert "<code>.stars = 3</code> → <code>.stars = 4</code></button> 3" in text
    assert text.count("<article") == 3 and "<i>" not in text.replace("<i>nothing</i>", "")


@pytest.mark.parametrize(
    ("a", "b", "verdict", "differs"),
    [
        ("Hotel | where .area is any", "Hotel", "different", ["Hotel | where .area is any", "Hotel"]),
        ("Hotel | where .area is any | show .phone", "Hotel | where .area is none | show .phone", "different", [".area is any", ".area is none"]),
        ("book_hotel(people: 2, stay: 5)", "book_hotel(people: 3, stay: 5)", "different", ["people: 2", "people: 3"]),
        ("Hotel | where .stars in [3, 4]", "Hotel | where .stars >= 3 and .stars <= 4", "different", [".stars in [3, 4]", ".stars in 3 .. 4"]),
        ('Hotel | where .name ~ "A"', 'Hotel | where .name ~ "a"', "open", ['.name ~ "A"', '.name ~ "a"']),
    ],
)  # fmt: skip
def test_what_is_certain_without_a_database(
    tmp_path: Path, a: str, b: str, verdict: str, differs: list[str] | None
) -> None:
    for name, text in (("a.dl", a), ("b.dl", b)):
        (tmp_path / name).write_text(f"user execute: {text};\n")
    (row,) = [
        json.loads(line)
        for line in run("diff", tmp_path / "a.dl", tmp_path / "b.dl", "--schema", "multiwoz")[1].splitlines()
    ]
    assert (row["verdict"], row["differs"]) == (verdict, differs)
