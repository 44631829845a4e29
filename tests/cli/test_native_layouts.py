"""`--format native`: MultiWOZ from layout to layout, and into files that are there."""

import json
import zipfile

import pytest
from boats import dialogue, services, states


def native(layout):
    return ("--to", "slots", "--format", "native", "--layout", layout)


@pytest.fixture
def val(tmp_path, corpus):
    """Three small dialogues of 2.1, spaced as nobody would write them."""
    path = tmp_path / "val.json"
    path.write_text(json.dumps(corpus, indent=3).replace("\n", "\r\n") + "\n\n", encoding="utf-8", newline="")
    return path


def rows_of(done):
    return {(row["dialogue_id"], row["turn"]): row["program"] for row in done.rows()}


@pytest.mark.parametrize("layout", ["multiwoz21", "multiwoz22", "sgd"])
def test_states_are_the_same_in_every_layout(dlc_run, val, layout):
    assert dlc_run("convert", "multiwoz", "val.json", *native(layout), "-o", "other.json").status == 0
    there = dlc_run("convert", "multiwoz", "other.json", "--to", "slots")
    assert there.status == 0
    assert rows_of(there) == rows_of(dlc_run("convert", "multiwoz", "val.json", "--to", "slots"))
    utterances = [turn["utterance"] for turn in there.rows()]
    assert utterances == [turn["utterance"] for turn in dlc_run("convert", "multiwoz", "val.json", "--to", "dl").rows()]


def test_the_frames_of_2_2(dlc_run, val, tmp_path):
    done = dlc_run("convert", "multiwoz", "val.json", *native("multiwoz22"))
    first = json.loads(done.out)[0]
    assert (first["dialogue_id"], first["services"]) == ("A1", ["hotel"])
    turn = first["turns"][0]
    assert (turn["speaker"], turn["turn_id"], len(turn["frames"])) == ("USER", "0", 8)
    (active,) = [frame for frame in turn["frames"] if frame["state"]["active_intent"] != "NONE"]
    assert active["service"] == "hotel"
    assert active["state"] == {
        "active_intent": "find_hotel", "requested_slots": [], "slot_values": {"hotel-stars": ["4"]}
    }  # fmt: skip


