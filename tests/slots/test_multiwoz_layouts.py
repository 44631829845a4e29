"""MultiWOZ 2.2's frames and ConvLab's unified format: the same DL as 2.1's log, and what is not as documented."""

import copy
from typing import Any

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.compiler.sugar import print_turn
from dlc.targets.rows import Mention, TurnRow
from dlc.targets.slots.convlab import as_log, is_unified, mentions
from dlc.targets.slots.multiwoz import read_multiwoz
from dlc.targets.slots.multiwoz22 import is_frames, read_multiwoz22
from dlc.targets.slots.states import Memo
from dlc.targets.slots.write import write_slots

USER = frozenset(("user",))


def frame(service: str, intent: str = "NONE", requested: tuple[str, ...] = (), **values: Any) -> dict[str, Any]:
    slots = {f"{service}-{slot}": value for slot, value in values.items()}
    state = {"active_intent": intent, "requested_slots": list(requested), "slot_values": slots}
    return {"actions": [], "service": service, "slots": [], "state": state}


def turns(*frames: dict[str, Any], text: str = "Hello") -> dict[str, Any]:
    return {
        "dialogue_id": "PMUL1.json",
        "services": ["hotel"],
        "turns": [
            {"speaker": "USER", "turn_id": "0", "utterance": text, "frames": list(frames)},
            {"speaker": "SYSTEM", "turn_id": "1", "utterance": "Hm", "frames": []},
        ],
    }


def read(value: Any, schema: Schema, speakers: frozenset[str] = USER) -> tuple[TurnRow, ...]:
    return read_multiwoz22(value, Memo(schema), speakers).turns


def text(row: TurnRow) -> str:
    assert row.program is not None, row.notes
    return print_turn(row.program)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([frame("hotel", "find_hotel", area=["north"], pricerange=["dontcare"])],
         "user: Hotel | where .area = north and .price_range is any;"),
        ([frame("hotel", "book_hotel", bookday=["monday"], name=["acorn"])],
         'user: confirmed Hotel | where .name = @"acorn"; book_hotel(hotel: @"acorn", day: monday);'),
        ([frame("hotel", area=["north"])], "user: confirmed Hotel | where .area = north;"),
        ([frame("hotel", "find_hotel", ("hotel-phone", "hotel-postcode"), area=["north"])],
         "user request(Hotel.phone, Hotel.postcode): Hotel | where .area = north | show .phone, .postcode;"),
        ([frame("taxi", "book_taxi", ("taxi-phone", "taxi-type"), leaveat=["09:00"])],
         "user request(book_taxi.phone, book_taxi.car): book_taxi(leave_at: 09:00);"),
        ([frame("train", "book_train", ("train-ref",), bookpeople=["2"])],
         "user request(book_train.ref): book_train(people: 2);"),
        # Ways to say a value: each by itself in a filter; an argument is one value and keeps them as one text.
        ([frame("hotel", "find_hotel", name=["acorn", "the acorn"])],
         'user: Hotel | where .name in [@"acorn", @"the acorn"];'),
        ([frame("train", "find_train", leaveat=["19:00", "7 pm"])],
         'user: Train | where .leave_at >= 19:00 or .leave_at >= raw "7 pm";'),
        ([frame("restaurant", "book_restaurant", booktime=["19:00", "7 pm"])],
         'user: book_restaurant(time: raw "19:00|7 pm");'),
        ([frame("police", "police", ("police-phone",))], "user request(Police.phone): Police | show .phone;"),
    ],
)  # fmt: skip
def test_frames(frames: list[dict[str, Any]], expected: str, multiwoz: Schema) -> None:
    (row,) = read(turns(*frames), multiwoz)
    assert text(row) == expected
    assert row.dialogue_id == "PMUL1"
    assert Checker(multiwoz).check_turn(row.program).ok  # type: ignore[arg-type]


