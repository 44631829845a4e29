"""Lispress at the command line: `smcalflow` and `dataflow` as sources, `dataflow` as target, harvesting."""

import json

import pytest

from dlc.compiler.schema_text import read_schema

TURNS = [
    (
        '(Yield (Event.start (FindLastEvent (Event.subject_? (?~= "choir")))))',
        "^Unit (^(DateTime) Yield :output ^DateTime (Event.start :obj ^Event (FindLastEvent :constraint ^(Constraint Event) "
        '(Event.subject_? :obj ^(Constraint String) (?~= :reference ^String "choir")))))',
        'user: Yield(FindLastEvent({ .subject ~ "choir" }).start);',
    ),
    (
        "(Yield (Execute (^(Dynamic) ConfirmAndReturnAction)))",
        "^Unit (^(Dynamic) Yield :output ^Dynamic (^(Dynamic) Execute :intension ^(CalflowIntension Dynamic) (^(Dynamic) "
        "ConfirmAndReturnAction)))",
        "user: Yield(Execute(ConfirmAndReturnAction));",
    ),
]  # fmt: skip


def dialogue(name: str = "D1", **changes: object) -> dict[str, object]:
    turns = [
        {"lispress": short, "fully_typed_lispress": full, "user_utterance": {"original_text": f"words {i}"}}
        for i, (short, full, _) in enumerate(TURNS)
    ]
    return {"dialogue_id": name, "turns": turns, **changes}


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "dialogues.jsonl"
    path.write_text("\n".join(json.dumps(dialogue(name)) for name in ("D1", "D2")) + "\n")
    return path


def test_dialogues_to_dl_and_back(dlc_run, corpus, tmp_path):
    done = dlc_run("convert", "smcalflow", str(corpus), "--to", "dl")
    rows = done.rows()
    assert done.status == 0 and done.err == ""
    assert [(r["dialogue_id"], r["turn"], r["utterance"], r["status"]) for r in rows[:2]] == [
        ("D1", 0, "words 0", "exact"),
        ("D1", 2, "words 1", "exact"),
    ]
    assert [r["program"].strip() for r in rows] == [dl for _, _, dl in TURNS] * 2
    (tmp_path / "dl.jsonl").write_text(done.out)
    back = dlc_run("convert", "dl", "dl.jsonl", "--to", "dataflow").rows()
    direct = dlc_run("convert", "smcalflow", str(corpus), "--to", "dataflow").rows()
    assert [r["program"] for r in back] == [r["program"] for r in direct] == [short for short, _, _ in TURNS] * 2
    assert {r["status"] for r in back + direct} == {"exact"}


@pytest.mark.parametrize("lang", ["smcalflow", "dataflow"])
def test_typed_text(dlc_run, corpus, lang):
    lines = "\n".join(short for short, _, _ in TURNS)
    stdin = corpus.read_bytes() if lang == "smcalflow" else lines.encode()
    done = dlc_run("typecheck", "-", "--lang", lang, "--typed", "--format", "json", stdin=stdin)
    rows = done.rows()
    assert done.status == 0
    assert [r["typed"] for r in rows[:2]] == [full for _, full, _ in TURNS]
    assert all(r["ok"] and r["type"] == "Unit" and r["diagnostics"] == [] for r in rows)


def test_unknown_functions_are_told_and_kept(dlc_run, tmp_path):
    text = '(Yield (FindLostEvent (Event.subject_? (?~= "choir"))))'
    (tmp_path / "p.lispress").write_text(text + "\n")
    checked = dlc_run("typecheck", "p.lispress", "--lang", "dataflow", "--typed")
    assert checked.status == 1
    assert (
        "DLC283" in checked.out and "p.lispress · line 1 · column 9" in checked.out and "FindLastEvent" in checked.out
    )
    assert "(FindLostEvent ^(Constraint Event) (Event.subject_? :obj" in checked.out
    (tmp_path / "p.dl.jsonl").write_text(dlc_run("convert", "dataflow", "p.lispress", "--to", "dl").out)
    back = dlc_run("convert", "dl", "p.dl.jsonl", "--to", "dataflow")
    (row,) = back.rows()
    assert (row["program"], row["status"]) == (text, "exact")
    assert any("FindLostEvent" in note["message"] for note in row["notes"])


