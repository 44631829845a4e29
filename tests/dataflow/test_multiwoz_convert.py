"""`convert multiwoz --to dataflow`: the published recipe from DL turns, directly and by way of printed DL."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import dlc
from dlc.schemas import load_schema
from dlc.targets.dataflow.multiwoz import Options
from dlc.targets.dataflow.states import StateWriter
from dlc.targets.rows import TurnRow

REVISE = (
    "(ReviseConstraint :new {} :oldLocation (Constraint[Constraint[{}]])"
    ' :rootLocation (roleConstraint #(Path "output")))'
)


def rows_of(*turns: str | tuple[str, str]) -> str:
    """DL rows of one dialogue: programs, each with what the user says."""
    made = []
    for k, given in enumerate(turns):
        program, said = given if isinstance(given, tuple) else (given, "")
        row = {"dialogue_id": "d", "turn": 2 * k, "speaker": "user", "utterance": said, "program": program}
        made.append(json.dumps({**row, "schema": "multiwoz"}))
    return "\n".join(made) + "\n"


def converted(path: Path, text: str, **options: Any) -> list[dict[str, Any]]:
    (path / "rows.jsonl").write_text(text)
    return list(dlc.convert("dl", path / "rows.jsonl", to="dataflow", **options))


def test_states_of_a_dialogue(tmp_path: Path) -> None:
    rows = converted(
        tmp_path,
        rows_of(
            "user inform: Hotel | where .area = east and .stars = 4;",
            "user inform: Hotel | where .area = east and .stars = 4; book_hotel(people: 5);",
            "user inform: Hotel | where .area is any;",
            "user thank:",
        ),
    )
    assert [row["program"] for row in rows] == [
        '(find (Constraint[Hotel] :area (?= "east") :stars (?= "4")))',
        REVISE.format('(Constraint[Hotel] :book-people (?= "5"))', "Hotel"),
        REVISE.format(
            '(Constraint[Hotel] :area (?= "dontcare") :book-people (EmptyConstraint) :stars (EmptyConstraint))', "Hotel"
        ),
        "(abandon (Constraint[Hotel]))",
    ]
    assert {row["status"] for row in rows} == {"exact"}
    assert [n["code"] for n in rows[0]["notes"]] == ["DLC292"]


def test_what_the_agent_said_counts_as_a_mention_though_its_rows_are_not_there(tmp_path: Path) -> None:
    first = ("user: Restaurant | where .area = north;", "in the north")
    second = ("user: Restaurant | where .area = north; Hotel | where .area = north;", "a hotel too")
    text = rows_of(first, second)
    refers = converted(tmp_path, text)[1]["program"]
    assert refers == "(find (Constraint[Hotel] :area (refer (Constraint[Area]))))"
    heard = [json.loads(line) for line in text.splitlines()]
    heard[1]["heard"] = "anything else in the north?"
    says = converted(tmp_path, "\n".join(map(json.dumps, heard)))[1]["program"]
    assert says == '(find (Constraint[Hotel] :area (?= "north")))'
    assert converted(tmp_path, text, recipe=Options(no_refer=True))[1]["program"] == says


def test_what_is_lost_is_told(tmp_path: Path) -> None:
    text = rows_of(
        'user: Hospital | where .department = @"eyes"; Hotel | where .stars = 4 | sort .stars asc;',
        'user: book_hotel(people: 2) -> [{ ref: "x1" }];',
    )
    kept = converted(tmp_path, text)
    assert "Constraint[Hospital]" in kept[0]["program"]
    assert [n["code"] for n in kept[0]["notes"]] == ["DLC211"]
    assert [n["code"] for n in kept[1]["notes"]] == ["DLC291"] and kept[1]["status"] == "approximate"
    published = converted(tmp_path, text, normalize="trade@1")
    assert published[0]["program"] == '(find (Constraint[Hotel] :stars (?= "4")))'
    assert "DLC290" in [n["code"] for n in published[0]["notes"]]


def test_a_rejected_turn_stops_nothing(tmp_path: Path) -> None:
    rows = converted(
        tmp_path,
        rows_of("user: Hotel | where .area = east;", "user: Hotel | where ((;", "user: Hotel | where .area = west;"),
    )
    assert [row["status"] for row in rows] == ["exact", "rejected", "exact"]
    assert rows[2]["program"] == REVISE.format('(Constraint[Hotel] :area (?= "west"))', "Hotel")


def test_only_turns_of_states_are_written_so() -> None:
    schema = load_schema("multiwoz")
    writer = StateWriter(schema, Options())
    program = dlc.parse("user: find({ .area = east });").turns[0]
    assert not writer.fits([TurnRow("d", 0, "user", "", "multiwoz", program)])
    assert not writer.fits([TurnRow("d", 0, "user", "", "multiwoz", None)])
    assert not StateWriter(load_schema("smcalflow"), Options()).fits(
        [TurnRow("d", 0, "user", "", "smcalflow", dlc.parse("user: Hotel;").turns[0])]
    )


def test_the_sample_directly_and_by_way_of_dl(tmp_path: Path) -> None:
    direct = list(dlc.convert("multiwoz", to="dataflow"))
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in dlc.convert("multiwoz", to="dl")))
    by_dl = list(dlc.convert("dl", tmp_path / "rows.jsonl", to="dataflow"))
    assert [row["program"] for row in direct] == [row["program"] for row in by_dl]
    assert {"find", "ReviseConstraint", "refer"} <= {w.strip("(") for r in direct for w in str(r["program"]).split()}


@pytest.mark.corpus
def test_the_published_programs_on_the_whole_corpus(corpora: Path, tmp_path: Path) -> None:
    with gzip.open(corpora / "multiwoz21" / "val.dataflow.jsonl.gz", "rt", encoding="utf-8") as lines:
        published = {(row["dialogue_id"], row["turn"]): row["lispress"] for row in map(json.loads, lines)}
    source = corpora / "multiwoz21" / "val.json.zip"
    direct = list(dlc.convert("multiwoz", source, to="dataflow", normalize="trade@1"))
    (tmp_path / "rows.jsonl").write_text(
        "\n".join(json.dumps(row) for row in dlc.convert("multiwoz", source, to="dl", normalize="trade@1"))
    )
    by_dl = list(dlc.convert("dl", tmp_path / "rows.jsonl", to="dataflow", normalize="trade@1"))
    for rows in (direct, by_dl):
        made = {(row["dialogue_id"], row["turn"]): row["program"] for row in rows}
        assert [key for key, program in published.items() if made[key] != program] == []
