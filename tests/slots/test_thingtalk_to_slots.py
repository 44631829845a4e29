"""ThingTalk to slots, and slots by way of ThingTalk back: a turn's program carries its whole state."""

from typing import Any

import pytest

from dlc.compiler.schema import Schema
from dlc.targets.rows import status_of
from dlc.targets.slots.multiwoz import read_multiwoz
from dlc.targets.slots.states import Memo
from dlc.targets.slots.write import write_slots
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.targets.thingtalk.write import ThingTalkMemo, write_thingtalk

NOTHING = ("", "not mentioned", [])
HEAD = "$dialogue @org.thingpedia.dialogue.transaction.execute; "
CLASS = "@uk.ac.cam.multiwoz"


def stated(metadata: dict[str, Any]) -> dict[str, Any]:
    """The state as the slots target has it, made here by hand."""
    kept = {d: {p: {s: v for s, v in x[p].items() if v not in NOTHING} for p in x} for d, x in metadata.items()}
    return {d: {"semi": x.get("semi", {}), "book": x.get("book", {})} for d, x in kept.items() if any(x.values())}


@pytest.mark.parametrize(
    ("program", "state"),
    [
        (
            "Hotel.Hotel() filter area == enum east && type == enum guest_house;",
            {"hotel": {"semi": {"area": "east", "type": "guesthouse"}, "book": {}}},
        ),
        ("Hotel.Hotel() filter true(area);", {"hotel": {"semi": {"area": "dontcare"}, "book": {}}}),
        (
            "Train.Train() filter arrive_by <= new Time(12, 45);",
            {"train": {"semi": {"arriveBy": "12:45"}, "book": {}}},
        ),
        (
            "Hotel.make_booking(book_people=2) "
            '#[results=[{ hotel=null^^uk.ac.cam.multiwoz.Hotel:Hotel("elm house"), reference_number="AB12" }]];',
            {
                "hotel": {
                    "semi": {},
                    "book": {"people": "2", "booked": [{"name": "elm house", "reference": "AB12"}]},
                }
            },
        ),
    ],
)
def test_programs_as_states(multiwoz: Schema, program: str, state: dict[str, Any]) -> None:
    turn = ThingTalkReader(multiwoz).read(f"{HEAD}{CLASS}.{program}")
    written = write_slots(turn, multiwoz)
    assert written.program == state and status_of(written) == "exact"


@pytest.mark.parametrize(
    "program",
    [
        "Train.Train() filter arrive_by >= new Time(12, 45);",
        "Hotel.Hotel()[1];",
        "Hotel.Hotel() filter area == enum east || stars == 4;",
        "Hotel.make_booking(book_people=2) #[confirm=enum proposed];",
    ],
)
def test_what_a_state_cannot_hold_is_noted(multiwoz: Schema, program: str) -> None:
    turn = ThingTalkReader(multiwoz).read(f"{HEAD}{CLASS}.{program}")
    written = write_slots(turn, multiwoz)
    assert status_of(written) == "approximate" and all(note.message for note in written.notes)


@pytest.mark.corpus
def test_every_exact_turn_comes_back_by_way_of_thingtalk(val: dict[str, Any], multiwoz: Schema) -> None:
    memo, names, reader = Memo(multiwoz), ThingTalkMemo(multiwoz), ThingTalkReader(multiwoz)
    fresh = Memo(multiwoz)
    turns = exact = 0
    for name, dialogue in val.items():
        for row in read_multiwoz(name, dialogue, multiwoz, memo).turns:
            assert row.program is not None
            turns += 1
            written = write_thingtalk(row.program, multiwoz, names)
            if status_of(written, row.notes) != "exact":
                continue
            exact += 1
            again = write_slots(reader.read(written.program), multiwoz, fresh)
            assert again.program == stated(dialogue["log"][row.turn + 1]["metadata"]), written.program
    assert exact >= 0.95 * turns