def test_spans_go_by_the_names_of_2_2(dlc_run, tmp_path):
    said = "A cheap room in the acorn house , for two"
    spans = [
        ["Hotel-Inform", "Price", "cheap", 1, 1],
        ["Hotel-Inform", "Name", "acorn house", 4, 6],
        ["Hotel-Inform", "Choice", "two", 9, 9],
        ["Booking-Inform", "People", "two", 9, 9],
    ]
    state = {"hotel": {"semi": {"pricerange": "cheap"}, "book": {}}}
    log = [{"text": said, "metadata": {}, "span_info": spans}, {"text": "Fine.", "metadata": state}]
    (tmp_path / "one.json").write_text(json.dumps({"A": {"log": log}}))
    done = dlc_run("convert", "multiwoz", "one.json", *native("multiwoz22"), "-o", "new.json")
    (whole,) = json.loads((tmp_path / "new.json").read_text())
    assert done.status == 0 and whole["services"] == ["hotel"]
    (frame,) = (f for f in whole["turns"][0]["frames"] if f["slots"])
    # Neither a number of choices nor what an act says about a booking is a slot of 2.2.
    assert [(s["slot"], s["value"], said[s["start"] : s["exclusive_end"]]) for s in frame["slots"]] == [
        ("hotel-pricerange", "cheap", "cheap"), ("hotel-name", "the acorn house", "the acorn house"),
    ]  # fmt: skip
    # Read again, they are what they were; and 2.2's own names stay.
    (row,) = dlc_run("convert", "multiwoz", "new.json", "--to", "slots").rows()
    assert [s["slot"] for s in row["provenance"]["spans"]] == ["hotel-pricerange", "hotel-name"]
    dlc_run("convert", "multiwoz", "new.json", *native("multiwoz22"), "-o", "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == [whole]


@pytest.mark.parametrize("layout", ["multiwoz21", "multiwoz22", "sgd"])
def test_what_did_not_change_keeps_every_byte(dlc_run, val, tmp_path, layout):
    into = tmp_path / "into.json"
    if layout == "multiwoz21":
        into.write_bytes(val.read_bytes())
    else:
        dlc_run("convert", "multiwoz", "val.json", *native(layout), "-o", "into.json")
        value = json.loads(into.read_bytes())
        value[0]["note"] = "höchst eigen"
        into.write_bytes(("\ufeff" + json.dumps(value, indent="\t")).encode())
    before = into.read_bytes()
    dlc_run("convert", "multiwoz", "val.json", "--to", "dl", "-o", "val.jsonl")
    assert dlc_run("convert", "dl", "val.jsonl", *native(layout), "-o", "into.json").status == 0
    assert into.read_bytes() == before
    text = (tmp_path / "val.jsonl").read_text().replace(".stars = 4 and .area = north", ".stars = 3 and .area = north")
    (tmp_path / "val.jsonl").write_text(text)
    assert dlc_run("convert", "dl", "val.jsonl", *native(layout), "-o", "into.json").status == 0
    changed = [(a, b) for a, b in zip(before, into.read_bytes(), strict=True) if a != b]
    assert changed == [(ord("4"), ord("3"))]


def test_slots_that_come_and_go(dlc_run, val, tmp_path):
    row = {"dialogue_id": "A1", "turn": 2, "speaker": "user"}
    program = 'user: Hotel | where .stars = 4 and .parking = true; book_hotel(day: monday) -> [{ ref: "X" }];'
    (tmp_path / "one.jsonl").write_text(json.dumps({**row, "program": program}))
    before = json.loads(val.read_bytes())
    assert (
        dlc_run("convert", "dl", "one.jsonl", "--schema", "multiwoz", *native("multiwoz21"), "-o", "val.json").status
        == 0
    )
    after = json.loads(val.read_bytes())
    state = after["A1.json"]["log"][3]["metadata"]["hotel"]
    assert state == {
        "semi": {"stars": "4", "area": "", "parking": "yes"}, "book": {"booked": [{"reference": "X"}], "day": "monday"}
    }  # fmt: skip
    after["A1.json"]["log"][3] = before["A1.json"]["log"][3]
    assert after == before
    assert val.read_bytes().endswith(b"}\n\n") and b"\r\n" in val.read_bytes()


def test_what_the_schema_does_not_know_stays_in_the_file(dlc_run, tmp_path, corpus):
    corpus["A2.json"]["log"][1]["metadata"]["hotel"]["semi"] |= {"moat": "deep", "stars": 4}
    corpus["A2.json"]["log"][1]["metadata"]["moon"] = {"semi": {"phase": "full"}}
    path = tmp_path / "val.json"
    path.write_text(json.dumps(corpus))
    before = path.read_bytes()
    done = dlc_run("convert", "multiwoz", "val.json", *native("multiwoz21"), "-o", "val.json")
    assert done.status == 1 and "DLC301" in done.err
    assert path.read_bytes() == before


def test_dialogues_and_turns_that_the_file_does_not_have(dlc_run, val, tmp_path, corpus):
    del corpus["A3.json"]
    corpus["A1.json"]["log"] = corpus["A1.json"]["log"][:2]
    (tmp_path / "into.json").write_text(json.dumps(corpus))
    done = dlc_run("convert", "multiwoz", "val.json", *native("multiwoz21"), "-o", "into.json")
    assert done.status == 1 and "error[DLC381]" in done.err and "A1 · turn 2" in done.err
    after = json.loads((tmp_path / "into.json").read_text())
    assert list(after) == ["A1.json", "A2.json", "A3"] and after["A1.json"] == corpus["A1.json"]
    assert rows_of(dlc_run("convert", "multiwoz", "into.json", "--to", "slots"))["A3", 0] == {
        "hotel": {"semi": {"area": "dontcare"}, "book": {}}
    }


def test_a_rejected_turn_changes_nothing(dlc_run, val, tmp_path):
    row = {"dialogue_id": "A1", "turn": 0, "program": "user: Hotel | where .stars = north;"}
    (tmp_path / "bad.jsonl").write_text(json.dumps(row))
    before = val.read_bytes()
    done = dlc_run("convert", "dl", "bad.jsonl", "--schema", "multiwoz", *native("multiwoz21"), "-o", "val.json")
    assert done.status == 1 and val.read_bytes() == before


@pytest.mark.parametrize("content", ['{"a": ', '"text"', '{"A1": {"log": []}', "[1 2]", "[[", '{"A1" 3}'])
def test_a_file_that_is_none_is_not_written_over(dlc_run, val, tmp_path, content):
    (tmp_path / "into.json").write_text(content)
    done = dlc_run("convert", "multiwoz", "val.json", *native("multiwoz21"), "-o", "into.json")
    assert done.status == 3 and ("error[DLC355]" in done.err or "error[DLC360]" in done.err), done.err
    assert (tmp_path / "into.json").read_text() == content
    (tmp_path / "into.json").write_bytes(b"\xff{}")
    assert dlc_run("convert", "multiwoz", "val.json", *native("multiwoz21"), "-o", "into.json").status == 3


@pytest.mark.parametrize(
    "flags",
    [
        ("--to", "slots", "--format", "native"),
        ("--to", "slots", "--layout", "multiwoz21"),
        ("--to", "dl", "--format", "native", "--layout", "multiwoz21"),
        ("--to", "slots", "--format", "native", "--layout", "multiwoz23"),
    ],
)
def test_usage(dlc_run, flags):
    assert dlc_run("convert", "multiwoz", *flags).status == 2


# ---------------------------------------------------------------- services


@pytest.fixture
def boats(tmp_path):
    (tmp_path / "schema.json").write_text(json.dumps(services()))
    path = tmp_path / "boats.json"
    path.write_text(json.dumps([dialogue("7_00001"), dialogue("7_00002")], indent=2), encoding="utf-8")
    return path


def test_services_in_a_file_of_their_own(dlc_run, boats, tmp_path):
    assert dlc_run("convert", "sgd", "boats.json", *native("sgd"), "-o", "fresh.json").status == 0
    fresh = json.loads((tmp_path / "fresh.json").read_text())
    assert [states(d) for d in fresh] == [states(dialogue())] * 2
    turns = dialogue()["turns"]
    for made, turn in zip(fresh[0]["turns"], turns, strict=True):
        frame, own = made["frames"][0], turn["frames"][0]
        assert made["utterance"] == turn["utterance"] and frame["slots"] == own["slots"]
        assert frame.get("service_call") == own.get("service_call")
        assert frame.get("service_results") == own.get("service_results")
        assert {a["act"] for a in frame["actions"]} == {a["act"] for a in own["actions"]}
    assert dlc_run("convert", "sgd", "fresh.json", "--to", "dl").status == 0


def test_services_into_their_file(dlc_run, boats, tmp_path):
    before = boats.read_bytes()
    dlc_run("convert", "sgd", "boats.json", "--to", "dl", "-o", "boats.jsonl")
    flags = ("--schema", "schema.json", *native("sgd"), "-o", "boats.json")
    assert dlc_run("convert", "dl", "boats.jsonl", *flags).status == 0
    assert boats.read_bytes() == before
    text = (tmp_path / "boats.jsonl").read_text()
    (tmp_path / "boats.jsonl").write_text(text.replace(" | show .phone, .sails;", " | show .sails;", 1))
    assert dlc_run("convert", "dl", "boats.jsonl", *flags).status == 0
    requested = [d["turns"][2]["frames"][0]["state"]["requested_slots"] for d in json.loads(boats.read_bytes())]
    assert requested == [["sails"], ["phone", "sails"]]


def test_services_have_no_place_in_the_log(dlc_run, boats):
    done = dlc_run("convert", "sgd", "boats.json", *native("multiwoz21"))
    assert done.status in (1, 3) and "error[DLC380]" in done.err


# ---------------------------------------------------------------- the corpus


@pytest.fixture
def some_of_val(corpora, tmp_path):
    """A function: the first dialogues of val, spaced as the release is; all of them for None."""

    def write(count):
        with zipfile.ZipFile(corpora / "multiwoz21" / "val.json.zip") as archive:
            text = archive.read(archive.namelist()[0])
        if count is not None:
            some = dict(list(json.loads(text).items())[:count])
            text = json.dumps(some, indent=2).replace("\n", "\r\n").encode()
        (tmp_path / "val.json").write_bytes(text)
        return text

    return write


COUNTS = [150, pytest.param(None, marks=pytest.mark.slow)]


@pytest.mark.corpus
@pytest.mark.parametrize("count", COUNTS)
def test_val_to_2_2_and_back(dlc_run, some_of_val, count):
    some_of_val(count)
    expected = rows_of(dlc_run("convert", "multiwoz", "val.json", "--to", "slots"))
    assert dlc_run("convert", "multiwoz", "val.json", "--to", "dl", "-o", "val.jsonl").status == 0
    assert dlc_run("convert", "dl", "val.jsonl", *native("multiwoz22"), "-o", "val22.json").status == 0
    assert dlc_run("convert", "multiwoz", "val22.json", "--to", "dl", "-o", "from22.jsonl").status == 0
    assert dlc_run("convert", "dl", "from22.jsonl", *native("multiwoz21"), "-o", "val21.json").status == 0
    found = rows_of(dlc_run("convert", "multiwoz", "val21.json", "--to", "slots"))
    assert len(expected) > (1000 if count else 7000) and found == expected


@pytest.mark.corpus
@pytest.mark.parametrize("count", COUNTS)
def test_val_into_itself(dlc_run, some_of_val, tmp_path, count):
    text = some_of_val(count)
    dlc_run("convert", "multiwoz", "val.json", "--to", "dl", "-o", "val.jsonl")
    assert dlc_run("convert", "dl", "val.jsonl", *native("multiwoz21"), "-o", "val.json").status == 0
    assert (tmp_path / "val.json").read_bytes() == text
    # Some programs with four stars now have three: those values change, and not a byte more.
    lines = (tmp_path / "val.jsonl").read_text().splitlines()
    chosen = [i for i, line in enumerate(lines) if line.count(".stars = 4") == 1][::3]
    for i in chosen:
        lines[i] = lines[i].replace(".stars = 4", ".stars = 3")
    (tmp_path / "val.jsonl").write_text("\n".join(lines))
    assert dlc_run("convert", "dl", "val.jsonl", *native("multiwoz21"), "-o", "val.json").status == 0
    after = (tmp_path / "val.json").read_bytes()
    changed = [(a, b) for a, b in zip(text, after, strict=True) if a != b]
    assert len(chosen) > 20 and changed == [(ord("4"), ord("3"))] * len(chosen)