def test_what_has_been_booked_stands_with_the_next_turn(multiwoz: Schema) -> None:
    value = turns(frame("hotel", "book_hotel", bookday=["monday"]))
    value["turns"][1]["frames"] = [{
        "service": "hotel", "actions": [], "slots": [], "service_call": {"method": "book_hotel", "parameters": {}},
        "service_results": [{"hotel-name": "acorn", "hotel-reference": "AB12"}],
    }]  # fmt: skip
    (row,) = read(value, multiwoz)
    written = write_slots(row.program, multiwoz).program  # type: ignore[arg-type]
    assert written == {
        "hotel": {"semi": {}, "book": {"day": "monday", "booked": [{"name": "acorn", "reference": "AB12"}]}}
    }


def test_spans_and_values_copied_from_elsewhere(multiwoz: Schema) -> None:
    value = turns(frame("hotel", "find_hotel", area=["north"]), text="the north")
    spans = [
        {"slot": "hotel-area", "start": 4, "exclusive_end": 9, "value": "north"},
        {"slot": "hotel-name", "copy_from": "restaurant-name", "value": ["x"]},
        {"slot": "hotel-area", "start": 4, "exclusive_end": 90, "value": "north"},
    ]
    value["turns"][0]["frames"][0]["slots"] = spans
    (row,) = read(value, multiwoz)
    assert row.mentions == (Mention("hotel", "hotel-area", 4, 9, "north"),)
    assert [(n.code, n.loss) for n in row.notes] == [("DLC309", False)]


def test_unknown_slots_and_requests_are_named_and_the_rest_kept(multiwoz: Schema) -> None:
    value = turns(frame("hotel", "find_hotel", ("hotel-moat",), area=["north"], moat=["yes"], stars=[4]))
    (row,) = read(value, multiwoz)
    assert text(row) == "user: Hotel | where .area = north;"
    assert [n.code for n in row.notes] == ["DLC303", "DLC301", "DLC301"] or sorted(n.code for n in row.notes) == [
        "DLC301", "DLC301", "DLC303",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("turns", 0), 3), (("turns", 0, "speaker"), "user"), (("turns", 0, "speaker"), None),
        (("turns", 0, "utterance"), 3), (("turns", 0, "frames"), {}), (("turns", 0, "frames"), []),
        (("turns", 0, "frames"), [7]), (("turns", 0, "frames", 0, "service"), None),
        (("turns", 0, "frames", 0, "state"), []), (("turns", 0, "frames", 0, "state", "slot_values"), []),
        (("turns", 0, "frames", 0, "state", "active_intent"), []),
        (("turns", 0, "frames", 0, "state", "requested_slots"), "hotel-area"),
    ],
)  # fmt: skip
def test_a_turn_that_is_none_is_rejected(path: tuple[Any, ...], value: Any, multiwoz: Schema) -> None:
    broken = turns(frame("hotel", "find_hotel", area=["north"]))
    broken["turns"] += copy.deepcopy(broken["turns"])
    place: Any = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    rows = read(broken, multiwoz)
    assert [(row.turn, row.program is None) for row in rows] == [(0, True), (2, False)]
    assert [n.code for n in rows[0].notes] == ["DLC304"]


def test_a_dialogue_without_a_name_is_one_rejected_row(multiwoz: Schema) -> None:
    (row,) = read({"turns": [{"frames": []}]}, multiwoz)
    assert row.program is None and [n.code for n in row.notes] == ["DLC304"]


# ---------------------------------------------------------------- ConvLab


