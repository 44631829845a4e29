"""The sources `thingtalk` and `multiwoz3`: rows in, both syntaxes out, damaged rows aside."""

import json
import os
import random
from pathlib import Path

import pytest

import dlc

POLICY = "@org.thingpedia.dialogue.transaction"
HOTEL = "@uk.ac.cam.multiwoz.Hotel"
NORMAL = f"$dialogue {POLICY}.execute; {HOTEL}.Hotel() filter stars == 4;"
TOKENIZED = f"$dialogue {POLICY} . execute ; {HOTEL} . Hotel ( ) filter stars == 4 ;"
OFFER = (
    f"$dialogue {POLICY} . sys_recommend_one ; {HOTEL} . Hotel ( ) #[ results = [ {{ phone = PHONE_NUMBER_0 }} ] ] ;"
)
CLOSE = f"$dialogue {POLICY} . cancel ;"
DL = "user execute: Hotel | where .stars = 4;"

USER = [
    ["A1.json/0", "null", "i want four stars .", TOKENIZED],
    ["A1.json/1", OFFER, "thanks .", CLOSE],
    ["B2.json/0", "null", "four stars , please .", TOKENIZED],
]


def tsv(rows: list[list[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def test_a_program_a_line_in_either_syntax(dlc_run):
    text = f"// a comment\n{NORMAL}\n\n{TOKENIZED}\n"
    rows = dlc_run("convert", "thingtalk", "-", "--to", "dl", stdin=text.encode()).rows()
    assert [row["program"] for row in rows] == [DL, DL]
    written = dlc_run("convert", "thingtalk", "-", "--to", "thingtalk", stdin=text.encode()).rows()
    assert [row["program"] for row in written][1] == TOKENIZED
    assert [row["status"] for row in written] == ["exact", "exact"]


@pytest.mark.parametrize(("syntax", "sign"), [("normal", ".Hotel()"), ("tokenized", " . Hotel ( )")])
def test_the_syntax_asked_for(dlc_run, syntax, sign):
    text = f"{NORMAL}\n{TOKENIZED}\n".encode()
    rows = dlc_run("convert", "thingtalk", "-", "--to", "thingtalk", "--syntax", syntax, stdin=text).rows()
    assert len({row["program"] for row in rows}) == 1 and sign in rows[0]["program"]


def test_dots_within_a_string_do_not_make_a_program_tokenized(dlc_run):
    text = f'$dialogue {POLICY}.execute; {HOTEL}.Hotel() filter id =~ "@acorn . house";'
    (row,) = dlc_run("convert", "thingtalk", "-", "--to", "dl", stdin=text.encode()).rows()
    assert row["program"] == 'user execute: Hotel | where .name ~ "@acorn . house";'


def test_json_rows_keep_their_dialogue(dlc_run):
    fields = {"dialogue_id": "D", "schema": "multiwoz", "utterance": "four stars"}
    text = json.dumps({**fields, "program": NORMAL}) + "\n" + json.dumps({**fields, "program": OFFER}) + "\n"
    rows = dlc_run("convert", "thingtalk", "-", "--to", "dl", stdin=text.encode()).rows()
    assert [(r["dialogue_id"], r["turn"], r["speaker"], r["utterance"]) for r in rows] == [
        ("D", 0, "user", "four stars"),
        ("D", 1, "agent", "four stars"),
    ]


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (NORMAL.replace("stars", "starz"), "DLC227"),
        (NORMAL.replace("4", '"four"'), "DLC104"),
        (TOKENIZED[:-2], "DLC223"),
        (TOKENIZED.replace(")", ""), "DLC223"),
        ("please", "DLC223"),
        (None, "DLC362"),
        (4, "DLC361"),
    ],
)
def test_a_row_that_is_no_program_is_rejected_and_the_run_goes_on(dlc_run, tmp_path, program, code):
    (tmp_path / "p.jsonl").write_text(json.dumps({"program": program}) + "\n" + json.dumps({"program": NORMAL}) + "\n")
    done = dlc_run("convert", "thingtalk", "p.jsonl", "--to", "dl", "--rejects", "r.jsonl")
    first, second = done.rows()
    assert done.status == 1 and first["status"] == "rejected" and second["program"] == DL
    (reject,) = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    assert (reject["file"], reject["line"], reject["code"]) == ("p.jsonl", 1, code) and reject["message"]


def test_a_row_gives_its_context_and_its_target(dlc_run, tmp_path):
    (tmp_path / "x.user.tsv").write_text(tsv(USER))
    rows = dlc_run("convert", "multiwoz3", "x.user.tsv", "--to", "thingtalk").rows()
    keys = ("dialogue_id", "turn", "speaker", "utterance", "part", "program", "status")
    assert [tuple(row[k] for k in keys) for row in rows] == [
        ("A1", 0, "user", "i want four stars .", "target", TOKENIZED, "exact"),
        ("A1", 2, "agent", None, "context", OFFER, "exact"),
        ("A1", 2, "user", "thanks .", "target", CLOSE, "exact"),
        ("B2", 0, "user", "four stars , please .", "target", TOKENIZED, "exact"),
    ]


def test_part_survives_dl(dlc_run, tmp_path):
    (tmp_path / "x.user.tsv").write_text(tsv(USER))
    by_dl = dlc_run("convert", "multiwoz3", "x.user.tsv", "--to", "dl").out.encode()
    rows = dlc_run("convert", "dl", "-", "--to", "thingtalk", "--syntax", "tokenized", stdin=by_dl).rows()
    assert [(row["part"], row["program"]) for row in rows] == [
        ("target", TOKENIZED),
        ("context", OFFER),
        ("target", CLOSE),
        ("target", TOKENIZED),
    ]


def test_agents_turns_stand_between_users(dlc_run, tmp_path):
    (tmp_path / "x.agent.tsv").write_text(tsv([["A1.json/1", TOKENIZED, "the acorn .", OFFER]]))
    rows = dlc_run("convert", "multiwoz3", "x.agent.tsv", "--to", "dl").rows()
    assert [(row["turn"], row["speaker"], row["part"]) for row in rows] == [
        (1, "user", "context"),
        (1, "agent", "target"),
    ]
    assert dlc_run("convert", "multiwoz3", "x.agent.tsv", "--to", "dl", "--speakers", "user").rows() == []


def damages(row: list[str], rng: random.Random) -> str:
    """One damaged row: cut, columns exchanged, a column lost, or something else in the place of one."""
    name, context, said, target = row
    kind = rng.randrange(6)
    line = "\t".join(row)
    if kind == 0:
        return line[: rng.randrange(1, len(line) - 1)]
    if kind == 1:
        return "\t".join((name, context, target, said))
    if kind == 2:
        return "\t".join((context, name, said, target))
    if kind == 3:
        return "\t".join((name, target, said, "null"))
    if kind == 4:
        return "\t".join((name, context, said))
    return "\t".join((name, context, said, json.dumps(len(said))))


def test_damaged_rows_go_aside_with_their_reasons(dlc_run, tmp_path):
    rng = random.Random(7)
    rows = [USER[i % 3] for i in range(60)]
    lines = [damages(row, rng) if i % 3 == 1 else "\t".join(row) for i, row in enumerate(rows)]
    (tmp_path / "x.user.tsv").write_text("\n".join(lines) + "\n")
    done = dlc_run("convert", "multiwoz3", "x.user.tsv", "--to", "dl", "--rejects", "r.jsonl")
    assert done.status == 1
    rejects = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert {r["line"] for r in rejects} == {i + 1 for i in range(60) if i % 3 == 1}
    assert all(r["file"] == "x.user.tsv" and r["code"] and r["message"] and r["source"] for r in rejects)
    good = [row for row in done.rows() if row["status"] != "rejected" and row["part"] == "target"]
    assert len(good) >= 40


def test_bytes_that_are_no_text_and_an_empty_file(dlc_run, tmp_path):
    (tmp_path / "x.tsv").write_bytes(b"\xff\xfe\n" + tsv(USER).encode())
    done = dlc_run("convert", "multiwoz3", "x.tsv", "--to", "dl")
    assert done.status == 1 and [r["status"] for r in done.rows()][:2] == ["rejected", "exact"]
    (tmp_path / "e.tsv").write_bytes(b"\n \n")
    assert dlc_run("convert", "multiwoz3", "e.tsv", "--to", "dl").status == 3


def test_typecheck(dlc_run, tmp_path):
    (tmp_path / "x.user.tsv").write_text(tsv(USER))
    done = dlc_run("typecheck", "--lang", "multiwoz3", "x.user.tsv")
    assert done.status == 0 and "4 turns checked, 0 with errors" in done.out


@pytest.mark.corpus
@pytest.mark.parametrize("side", ["user", "agent"])
def test_the_corpus_comes_back_and_damage_stays_where_it_is(tmp_path, side):
    root = Path(os.environ.get("DLC_CORPORA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    path = root / "multiwoz30" / f"train.{side}.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    whole = list(dlc.convert("multiwoz3", path, to="thingtalk"))
    assert [r["program"] for r in whole] == [p for row in rows for p in (row[1], row[3]) if p != "null"]
    assert {r["status"] for r in whole} == {"exact"}
    rng = random.Random(11)
    bad = set(rng.sample(range(len(rows)), len(rows) // 10))
    lines = [damages(row, rng) if i in bad else "\t".join(row) for i, row in enumerate(rows)]
    damaged = tmp_path / f"train.{side}.tsv"
    damaged.write_text("\n".join(lines) + "\n", encoding="utf-8")
    places: list[int] = []
    made = list(dlc.convert("multiwoz3", damaged, to="thingtalk", on_diagnostic=lambda d: places.append(d.place.line)))
    kept = {json.dumps(r, sort_keys=True) for r in made if r["status"] != "rejected"}
    counts = [sum(p != "null" for p in (row[1], row[3])) for row in rows]
    starts = [sum(counts[:i]) for i in range(len(rows))]
    for i in set(range(len(rows))) - bad:
        for one in whole[starts[i] : starts[i] + counts[i]]:
            assert json.dumps(one, sort_keys=True) in kept
    assert bad <= {line - 1 for line in places}


def test_a_type_error_has_its_column(dlc_run, tmp_path):
    text = '@uk.ac.cam.multiwoz.Hotel.Hotel() filter area == enum north && stars == "four";'
    (tmp_path / "x.tt").write_text(f"{text}\n")
    done = dlc_run("typecheck", "--lang", "thingtalk", "x.tt")
    assert done.status == 1 and f"line 1 · column {text.index('stars') + 1}" in done.err + done.out
    (row,) = dlc_run("convert", "thingtalk", "x.tt", "--to", "dl").rows()
    assert row["notes"][0]["span"] == [text.index("stars"), text.index("stars") + 5]
    # With values for its placeholders, the text that was read is the one that is drawn.
    tokens = "@uk.ac.cam.multiwoz.Hotel . Hotel ( ) filter area == enum north && stars == QUOTED_STRING_0 ;"
    (tmp_path / "x.jsonl").write_text(json.dumps({"program": tokens, "entities": {"QUOTED_STRING_0": "four"}}) + "\n")
    done = dlc_run("typecheck", "--lang", "thingtalk", "x.jsonl")
    assert done.status == 1 and 'stars == " four "' in done.err + done.out and "column" in done.err + done.out
