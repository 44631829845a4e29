"""`dlc convert sgd`: the three files of the corpus there and back, to the ThingTalk reference, and damaged."""

import copy
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from boats import dialogue, services, states

import dlc
from dlc.grammar.diagnostic import Diagnostic
from dlc.targets.slots.requests import flat_text, texts_of


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release: two dialogues, and the schema beside them."""
    write(tmp_path / "schema.json", services())
    write(tmp_path / "dialogues_001.json", [dialogue("7_00001"), dialogue("7_00002")])
    return tmp_path


# ---------------------------------------------------------------- the command


def test_states_requests_and_intents_come_back_in_a_new_process(dlc_run, folder):
    assert dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dl", "-o", "out.jsonl").status == 0
    done = dlc_run("convert", "dl", "out.jsonl", "--schema", "schema.json", "--to", "slots")
    assert done.status == 0
    rows = {(row["dialogue_id"], row["turn"]): row["program"] for row in done.rows()}
    assert rows == {(n, k): s for n in ("7_00001", "7_00002") for k, s in states(dialogue()).items()}


def test_sql_has_values_as_the_corpus_does(dlc_run, folder):
    state = {"Boats_1": {"slots": {"seats": ["4 or more"], "harbour": ["Ely"]}, "intent": "FindBoat", "requested": []}}
    (folder / "x.jsonl").write_text(json.dumps({"program": state}) + "\n")
    (row,) = dlc_run("convert", "slots", "x.jsonl", "--schema", "schema.json", "--to", "sql").rows()
    assert "seats = '4 or more'" in row["program"] and row["status"] == "exact"
    (folder / "x.sql").write_text(row["program"] + "\n")
    (back,) = dlc_run("convert", "sql", "x.sql", "--schema", "schema.json", "--to", "slots").rows()
    assert back["program"] == state


def slots_only(state: dict[str, Any]) -> dict[str, Any]:
    """The slots of the services that have some, whatever the intent."""
    return {name: held["slots"] for name, held in (state or {}).items() if held["slots"]}


def test_slots_are_programs_of_the_recipe_and_come_back_by_running_them(dlc_run, folder):
    done = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dataflow", "-o", "flow.jsonl")
    rows = [json.loads(line) for line in (folder / "flow.jsonl").read_text().splitlines()]
    assert done.status == 0 and rows[0]["program"] == (
        '(find (Constraint[Boats_1] :harbour (?= "Ely") :seats (?= "dontcare")))'
    )
    assert "|the city of Ely" in rows[2]["program"] and "ReviseConstraint" in rows[2]["program"]
    assert {row["status"] for row in rows if row["notes"][0]["code"] == "DLC294"} == {"approximate"}
    assert rows[1]["notes"][0]["message"] == "the recipe says slots only, not FindBoat, phone, sails of Boats_1"
    back = dlc_run("convert", "dataflow", "flow.jsonl", "--schema", "schema.json", "--to", "slots").rows()
    gold = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "slots").rows()
    assert [slots_only(row["program"]) for row in back] == [slots_only(row["program"]) for row in gold]
    assert {held["intent"] for row in back for held in row["program"].values()} == {"NONE"}


def test_what_services_do_not_have_is_told_and_the_rest_kept(dlc_run, folder):
    programs = [
        '(find (Constraint[Boats_1] :harbour (?= "Ely") :oars (?= "2")))',
        '(find (Constraint[Cars_1] :x (?= "2")))',
    ]
    lines = [json.dumps({"dialogue_id": "d", "turn": 2 * k, "program": text}) for k, text in enumerate(programs)]
    (folder / "flow.jsonl").write_text("\n".join(lines) + "\n")
    rows = dlc_run("convert", "dataflow", "flow.jsonl", "--schema", "schema.json", "--to", "slots").rows()
    assert [slots_only(row["program"]) for row in rows] == [{"Boats_1": {"harbour": ["Ely"]}}] * 2
    assert [[note["code"] for note in row["notes"]] for row in rows] == [["DLC301"], ["DLC301"] * 2]
    assert {row["status"] for row in rows} == {"approximate"}


@pytest.mark.parametrize("texts", [("a",), ("a", "b"), ("a|b", "c"), ("a\\",), ("", "x"), ("\\|", "|")])
def test_ways_to_say_a_value_are_one_text(texts: tuple[str, ...]) -> None:
    assert texts_of(flat_text(texts)) == texts


def test_spans_are_kept_as_provenance(dlc_run, folder):
    row = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "slots").rows()[0]
    assert row["provenance"] == {
        "spans": [{"domain": "Boats_1", "slot": "harbour", "start": 10, "exclusive_end": 13, "value": "Ely"}]
    }


def test_spans_stay_with_rows_of_dl(dlc_run, folder):
    dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dl", "-o", "out.jsonl")
    rows = dlc_run("convert", "dl", "out.jsonl", "--schema", "schema.json", "--to", "thingtalk").rows()
    assert [row.get("provenance") for row in rows] == [
        row.get("provenance") for row in dlc_run("convert", "sgd", "dialogues_001.json", "--to", "thingtalk").rows()
    ]
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    for odd in ("spans", {"spans": 3}, {"spans": [{"domain": 1}, "x"]}):
        (folder / "odd.jsonl").write_text(json.dumps({**lines[0], "provenance": odd}))
        (row,) = dlc_run("convert", "dl", "odd.jsonl", "--schema", "schema.json", "--to", "dl").rows()
        assert row["program"] == lines[0]["program"] and "provenance" not in row


def test_a_folder_a_gz_and_standard_input_give_the_same(dlc_run, folder):
    one = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dl")
    text = (folder / "dialogues_001.json").read_bytes()
    piped = dlc_run("convert", "sgd", "-", "--schema", "schema.json", "--to", "dl", stdin=text)
    (folder / "dialogues_001.json").unlink()
    with gzip.open(folder / "dialogues_001.json.gz", "wb") as file:
        file.write(text)
    whole = dlc_run("convert", "sgd", ".", "--to", "dl", "--jobs", "2")
    assert one.status == piped.status == whole.status == 0
    assert one.out == piped.out == whole.out and not whole.err


def test_a_schema_is_read_by_its_content_and_shown(dlc_run, folder):
    done = dlc_run("schema", "show", "schema.json", "--as", "thingtalk")
    assert done.status == 0 and "class @org.dlc.sgd.Boats_1" in done.out and "list query FindBoat(" in done.out
    assert dlc_run("schema", "import", "schema.json", "-o", "boats.dl").status == 0
    by_dl = dlc_run("convert", "sgd", "dialogues_001.json", "--schema", "boats.dl", "--to", "thingtalk")
    assert by_dl.out == dlc_run("convert", "sgd", "dialogues_001.json", "--to", "thingtalk").out


def test_without_a_schema_nothing_is_guessed(dlc_run, folder):
    (folder / "schema.json").rename(folder / "other")
    done = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dl")
    assert done.status in (1, 3) and "error[DLC364]" in done.err and done.out == ""


def test_a_schema_of_another_kind(dlc_run, folder):
    done = dlc_run("convert", "sgd", "dialogues_001.json", "--schema", "multiwoz", "--to", "dl")
    assert done.status in (1, 3) and "error[DLC375]" in done.err and done.out == ""


def test_a_schema_is_no_file_of_dialogues(dlc_run, folder):
    done = dlc_run("convert", "sgd", "schema.json", "--to", "dl")
    assert done.status == 3 and "error[DLC360]" in done.err
    write(folder / "schema.json", [{**services()[0], "intents": 3}])
    done = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dl")
    assert done.status in (1, 3) and "error[DLC308]" in done.err and "schema.json" in done.err


def test_a_rejected_turn_names_file_dialogue_turn_and_line(dlc_run, folder):
    broken = dialogue()
    broken["turns"][2]["frames"][0]["service"] = "Boats_9"
    write(folder / "dialogues_001.json", [dialogue("7_00000"), broken])
    done = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dl", "--rejects", "rejects.jsonl")
    assert done.status == 1 and "error[DLC304]" in done.err and "7_00001 · turn 2" in done.err
    (reject,) = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    assert (reject["file"], reject["dialogue_id"], reject["turn"]) == ("dialogues_001.json", "7_00001", 2)
    assert reject["code"] == "DLC304" and "Boats_9" in reject["message"] and reject["line"] > 1
    assert reject["source"] == broken["turns"][2]


@pytest.mark.parametrize("value", [None, "7_00001", 7, [], {}, {"turns": []}, {"dialogue_id": 3}])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_dialogue_that_is_none_costs_no_other(folder, value, at):
    dialogues = [dialogue("7_00000"), dialogue("7_00001")]
    dialogues.insert(at, value)
    rows = list(dlc.convert("sgd", write(folder / "dialogues_001.json", dialogues), to="slots"))
    assert [row["status"] for row in rows].count("rejected") == 1
    assert rows[6 * at]["status"] == "rejected" and rows[6 * at]["notes"][0]["code"] == "DLC304"
    assert [r["program"] for r in rows if r["status"] != "rejected"] == [*states(dialogue()).values()] * 2


# ---------------------------------------------------------------- broken syntax


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_reading_goes_on_at_the_next_dialogue_after_broken_syntax(folder, at, indent):
    texts = [json.dumps(dialogue(f"7_0000{i}"), indent=indent) for i in range(3)]
    whole = [row["program"] for row in dlc.convert("sgd", folder / "dialogues_001.json", to="dl")][:6]
    before = "[" + "".join(text + ",\n" for text in texts[:at])
    for cut in (3, 30, 33, 200, 900, 1500, len(texts[at]) - 1):
        path = folder / "dialogues_001.json"
        path.write_text(before + ",\n".join([texts[at][:cut], *texts[at + 1 :]]) + "\n]", encoding="utf-8")
        told: list[Diagnostic] = []
        rows = list(dlc.convert("sgd", path, to="dl", on_diagnostic=told.append))
        assert [row["program"] for row in rows if row["status"] != "rejected"] == [*whole, *whole]
        assert [row["dialogue_id"] for row in rows if row["status"] == "rejected"] == [
            f"7_0000{at}" if f'"7_0000{at}"' in texts[at][:cut] else None
        ]
        (broken,) = [d for d in told if d.severity == "error"]
        assert broken.code == "DLC355"
        assert broken.place.line == before.count("\n") + 1


def test_a_dialogue_of_broken_syntax_is_among_the_rejects(dlc_run, folder):
    texts = [json.dumps(dialogue(f"7_0000{i}"), indent=2) for i in range(3)]
    (folder / "dialogues_001.json").write_text(f"[{texts[0]},\n{texts[1][:999]},\n{texts[2]}]", encoding="utf-8")
    done = dlc_run("convert", "sgd", "dialogues_001.json", "--to", "dl", "-o", "out.jsonl", "--rejects", "r.jsonl")
    assert done.status == 1 and (folder / "out.jsonl").exists()
    (reject,) = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
    assert reject["dialogue_id"] == "7_00001" and reject["code"] == "DLC355"
    assert reject["source"].startswith(texts[1][:999]) and texts[2][:99] not in reject["source"]
    assert reject["line"] == texts[0].count("\n") + 2


def test_a_file_that_ends_too_early_is_no_whole_file(dlc_run, folder):
    path = folder / "dialogues_001.json"
    path.write_text(path.read_text()[:-200])
    done = dlc_run("convert", "sgd", path.name, "--to", "dl", "-o", "out.jsonl")
    assert done.status == 3 and "error[DLC356]" in done.err and not (folder / "out.jsonl").exists()


# ---------------------------------------------------------------- the corpus

FILES = ("train.dialogues_001.json.gz", "train.dialogues_004.json.gz", "train.dialogues_034.json.gz")


def loaded(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path) as file:
        value: list[dict[str, Any]] = json.load(file)
    return value


@pytest.mark.corpus
@pytest.mark.parametrize("name", FILES)
def test_the_corpus_comes_back_in_a_new_process(dlc_run, corpora, tmp_path, name):
    source, schema = corpora / "sgd" / name, str(corpora / "sgd" / "train.schema.json")
    assert dlc_run("convert", "sgd", str(source), "--to", "dl", "-o", "out.jsonl").status == 0
    done = dlc_run("convert", "dl", "out.jsonl", "--schema", schema, "--to", "slots")
    expected = {(d["dialogue_id"], turn): state for d in loaded(source) for turn, state in states(d).items()}
    found = {(row["dialogue_id"], row["turn"]): row["program"] for row in done.rows()}
    assert found == expected and len(expected) > 1000
    assert {row["status"] for row in done.rows()} == {"exact"}


@pytest.mark.corpus
def test_slots_come_back_by_running_the_recipes_programs(corpora: Path, tmp_path: Path) -> None:
    files = [corpora / "sgd" / name for name in FILES]
    schema = str(corpora / "sgd" / "train.schema.json")
    programs = list(dlc.convert("sgd", *files, to="dataflow", schema=schema))
    (tmp_path / "flow.jsonl").write_text("\n".join(map(json.dumps, programs)))
    back = list(dlc.convert("dataflow", tmp_path / "flow.jsonl", to="slots", schema=schema))
    gold = [state for file in files for d in loaded(file) for state in states(d).values()]
    assert [slots_only(row["program"]) for row in back] == [slots_only(state) for state in gold]
    assert {row["status"] for row in back} == {"exact"} and len(back) > 3000
    assert {n["code"] for row in programs for n in row["notes"]} == {"DLC292", "DLC294"}
    # The way through DL text gives the same programs.
    (tmp_path / "dl.jsonl").write_text("\n".join(map(json.dumps, dlc.convert("sgd", files[0], to="dl", schema=schema))))
    through = list(dlc.convert("dl", tmp_path / "dl.jsonl", to="dataflow", schema=schema))
    assert [row["program"] for row in through] == [row["program"] for row in programs[: len(through)]]


@pytest.mark.corpus
@pytest.mark.oracle
def test_thingtalk_is_accepted_and_gives_the_states_back(dlc_run, corpora, tmp_path, oracle_judge):
    schema = str(corpora / "sgd" / "train.schema.json")
    assert dlc_run("schema", "show", schema, "--as", "thingtalk", "-o", "sgd.tt").status == 0
    sources = [str(corpora / "sgd" / name) for name in FILES]
    done = dlc_run("convert", "sgd", *sources, "--to", "thingtalk", "--speakers", "both", "-o", "sgd.tt.jsonl")
    assert done.status == 0
    rows = [json.loads(line) for line in (tmp_path / "sgd.tt.jsonl").read_text().splitlines()]
    programs = list(dict.fromkeys(row["program"] for row in rows))
    assert len(rows) > 6900 and all(programs)
    refused = [a for a in oracle_judge(programs, tmp_path / "sgd.tt") if not a["typecheck"]]
    assert not refused, refused[:3]
    exact = {(row["dialogue_id"], row["turn"]) for row in rows if row["speaker"] == "user" and row["status"] == "exact"}
    expected = {
        (d["dialogue_id"], turn): state
        for name in FILES
        for d in loaded(corpora / "sgd" / name)
        for turn, state in states(d).items()
    }
    assert exact == set(expected)
    back = dlc_run("convert", "thingtalk", "sgd.tt.jsonl", "--schema", schema, "--to", "slots", "--speakers", "user")
    wrong = [
        row
        for row in back.rows()
        if (key := (row["dialogue_id"], row["turn"])) in exact and row["program"] != expected[key]
    ]
    assert not wrong, wrong[:2]


def _damage(turn: dict[str, Any], chance: random.Random) -> Any:
    """A turn cut, with two fields swapped, or with a value of another type."""
    broken = copy.deepcopy(turn)
    frame = chance.choice(broken["frames"])
    state = frame.get("state", {})
    kind = chance.randrange(8)
    if kind == 0:
        del broken[chance.choice(["speaker", "utterance", "frames"])]
    elif kind == 1:
        del frame[chance.choice(["actions", "service", "slots"])]
    elif kind == 2:
        broken["speaker"], broken["utterance"] = broken["utterance"], broken["speaker"]
    elif kind == 3:
        frame["service"], frame["actions"] = frame["actions"], frame["service"]
    elif kind == 4:
        broken["frames"] = chance.choice([None, "frames", 3, {"0": frame}, [7]])
    elif kind == 5 and state:
        state["slot_values"] = chance.choice([None, [], "slot_values", {"x": ["y"]}, {"x": 3}])
    elif kind == 6 and state:
        state["active_intent"], state["requested_slots"] = state["requested_slots"], state["active_intent"]
    else:
        return json.dumps(broken)[:50]
    return broken


@pytest.mark.corpus
@pytest.mark.parametrize("name", FILES)
def test_every_tenth_row_damaged_costs_only_itself(dlc_run, corpora, tmp_path, name):
    chance = random.Random(name)
    dialogues = loaded(corpora / "sgd" / name)[:40]
    schema = str(corpora / "sgd" / "train.schema.json")
    write(tmp_path / "whole.json", dialogues)
    flags = ("--schema", schema, "--to", "dl", "--speakers", "both")
    whole = {(r["dialogue_id"], r["turn"]): r for r in dlc_run("convert", "sgd", "whole.json", *flags).rows()}
    places = [(i, k) for i, d in enumerate(dialogues) for k in range(len(d["turns"]))]
    chosen = chance.sample(places, len(places) // 10)
    for i, k in chosen:
        dialogues[i]["turns"][k] = _damage(dialogues[i]["turns"][k], chance)
    write(tmp_path / "damaged.json", dialogues)
    done = dlc_run("convert", "sgd", "damaged.json", *flags, "--rejects", "rejects.jsonl")
    assert done.status == 1
    bad = {(dialogues[i]["dialogue_id"], k) for i, k in chosen}
    rows = {(r["dialogue_id"], r["turn"]): r for r in done.rows()}
    assert rows.keys() == whole.keys()
    assert all(rows[key] == row for key, row in whole.items() if key not in bad)
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert {(r["dialogue_id"], r["turn"]) for r in rejects} == bad and len(rejects) == len(bad)
    assert all(r["code"] == "DLC304" and r["message"] and r["source"] is not None for r in rejects)


@pytest.mark.corpus
def test_every_tenth_dialogue_cut_in_the_text_costs_only_itself(dlc_run, corpora, tmp_path):
    chance = random.Random(7)
    dialogues = loaded(corpora / "sgd" / FILES[0])[:60]
    schema = str(corpora / "sgd" / "train.schema.json")
    chosen = set(chance.sample(range(60), 6))
    texts = [json.dumps(d, indent=2) for d in dialogues]
    texts = [t[: chance.randrange(40, len(t) - 1)] if i in chosen else t for i, t in enumerate(texts)]
    (tmp_path / "cut.json").write_text("[\n" + ",\n".join(texts) + "\n]", encoding="utf-8")
    done = dlc_run("convert", "sgd", "cut.json", "--schema", schema, "--to", "slots", "--rejects", "rejects.jsonl")
    assert done.status == 1
    found = {(r["dialogue_id"], r["turn"]): r["program"] for r in done.rows() if r["status"] != "rejected"}
    assert found == {
        (d["dialogue_id"], turn): state
        for i, d in enumerate(dialogues)
        if i not in chosen
        for turn, state in states(d).items()
    }
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [r["dialogue_id"] for r in rejects] == [d["dialogue_id"] for i, d in enumerate(dialogues) if i in chosen]
