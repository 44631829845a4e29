"""`dlc eval slots` over states of services, and over programs that say states."""

import json

import pytest
from boats import BOATS
from json_rows import lines, row


def tables(done):
    assert done.status == 0, done.err
    return [{next(iter(r.values())): r for r in section["rows"]} for section in json.loads(done.out)["sections"]]


def boats(slots, intent="FindBoat", requested=()):
    return {"Boats_1": {"slots": slots, "intent": intent, "requested": list(requested)}}


@pytest.fixture
def schema(tmp_path):
    (tmp_path / "schema.json").write_text(json.dumps([BOATS]))
    return "schema.json"


GOLD = [
    row(boats({"harbour": ["Ely", "the city of Ely"], "seats": ["2"]})),
    row(boats({"harbour": ["Ely"]}, "HireBoat", ["phone", "start"]), turn=2),
    row(boats({}, "NONE"), "D2"),
]


def test_services(dlc_run, tmp_path, schema):
    gold = lines(tmp_path / "gold.jsonl", GOLD)
    args = ("eval", "slots", "--gold", gold, "--schema", schema, "--format", "json")
    frames, services = tables(dlc_run(*args, "--pred", gold))
    assert frames["sgd"] == {
        "variant": "sgd", "joint goal": 1.0, "average goal": 1.0, "active intent": 1.0, "requested F1": 1.0,
    }  # fmt: skip
    assert services["Boats_1"]["frames"] == 3
    answers = [
        row(boats({"harbour": ["Ely the city"], "seats": ["2"]})),
        row(boats({"harbour": ["Ely"]}, "FindBoat", ["phone"]), turn=2),
        row(boats({"seats": ["dontcare"]}, "NONE"), "D2"),
    ]
    pred = lines(tmp_path / "pred.jsonl", answers)
    frames, services, turns = tables(dlc_run(*args, "--pred", pred, "--variant", "all"))
    # "Ely the city" has 12 of the 12 and 15 characters of "Ely city of the" in common, which makes 0.89.
    assert frames["sgd"]["joint goal"] == pytest.approx((0.89 + 1 + 0) / 3) == services["Boats_1"]["joint goal"]
    assert frames["sgd"]["average goal"] == pytest.approx(((0.89 + 1) / 2 + 1) / 2)
    assert frames["sgd"]["active intent"] == pytest.approx(2 / 3)
    assert frames["sgd"]["requested F1"] == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert frames["sgd-exact"]["joint goal"] == frames["sgd-multiwoz"]["joint goal"] == pytest.approx(1 / 3)
    # The variants over turns say what becomes of `dontcare`.
    assert turns["trade"]["joint goal"] == pytest.approx(1 / 3)
    assert turns["ignore-none-dontcare"]["joint goal"] == pytest.approx(2 / 3)


def test_frames_that_one_side_only_has(dlc_run, tmp_path, schema):
    gold = lines(tmp_path / "gold.jsonl", GOLD)
    pred = lines(
        tmp_path / "pred.jsonl", [row({"Moons_1": {"slots": {"phase": ["full"]}}}), row({}, turn=2), row(None, "D2")]
    )
    args = ("eval", "slots", "--gold", gold, "--pred", pred, "--schema", schema, "--format", "json")
    frames, services = tables(dlc_run(*args))
    # Only the frame that says nothing is right, and what is said of another service does not count.
    assert frames["sgd"]["joint goal"] == pytest.approx(1 / 3) and list(services) == ["Boats_1"]


def test_states_of_services_in_dl(dlc_run, tmp_path, schema):
    gold = lines(tmp_path / "gold.jsonl", GOLD)
    assert dlc_run("convert", "slots", gold, "--schema", schema, "--to", "dl", "-o", "gold.dl.jsonl").status == 0
    args = ("eval", "slots", "--schema", schema, "--format", "json", "--variant", "all")
    same = dlc_run(*args, "--gold", gold, "--pred", "gold.dl.jsonl")
    assert same.err == "" and tables(same)[0]["sgd-multiwoz"]["joint goal"] == 1.0
    assert tables(dlc_run(*args, "--gold", "gold.dl.jsonl", "--pred", gold))[0]["sgd"]["requested F1"] == 1.0


BROKEN = [
    {"Boats_1": {"slots": {"harbour": "Ely"}}},
    {"Boats_1": {"slots": {"harbour": [3]}}},
    {"Boats_1": {"slots": []}},
    {"Boats_1": {"intent": 3}},
    {"Boats_1": {"requested": "phone"}},
    {"Boats_1": {"semi": {}}},
    {"Boats_1": ["harbour"]},
    [1],
]
UNUSABLE = [
    boats({"moons": ["Ely"]}),
    boats({}, requested=["moons"]),
    {"Moons_1": {}},
    None,
    "user: Boats_1_FindBoat | where .moons = 1;",
    "user: Boats_1_FindBoat | whe",
]


