"""`dlc convert --data`: names of entities with the keys of their rows."""

import json
import os
import re
from pathlib import Path

import pytest

ROWS = {"hotel": [{"name": "elm house"}, {"name": "elm lodge"}], "restaurant": [{"name": "old mill"}]}
PROGRAM = 'user inform: Hotel | where .name = @"the elm house"; Restaurant | where .name = @"elm house";'


def test_names_get_their_keys(dlc_run, tmp_path):
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    (tmp_path / "x.dl").write_text(PROGRAM + "\n")
    command = ("convert", "dl", "x.dl", "--schema", "multiwoz", "--data", "rows.json", "--to")
    (row,) = dlc_run(*command, "thingtalk").rows()
    assert '"elm house"^^uk.ac.cam.multiwoz.Hotel:Hotel("the elm house")' in row["program"]
    assert 'null^^uk.ac.cam.multiwoz.Restaurant:Restaurant("elm house")' in row["program"]
    (slots,) = dlc_run(*command, "slots").rows()
    assert slots["program"]["hotel"]["semi"] == {"name": "the elm house"}


def test_rows_that_cannot_be_read(dlc_run, tmp_path):
    (tmp_path / "x.dl").write_text(PROGRAM + "\n")
    assert dlc_run("convert", "dl", "x.dl", "--schema", "multiwoz", "--to", "dl", "--data", "no.json").status == 3
    (tmp_path / "rows.json").write_text("{")
    done = dlc_run("convert", "dl", "x.dl", "--schema", "multiwoz", "--to", "dl", "--data", "rows.json")
    assert done.status == 3 and "rows.json" in done.err


@pytest.mark.corpus
def test_most_names_of_multiwoz_are_found_and_nothing_else_changes(dlc_run, tmp_path):
    root = Path(os.environ.get("DLC_CORPORA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    val = str(root / "multiwoz21" / "val.json.zip")
    plain, named = tmp_path / "plain.jsonl", tmp_path / "named.jsonl"
    assert dlc_run("convert", "multiwoz", val, "--to", "dl", "-o", str(plain)).status == 0
    data = str(root / "multiwoz_db")
    assert dlc_run("convert", "multiwoz", val, "--to", "dl", "--data", data, "-o", str(named)).status == 0
    said = [json.loads(line)["program"] for line in plain.read_text().splitlines()]
    made = [json.loads(line)["program"] for line in named.read_text().splitlines()]
    changed = [(a, b) for a, b in zip(said, made, strict=True) if a != b]
    names = sum(p.count(".name = @") for p in said)
    found = sum(p.count('"#"') for p in made)
    assert found > 0.9 * names
    assert all(re.sub(r'"#"(?:[^"\\]|\\.)*"', '"', b) == a for a, b in changed)


def test_rows_decide_what_agents_found(dlc_run, tmp_path):
    rows = {"hotel": [{"name": f"house {i}", "area": "north", "stars": "4"} for i in range(3)]}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    state = {"hotel": {"semi": {"area": "north"}, "book": {}}}
    log = [
        {"text": "A hotel in the north", "metadata": {}},
        {"text": "House 1?", "metadata": state, "dialog_act": {"Hotel-Recommend": [["Name", "House 1"]]}},
    ]
    (tmp_path / "val.json").write_text(json.dumps({"A": {"log": log}}))
    command = ("convert", "multiwoz", "val.json", "--speakers", "agent", "--to", "dl")
    (plain,) = dlc_run(*command).rows()
    (decided,) = dlc_run(*command, "--data", "rows.json").rows()
    assert plain["program"].endswith('-> [{ name: @"House 1" }];')
    assert decided["program"].endswith('-> [{ name: @"House 1", area: north, stars: 4 }] of 3;')
    # What a program says is not decided anew.
    (tmp_path / "x.jsonl").write_text(json.dumps(plain))
    (kept,) = dlc_run("convert", "dl", "x.jsonl", "--to", "dl", "--data", "rows.json").rows()
    assert kept["program"] == plain["program"]
