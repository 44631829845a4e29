"""ThingTalk to slots, and slots by way of ThingTalk back: a turn's program carries its whole state."""

import json
from importlib.resources import files
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
        (
            'Hotel.Hotel() filter !(id == null^^uk.ac.cam.multiwoz.Hotel:Hotel("elm house")) && area == enum east;',
            {"hotel": {"semi": {"name": "NOT(elm house)", "area": "east"}, "book": {}}},
        ),
        (
            "Hotel.Hotel() filter !(in_array(area, [enum east, enum west]));",
            {"hotel": {"semi": {"area": "NOT(east|west)"}, "book": {}}},
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
        "Hotel.Hotel() filter !(area == enum east && stars == 4);",
        "Hotel.Hotel() filter !(stars >= 4);",
        # An attraction may have no price range, and `!(…)` holds of one: NOT says less.
        "Attraction.Attraction() filter !(price_range == enum cheap);",
    ],
)
def test_what_a_state_cannot_hold_is_noted(multiwoz: Schema, program: str) -> None:
    turn = ThingTalkReader(multiwoz).read(f"{HEAD}{CLASS}.{program}")
    written = write_slots(turn, multiwoz)
    assert status_of(written) == "approximate" and all(note.message for note in written.notes)


def test_every_exact_turn_of_the_invented_corpus_comes_back(multiwoz: Schema) -> None:
    corpus: dict[str, Any] = json.loads(files("dlc").joinpath("data", "multiwoz_sample.json").read_text("utf-8"))
    assert exact_turns_that_come_back(corpus, multiwoz) > 60


@pytest.mark.corpus
def test_every_exact_turn_comes_back_by_way_of_thingtalk(val: dict[str, Any], multiwoz: Schema) -> None:
    turns = sum(len(dialogue["log"]) // 2 for dialogue in val.values())
    assert exact_turns_that_come_back(val, multiwoz) >= 0.95 * turns


def exact_turns_that_come_back(corpus: dict[str, Any], multiwoz: Schema) -> int:
    """How many user turns are exact in ThingTalk; each must come back as its state."""
    memo, names, reader = Memo(multiwoz), ThingTalkMemo(multiwoz), ThingTalkReader(multiwoz)
    fresh = Memo(multiwoz)
    exact = 0
    for name, dialogue in corpus.items():
        for row in read_multiwoz(name, dialogue, multiwoz, memo).turns:
            assert row.program is not None
            written = write_thingtalk(row.program, multiwoz, names)
            if status_of(written, row.notes) != "exact":
                continue
            exact += 1
            again = write_slots(reader.read(written.program), multiwoz, fresh)
            assert again.program == stated(dialogue["log"][row.turn + 1]["metadata"]), written.program
    return exact