def test_bad_rows_cost_themselves(dlc_run, tmp_path):
    lines = [
        json.dumps(dialogue("good")),
        json.dumps(dialogue("no turns", turns=None)),
        json.dumps(dialogue("odd turns", turns=[3, {}, {"lispress": "((("}, {"lispress": "(Today)"}])),
        json.dumps([1]),
        "{",
        json.dumps(dialogue("half", turns=[{"lispress": "(Today)", "user_utterance": {"original_text": "\ud800"}}])),
    ]
    (tmp_path / "bad.jsonl").write_text("\n".join(lines))
    done = dlc_run("convert", "smcalflow", "bad.jsonl", "--to", "dl")
    rows = done.rows()
    assert done.status == 1
    assert [r["status"] for r in rows] == ["exact"] * 2 + ["rejected"] * 4 + ["exact"] + ["rejected"] * 3
    assert rows[6]["program"] == "user: Today;"
    assert all(r["notes"] for r in rows if r["status"] == "rejected")
    checked = dlc_run("typecheck", "bad.jsonl", "--lang", "smcalflow", "--format", "json")
    assert checked.status == 1
    assert [r["ok"] for r in checked.rows()] == [r["status"] == "exact" for r in rows]


def test_dl_is_not_written_deeper_than_it_is_read(dlc_run, tmp_path):
    texts = ["(Yield " * depth + "(Today)" + ")" * depth for depth in (90, 110, 150, 200, 300)]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"program": text}) for text in texts) + "\n")
    done = dlc_run("convert", "dataflow", "rows.jsonl", "--to", "dl")
    rows = done.rows()
    assert done.status == 1
    assert [row["status"] for row in rows] == ["exact", *["rejected"] * 4]
    assert [row["notes"][0]["code"] for row in rows[1:]] == ["DLC005", "DLC281", "DLC281", "DLC280"]
    (tmp_path / "dl.jsonl").write_text(json.dumps(rows[0]) + "\n")
    assert dlc_run("convert", "dl", "dl.jsonl", "--to", "dataflow").rows()[0]["program"] == texts[0]


def test_a_schema_is_harvested(dlc_run, corpus, tmp_path):
    done = dlc_run("schema", "harvest", "smcalflow", str(corpus), "-o", "small.dl")
    assert (done.status, done.out, done.err) == (0, "", "")
    schema = read_schema((tmp_path / "small.dl").read_text())
    assert schema.name == "small"
    assert {f.name for f in schema.functions} == {"Yield", "FindLastEvent", "?~=", "Execute", "ConfirmAndReturnAction"}
    typed = dlc_run(
        "typecheck", str(corpus), "--lang", "smcalflow", "--schema", "small.dl", "--typed", "--format", "json"
    )
    assert [r["typed"] for r in typed.rows()] == [full for _, full, _ in TURNS] * 2


def test_harvesting_tells_what_it_cannot_learn_from(dlc_run, tmp_path):
    broken = dialogue("D", turns=[{"lispress": "(F)", "fully_typed_lispress": "^A (F"}, {"lispress": "(F)"}])
    (tmp_path / "d.jsonl").write_text(json.dumps(dialogue()) + "\n" + json.dumps(broken) + "\n{\n")
    done = dlc_run("schema", "harvest", "smcalflow", "d.jsonl")
    assert done.status == 1
    assert "fun Yield[T](output: T) -> Unit" in done.out.splitlines()
    assert all(code in done.err for code in ("DLC280", "DLC289"))
    assert dlc_run("schema", "harvest", "smcalflow", "none.jsonl").status == 3
