"""Slot states as steps: each state of a corpus is the one before and what the turn changes, said in DL."""

import gzip
import json
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import boats
import pytest

from dlc.compiler.lower import lower_program
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import Turn
from dlc.grammar.parser import parse
from dlc.runtime.step_slots import SlotState, change_between, step_slots, stepped
from dlc.targets.slots.multiwoz import read_multiwoz
from dlc.targets.slots.sgd import ServiceMemo, read_sgd
from dlc.targets.slots.sgd_schema import sgd_schema
from dlc.targets.slots.states import Memo

MULTIWOZ = read_schema((files("dlc") / "data" / "multiwoz.dl").read_text(encoding="utf-8"))
BOATS = sgd_schema(boats.services())


def turn(text: str) -> Turn:
    return lower_program(parse(text))[0][0]


def test_overall_everything_stays_and_the_last_value_counts() -> None:
    state = step_slots(None, turn("user: Hotel | where .area = north and .stars = 4;"), MULTIWOZ)
    state = step_slots(state, turn("user: Train | where .day = monday; Hotel | where .area is any;"), MULTIWOZ)
    state = step_slots(state, turn("user: book_hotel(people: 2);"), MULTIWOZ)
    assert state.shown == state.said == {
        "hotel": {"semi": {"area": "dontcare", "stars": "4"}, "book": {"people": "2"}},
        "train": {"semi": {"day": "monday"}, "book": {}},
    }  # fmt: skip
    assert step_slots(state, turn("user thank:"), MULTIWOZ) == state


def test_per_service_the_others_are_kept_aside() -> None:
    boat = {"Boats_1": {"slots": {"harbour": ["Ely"]}, "intent": "FindBoat", "requested": ["phone"]}}
    inn = {"Inns_1": {"slots": {"city": ["Ely"]}, "intent": "FindInn", "requested": []}}
    back = {"Boats_1": {"slots": {"seats": ["2"]}, "intent": "HireBoat", "requested": []}}
    state = stepped(stepped(None, boat, True), inn, True)
    assert state.shown == inn and set(state.said) == {"Boats_1", "Inns_1"}
    assert stepped(state, back, True).shown == {
        "Boats_1": {"slots": {"harbour": ["Ely"], "seats": ["2"]}, "intent": "HireBoat", "requested": []}
    }
    said = step_slots(None, turn('user: Boats_1_FindBoat | where .harbour = "Ely" | show .phone;'), BOATS)
    assert said == SlotState(boat, frozenset(boat))


def test_a_slot_that_is_taken_back_is_no_step() -> None:
    before = SlotState({"hotel": {"semi": {"area": "north", "stars": "4"}, "book": {}}}, frozenset(("hotel",)))
    assert change_between(before, {"hotel": {"semi": {"area": "north"}, "book": {}}}, False) is None
    assert change_between(before, {}, False) is None
    assert change_between(before, before.said, False) == {}


def steps(states: list[dict[str, Any]], say: Any, schema: Schema, memo: Any) -> int:
    """How many states are a step from the one before; each of them is made again from its turn's printed DL."""
    by_service = schema is not MULTIWOZ
    state: SlotState | None = None
    right = 0
    for after in states:
        change = change_between(state, after, by_service)
        if change is None:
            # Annotators took something back: begin from what they have.
            state = SlotState(after, frozenset(after))
            continue
        state = step_slots(state, turn(print_turn(say(change))), schema, memo)
        assert state.shown == after
        right += 1
    return right


def domains(change: dict[str, Any]) -> Turn:
    (row,) = read_multiwoz("D", {"log": [{"text": None}, {"metadata": change}]}, MULTIWOZ, Memo(MULTIWOZ)).turns
    assert row.program is not None
    return row.program


@pytest.mark.corpus
def test_states_of_multiwoz_are_steps(corpora: Path) -> None:
    with zipfile.ZipFile(corpora / "multiwoz21" / "val.json.zip") as archive:
        val = json.loads(archive.read(archive.namelist()[0]))
    right = total = 0
    memo = Memo(MULTIWOZ)
    for dialogue in list(val.values())[::5]:
        states = []
        for stored in dialogue["log"][1::2]:
            kept = {
                domain: {
                    p: {s: v for s, v in x[p].items() if v not in ("", "not mentioned", [])} for p in ("semi", "book")
                }
                for domain, x in stored["metadata"].items()
            }
            states.append({domain: x for domain, x in kept.items() if any(x.values())})
        total += len(states)
        right += steps(states, domains, MULTIWOZ, memo)
    assert total > 1300 and right / total > 0.97, (right, total)


@pytest.mark.corpus
def test_states_of_sgd_are_steps(corpora: Path) -> None:
    schema = sgd_schema(json.loads((corpora / "sgd" / "train.schema.json").read_text(encoding="utf-8")))
    memo = ServiceMemo(schema)

    def frames(change: dict[str, Any]) -> Turn:
        listed = [
            {
                "service": name, "actions": [], "slots": [],
                "state": {"active_intent": s["intent"], "requested_slots": s["requested"], "slot_values": s["slots"]},
            }
            for name, s in change.items()
        ]  # fmt: skip
        said = {"speaker": "USER", "utterance": "", "frames": listed}
        whole = {"dialogue_id": "D", "services": list(change), "turns": [said]}
        (row,) = read_sgd(whole, schema, memo, frozenset(("user",))).turns
        assert row.program is not None, row.notes
        return row.program

    right = total = 0
    for file in sorted((corpora / "sgd").glob("*dialogues*.gz")):
        for dialogue in json.loads(gzip.decompress(file.read_bytes())):
            states = list(boats.states(dialogue).values())
            total += len(states)
            right += steps(states, frames, schema, memo)
    assert total == 3465 and right / total > 0.97, (right, total)
