"""`dlc eval --against`: two systems on the same gold, each figure with its tests worked out by hand."""

import json
import sqlite3

import pytest
from json_rows import lines, row

HEAD = "$dialogue @org.thingpedia.dialogue.transaction.execute; @uk.ac.cam.multiwoz.Hotel.Hotel() filter "


def compared(done):
    assert done.status == 0, done.err
    last = json.loads(done.out)["sections"][-1]
    assert last["title"].startswith("pred against")
    return {r["figure"]: r for r in last["rows"]}


def files(tmp_path, right, wrong):
    """Six dialogues of one turn. pred has five right, the other one none of those and the sixth."""
    gold = lines(tmp_path / "gold.jsonl", [row(right, f"D{i}") for i in range(6)])
    pred = lines(tmp_path / "pred.jsonl", [row(right if i < 5 else wrong, f"D{i}") for i in range(6)])
    other = lines(tmp_path / "other.jsonl", [row(wrong if i < 5 else right, f"D{i}") for i in range(6)])
    return "--gold", gold, "--pred", pred, "--against", other, "--format", "json"


CASES = {
    "slots": ({"hotel": {"semi": {"area": "north"}}}, {"hotel": {"semi": {"area": "south"}}}, "trade: joint goal"),
    "thingtalk": (f"{HEAD}stars == 4;", f"{HEAD}stars == 5;", "exact, turn by turn"),
    "dataflow": ("(Yield 1)", "(Yield 2)", "dataflow, all turns: token"),
    "acts": ("user AFFIRM:", "user NEGATE:", "accuracy"),
}


@pytest.mark.parametrize("metric", sorted(CASES))
def test_five_against_one(dlc_run, tmp_path, metric):
    right, wrong, name = CASES[metric]
    found = compared(dlc_run("eval", metric, *files(tmp_path, right, wrong)))[name]
    # Of six discordant items five are on one side: 2 * (C(6,0) + C(6,1)) / 2^6, by both tests.
    assert found == {
        "figure": name, "items": 6, "pred": pytest.approx(5 / 6), "against": pytest.approx(1 / 6),
        "difference": pytest.approx(4 / 6), "only pred right": 5, "only against right": 1,
        "McNemar p": 14 / 64, "permutation p": 14 / 64, "assignments": "all",
    }  # fmt: skip


def test_sql_against(dlc_run, tmp_path):
    folder = tmp_path / "db" / "zoo"
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "zoo.sqlite") as connection:
        connection.execute("CREATE TABLE animal (id, name, age)")
        connection.execute("INSERT INTO animal VALUES (1, 'ape', 2)")
    connection.close()
    right, wrong = "SELECT name FROM animal", "SELECT age FROM animal"
    (tmp_path / "gold.txt").write_text(f"{right}\tzoo\n{right}\tzoo\n\n{right}\tzoo\n")
    (tmp_path / "pred.txt").write_text(f"{right}\n{right}\n\n{right}\n")
    (tmp_path / "other.txt").write_text(f"{wrong}\n{right}\n\n{wrong}\n")
    args = ("--gold", "gold.txt", "--pred", "pred.txt", "--against", "other.txt", "--db", "db", "--format", "json")
    found = compared(dlc_run("eval", "sql", *args))
    for name in ("exact set match", "execution"):
        assert (found[f"{name}, question"]["items"], found[f"{name}, question"]["only pred right"]) == (3, 2)
        assert found[f"{name}, question"]["McNemar p"] == found[f"{name}, interaction"]["McNemar p"] == 0.5


def test_turns_of_one_dialogue_are_exchanged_together(dlc_run, tmp_path):
    right, wrong, name = CASES["slots"]
    gold = lines(tmp_path / "gold.jsonl", [row(right, turn=2 * i) for i in range(10)])
    pred = lines(tmp_path / "pred.jsonl", [row(wrong, turn=2 * i) for i in range(10)])
    args = ("eval", "slots", "--gold", gold, "--pred", gold, "--against", pred, "--format", "json")
    found = compared(dlc_run(*args))
    # Ten turns of one dialogue: ten items for McNemar's test, but a single one to exchange.
    assert found[name]["McNemar p"] == 2 / 2**10 and found[name]["permutation p"] == 1.0
    prefix = found["trade: joint goal, prefix length"]
    assert (prefix["pred"], prefix["against"], prefix["McNemar p"]) == (10.0, 0.0, None)
    # Nothing sets a system apart from itself.
    same = compared(dlc_run(*args[:-3], gold, "--format", "json"))
    assert {(r["difference"], r["permutation p"]) for r in same.values()} == {(0.0, 1.0)}


def test_services_against(dlc_run, tmp_path):
    from boats import BOATS

    (tmp_path / "schema.json").write_text(json.dumps([BOATS]))

    def state(value):
        return {"Boats_1": {"slots": {"harbour": [value]}, "intent": "FindBoat", "requested": []}}

    args = ("eval", "slots", "--schema", "schema.json", *files(tmp_path, state("Ely"), state("Elyy")))
    found = compared(dlc_run(*args, "--variant", "all"))
    assert found["sgd-exact: joint goal"]["McNemar p"] == 14 / 64
    # Fuzzy credit is a share, no verdict; what both systems have right leaves nothing to test.
    assert found["sgd: joint goal"]["McNemar p"] is None and found["sgd: joint goal"]["permutation p"] == 14 / 64
    assert found["sgd: active intent"]["permutation p"] == 1.0 and "trade: joint goal" in found


def test_text_shows_small_chances(dlc_run, tmp_path):
    right, wrong, _ = CASES["acts"]
    gold = lines(tmp_path / "gold.jsonl", [row(right, f"D{i}") for i in range(40)])
    pred = lines(tmp_path / "pred.jsonl", [row(wrong, f"D{i}") for i in range(40)])
    done = dlc_run("eval", "acts", "--gold", gold, "--pred", gold, "--against", pred)
    assert done.status == 0 and "1.8e-12" in done.out and "McNemar p" in done.out


def test_bad_use(dlc_run, tmp_path):
    right, wrong, _ = CASES["slots"]
    args = files(tmp_path, right, wrong)
    (tmp_path / "short.jsonl").write_text(json.dumps(row(right, "D0")) + "\n")
    done = dlc_run("eval", "slots", *args, "--against", "short.jsonl")
    assert (done.status, done.out) == (1, "") and "DLC366" in done.err
    done = dlc_run("eval", "slots", *args, "--against", "nosuch.jsonl")
    assert (done.status, done.out) == (3, "") and "nosuch.jsonl" in done.err
    assert dlc_run("eval", "responses", *args).status == 2
    assert dlc_run("eval", "slots", "--gold", "gold.jsonl", "--pred", "-", "--against", "-").status == 2
