"""`dlc convert slots`: what `--to slots` wrote is read back, with or without dialogues around it."""

import json

import pytest

FIELDS = ("dialogue_id", "turn", "speaker", "utterance", "schema", "program")


@pytest.mark.parametrize("speakers", ["user", "both"])
def test_what_was_written_is_read_back(dlc_run, tmp_path, speakers):
    first = dlc_run("convert", "multiwoz", "--to", "slots", "--speakers", speakers)
    again = dlc_run("convert", "slots", "-", "--to", "slots", stdin=first.out.encode())
    assert again.status == 0
    assert [[row[k] for k in FIELDS] for row in again.rows()] == [[row[k] for k in FIELDS] for row in first.rows()]


def test_rows_are_a_dialogue_so_a_turn_asks_for_what_it_changed(dlc_run):
    rows = [
        {"dialogue_id": "d", "turn": 0, "program": {"hotel": {"semi": {"area": "north"}}}},
        {"dialogue_id": "d", "turn": 2, "program": {"hotel": {"semi": {"area": "north"}}, "taxi": {"semi": {"leaveAt": "10:00"}}}},
    ]  # fmt: skip
    done = dlc_run("convert", "slots", "-", "--to", "dl", stdin="\n".join(map(json.dumps, rows)).encode())
    assert [row["program"] for row in done.rows()] == [
        "user: Hotel | where .area = north;",
        "user: confirmed Hotel | where .area = north; book_taxi(leave_at: 10:00);",
    ]


def test_a_state_a_line_needs_no_row_around_it(dlc_run):
    done = dlc_run("convert", "slots", "-", "--to", "dl", stdin=b'{"hotel": {"semi": {"area": "north"}}}\n{}\n')
    assert [row["program"] for row in done.rows()] == ["user: Hotel | where .area = north;", "user:"]


@pytest.mark.parametrize(
    ("row", "code", "why"),
    [
        ('{"program": "area north"}', "DLC361", "a state is an object"),
        ('{"program": null}', "DLC362", "rejected"),
        ('{"program": {"hotel": {}}, "speaker": "agent"}', "DLC361", "speaker is the agent"),
        ('{"program": {}, "schema": "nosuch"}', "DLC363", "no schema"),
        ('{"hotel": {"semi": {"area": "north"}', "DLC355", "not JSON"),
    ],
)
def test_what_is_no_state_is_rejected_and_the_run_goes_on(dlc_run, row, code, why):
    done = dlc_run("convert", "slots", "-", "--to", "dl", stdin=f"{row}\n{{}}\n".encode())
    bad, good = done.rows()
    assert done.status == 1
    assert bad["status"] == "rejected" and bad["notes"][0]["code"] == code and why in bad["notes"][0]["message"]
    assert good["program"] == "user:"


@pytest.mark.corpus
def test_sgd_states_come_back(dlc_run, corpora):
    schema = str(corpora / "sgd" / "train.schema.json")
    first = dlc_run(
        "convert", "sgd", str(corpora / "sgd" / "train.dialogues_004.json.gz"), "--schema", schema, "--to", "slots"
    )
    again = dlc_run("convert", "slots", "-", "--schema", schema, "--to", "slots", stdin=first.out.encode())
    assert [[row[k] for k in FIELDS] for row in again.rows()] == [[row[k] for k in FIELDS] for row in first.rows()]
    assert len(again.rows()) > 500