@pytest.mark.parametrize(("programs", "code"), [(BROKEN, "DLC361"), (UNUSABLE, "DLC367")])
def test_gold_that_is_no_state_of_services(dlc_run, tmp_path, schema, programs, code):
    answers = lines(tmp_path / "pred.jsonl", [row({}, turn=i) for i in range(len(programs))])
    gold = lines(tmp_path / "gold.jsonl", [row(program, turn=i) for i, program in enumerate(programs)])
    done = dlc_run("eval", "slots", "--gold", gold, "--pred", answers, "--schema", schema)
    assert (done.status, done.out) == (1, ""), done.err
    assert done.err.count(code) == len(programs) and "Traceback" not in done.err
    assert all(f"D1 · turn {i} · line {i + 1}" in done.err for i in range(len(programs)))
    # The same as predictions: what is no JSON state is broken, what a system may say wrongly is wrong.
    known = lines(tmp_path / "known.jsonl", [row(boats({"harbour": ["Ely"]}), turn=i) for i in range(len(programs))])
    done = dlc_run("eval", "slots", "--gold", known, "--pred", gold, "--schema", schema)
    assert done.status == (1 if code == "DLC361" else 0), done.err
    assert done.err.count("DLC382") == sum(isinstance(program, str) for program in programs)


def test_states_of_services_need_their_schema(dlc_run, tmp_path, schema):
    gold = lines(tmp_path / "gold.jsonl", GOLD)
    done = dlc_run("eval", "slots", "--gold", gold, "--pred", gold)
    assert done.status == 1 and "DLC375" in done.err and "schema.json" in done.err
    assert dlc_run("eval", "slots", "--gold", gold, "--pred", gold, "--variant", "sgd").status == 2
    (tmp_path / "bad.json").write_text('[{"service_name": 3}]')
    done = dlc_run("eval", "slots", "--gold", gold, "--pred", gold, "--schema", "bad.json")
    assert done.status != 0 and done.out == "" and "Traceback" not in done.err
    # The other way round: MultiWOZ's states have no frames.
    state = lines(tmp_path / "mwoz.jsonl", [row({"hotel": {"semi": {"area": "north"}}})])
    done = dlc_run("eval", "slots", "--gold", state, "--pred", state, "--schema", "multiwoz", "--variant", "sgd")
    assert done.status == 1 and "DLC375" in done.err


def test_a_corpus_is_converted_first(dlc_run, tmp_path, schema):
    gold = lines(tmp_path / "gold.jsonl", GOLD)
    for name, text in (("sgd.json", '[\n {"dialogue_id": "1"}]'), ("mwoz.json", '{\n "A.json": {"log": []}}')):
        (tmp_path / name).write_text(text)
        done = dlc_run("eval", "slots", "--gold", gold, "--pred", name, "--schema", schema)
        assert (done.status, done.out) == (3, "") and "DLC360" in done.err and "dlc convert" in done.err


# ---------------------------------------------------------------- programs that say states of domains


@pytest.mark.parametrize("language", ["dl", "thingtalk"])
def test_programs_of_converts_own_output(dlc_run, language):
    assert dlc_run("convert", "multiwoz", "--to", "slots", "-o", "gold.jsonl").status == 0
    assert dlc_run("convert", "multiwoz", "--to", language, "-o", "pred.jsonl").status == 0
    done = dlc_run("eval", "slots", "--gold", "gold.jsonl", "--pred", "pred.jsonl", "--format", "json")
    figures = tables(done)[0]["trade"]
    # The invented corpus is full of values that ThingTalk has no place for, and that are named when it is converted.
    assert figures["joint goal"] == 1.0 if language == "dl" else 0.6 < figures["joint goal"] < 1.0


def test_programs_that_are_no_states(dlc_run, tmp_path):
    gold = lines(tmp_path / "gold.jsonl", [row({"hotel": {"semi": {"area": "north"}}}, turn=i) for i in range(3)])
    answers = [
        row("user: Hotel | where .area = north;"),
        row("user: Hotel | whe", turn=1),
        row("x", turn=2, lang="klingon"),
    ]
    pred = lines(tmp_path / "pred.jsonl", answers[:2] + [row("user: Hotel | sort by .stars;", turn=2)])
    done = dlc_run("eval", "slots", "--gold", gold, "--pred", pred, "--format", "json")
    assert tables(done)[0]["trade"]["joint goal"] == pytest.approx(1 / 3)
    assert "DLC382" in done.err and "line 2" in done.err and "warning" in done.err
    done = dlc_run("eval", "slots", "--gold", gold, "--pred", lines(tmp_path / "pred.jsonl", answers))
    assert done.status == 1 and "klingon" not in done.out and "DLC361" in done.err and "line 3" in done.err