def unified(*said: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    listed = []
    for i, (words, more) in enumerate(said):
        listed.append({"speaker": ("user", "system")[i % 2], "utterance": words, "utt_idx": i, **more})
    return {"dataset": "multiwoz21", "dialogue_id": "multiwoz21-val-0", "turns": listed}


UNIFIED = unified(
    ("Book the acorn for monday",
     {"state": {"hotel": {"name": "acorn", "book day": "monday", "price range": "", "area": "north|east"}},
      "dialogue_acts": {
          "categorical": [{"intent": "inform", "domain": "hotel", "slot": "book day", "value": "monday"}],
          "non-categorical": [
              {"intent": "inform", "domain": "hotel", "slot": "name", "value": "acorn", "start": 9, "end": 14}
          ],
          "binary": [{"intent": "request", "domain": "hotel", "slot": "postcode"}]}}),
    ("Done", {"booked": {"hotel": [{"name": "acorn", "reference": "X"}], "taxi": []}, "dialogue_acts": {
        "categorical": [], "non-categorical": [],
        "binary": [{"intent": "reqmore", "domain": "general", "slot": ""}]}}),
    ("Bye", {"state": {"hotel": {"name": "acorn", "book day": "monday"}},
             "dialogue_acts": {"binary": [{"intent": "bye", "domain": "general", "slot": ""}]}}),
)  # fmt: skip


def test_the_unified_format_is_read_as_the_log_it_came_from(multiwoz: Schema) -> None:
    memo = Memo(multiwoz)
    assert is_unified(UNIFIED) and not is_frames(UNIFIED)
    log = as_log(UNIFIED, memo.layout)
    rows = read_multiwoz("multiwoz21-val-0", log, multiwoz, memo).turns
    assert [text(row) for row in rows] == [
        'user inform, request(Hotel.postcode): confirmed Hotel | where .name = @"acorn" and .area in [north, east]; '
        'book_hotel -> [{ name: @"acorn", ref: "X" }]; book_hotel(hotel: @"acorn", day: monday);',
        'user bye: confirmed Hotel | where .name = @"acorn"; confirmed book_hotel(hotel: @"acorn", day: monday);',
    ]
    assert mentions(UNIFIED["turns"][0]) == (Mention("hotel", "name", 9, 14, "acorn"),)
    assert log["log"][1]["dialog_act"] == {"general-reqmore": [["none", "none"]]}


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 7), (0, {"speaker": "system"}), (0, {"state": []}), (1, None), (2, {"state": 3}), (2, {"speaker": 4})],
)
def test_a_turn_of_the_unified_format_that_is_none(at: int, value: Any, multiwoz: Schema) -> None:
    broken = copy.deepcopy(UNIFIED)
    broken["turns"][at] = {**broken["turns"][at], **value} if isinstance(value, dict) else value
    rows = read_multiwoz("x", as_log(broken, Memo(multiwoz).layout), multiwoz).turns
    wrong = 0 if at < 2 else 2
    assert [row.turn for row in rows if row.program is None] == [wrong]
    assert {n.code for row in rows for n in row.notes if row.program is None} == {"DLC305" if at == 1 else "DLC304"}


def test_spans_of_the_log_are_words(multiwoz: Schema) -> None:
    entry = {
        "text": "a hotel  in the north , please",
        "dialog_act": {"Hotel-Inform": [["Area", "north"]]},
        "span_info": [["Hotel-Inform", "Area", "the north", 3, 4], ["Hotel-Inform", "Area", "x", 9, 12], "odd"],
    }
    (row,) = read_multiwoz("x", {"log": [entry, {"text": "", "metadata": {}}]}, multiwoz).turns
    assert row.mentions == (Mention("hotel", "Area", 12, 21, "the north"),)


def test_later_releases_in_the_layout_of_2_1(multiwoz: Schema) -> None:
    """2.3 adds coreference and turn numbers, 2.4 leaves acts out: what is there is read as in 2.1."""
    state = {"hotel": {"book": {"booked": [], "people": "2"}, "semi": {"area": "north", "name": "not mentioned"}}}
    log = [
        {"text": "a room in the north for us two", "metadata": {}, "turn_id": 0,
         "dialog_act": {"Hotel-Inform": [["Area", "north"]]},
         "coreference": {"Hotel-Inform": [["Area", "north", "there", 0, ""]]}},
        {"text": "Booked", "metadata": state, "turn_id": 1, "dialog_act": {}},
        {"text": "Thanks", "metadata": {}},
        {"text": "Bye", "metadata": state},
    ]  # fmt: skip
    rows = read_multiwoz("MUL1.json", {"log": log, "new": True}, multiwoz).turns
    assert [text(row) for row in rows] == [
        "user inform: Hotel | where .area = north; book_hotel(people: 2);",
        "user: confirmed Hotel | where .area = north; confirmed book_hotel(people: 2);",
    ]
    assert not any(row.notes for row in rows)
