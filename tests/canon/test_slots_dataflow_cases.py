"""The same request written as slot states and as dataflow is one canonical DL program, turn by turn."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dlc.canon_command import canonical_rows
from dlc.conversion import units
from dlc.options import Options
from dlc.sources import source

PATH = ' :rootLocation (roleConstraint #(Path "output")))'


def eq(slot: str, value: str) -> str:
    return f":{slot} (?= {json.dumps(value)})"


def constraint(domain: str, *fields: str) -> str:
    return " ".join((f"(Constraint[{domain}]", *fields)) + ")"


def find(domain: str, *fields: str) -> str:
    return f"(find {constraint(domain, *fields)})"


def revise(domain: str, *fields: str) -> str:
    return f"(ReviseConstraint :new {constraint(domain, *fields)} :oldLocation (Constraint[Constraint[{domain}]]){PATH}"


def refer(slot: str, name: str | None = None) -> str:
    return f":{slot} (refer (Constraint[{(name or slot).capitalize()}]))"


def gone(slot: str) -> str:
    return f":{slot} (EmptyConstraint)"


def both(*statements: str) -> str:
    return f"(do {' '.join(statements)})"


State = dict[str, dict[str, Any]]


def semi(**slots: str) -> dict[str, Any]:
    return {"semi": slots, "book": {"booked": []}}


def booking(book: dict[str, str], **slots: str) -> dict[str, Any]:
    return {"semi": slots, "book": {**book, "booked": []}}


EAST = {"hotel": semi(area="east")}
TAXI = {"taxi": semi(departure="abbey", leaveAt="10:00")}

CASES: dict[str, list[tuple[State, str]]] = {
    "one slot": [(EAST, find("Hotel", eq("area", "east")))],
    "several slots in another order": [
        ({"hotel": semi(stars="4", area="east")}, find("Hotel", eq("area", "east"), eq("stars", "4"))),
    ],
    "a truth value": [({"hotel": semi(parking="yes", internet="no")}, find("Hotel", eq("internet", "no"), eq("parking", "yes")))],
    "an open enum": [({"restaurant": semi(food="thai")}, find("Restaurant", eq("food", "thai")))],
    "a name": [({"attraction": semi(name="blue hall")}, find("Attraction", eq("name", "blue hall")))],
    "a name with quotes and a backslash": [({"attraction": semi(name='the "\\" hall')}, find("Attraction", eq("name", 'the "\\" hall')))],
    "letters beyond ASCII": [({"restaurant": semi(name="café olé")}, find("Restaurant", eq("name", "café olé")))],
    "capital letters": [({"restaurant": semi(name="Blue Lime")}, find("Restaurant", eq("name", "Blue Lime")))],
    "do not care": [({"hotel": semi(area="dontcare")}, find("Hotel", eq("area", "dontcare")))],
    "none": [({"hotel": semi(area="none", stars="3")}, find("Hotel", eq("area", "none"), eq("stars", "3")))],
    "alternatives": [({"hotel": semi(type="hotel|guesthouse")}, find("Hotel", eq("type", "hotel|guesthouse")))],
    "a negation": [({"hotel": semi(name="NOT(abbey)")}, find("Hotel", eq("name", "NOT(abbey)")))],
    "comparisons that slots imply": [
        ({"train": semi(leaveAt="09:15", arriveBy="12:00")}, find("Train", eq("arriveby", "12:00"), eq("leaveat", "09:15"))),
    ],
    "a value that is no time": [({"train": semi(leaveAt="after lunch")}, find("Train", eq("leaveat", "after lunch")))],
    "a price outside the enum": [({"hotel": semi(pricerange="$100")}, find("Hotel", eq("pricerange", "$100")))],
    "a booking": [
        (
            {"restaurant": booking({"day": "monday", "people": "5", "time": "14:30"})},
            find("Restaurant", eq("book-day", "monday"), eq("book-people", "5"), eq("book-time", "14:30")),
        ),
    ],
    "a booking of what is named": [
        (
            {"hotel": booking({"people": "2", "stay": "3"}, name="abbey")},
            find("Hotel", eq("book-people", "2"), eq("book-stay", "3"), eq("name", "abbey")),
        ),
    ],
    "a taxi, which is an action only": [(TAXI, find("Taxi", eq("departure", "abbey"), eq("leaveat", "10:00")))],
    "a hospital and a bus": [
        (
            {"bus": semi(departure="ely", day="monday"), "hospital": semi(department="eyes")},
            both(find("Bus", eq("day", "monday"), eq("departure", "ely")), find("Hospital", eq("department", "eyes"))),
        ),
    ],
    "two domains": [
        (
            {"hotel": semi(area="east"), "train": semi(day="friday")},
            both(find("Hotel", eq("area", "east")), find("Train", eq("day", "friday"))),
        ),
    ],
    "a slot more": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({"hotel": semi(area="east", stars="4")}, revise("Hotel", eq("stars", "4"))),
    ],
    "another value": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({"hotel": semi(area="west")}, revise("Hotel", eq("area", "west"))),
    ],
    "a revision of a revision": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({"hotel": semi(area="east", stars="4")}, revise("Hotel", eq("stars", "4"))),
        ({"hotel": semi(area="east", stars="3")}, revise("Hotel", eq("stars", "3"))),
    ],
    "a slot taken back": [
        ({"hotel": semi(area="east", stars="4")}, find("Hotel", eq("area", "east"), eq("stars", "4"))),
        (EAST, revise("Hotel", gone("stars"))),
    ],
    "nothing new": [(EAST, find("Hotel", eq("area", "east"))), (EAST, "()")],
    "a booking added to a query": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({"hotel": booking({"people": "2"}, area="east")}, revise("Hotel", eq("book-people", "2"))),
    ],
    "back to an earlier domain": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({**EAST, "train": semi(day="friday")}, find("Train", eq("day", "friday"))),
        ({"hotel": semi(area="east", stars="2"), "train": semi(day="friday")}, revise("Hotel", eq("stars", "2"))),
    ],
    "the same area": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({**EAST, "restaurant": semi(area="east")}, find("Restaurant", refer("area"))),
    ],
    "the last value of the slot, not the first": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({"hotel": semi(area="west")}, revise("Hotel", eq("area", "west"))),
        ({"hotel": semi(area="west"), "attraction": semi(area="west")}, find("Attraction", refer("area"))),
    ],
    "a place for a place": [
        ({"hotel": semi(name="abbey")}, find("Hotel", eq("name", "abbey"))),
        ({"hotel": semi(name="abbey"), "taxi": semi(departure="abbey")}, find("Taxi", refer("departure"))),
    ],
    "what is referred to is not what is dontcare": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({"hotel": semi(area="dontcare")}, revise("Hotel", eq("area", "dontcare"))),
        ({"hotel": semi(area="dontcare"), "attraction": semi(area="east")}, find("Attraction", refer("area"))),
    ],
    "a reference to what a reference gave": [
        (EAST, find("Hotel", eq("area", "east"))),
        ({**EAST, "restaurant": semi(area="east")}, find("Restaurant", refer("area"))),
        ({**EAST, "restaurant": semi(area="east"), "attraction": semi(area="east")}, find("Attraction", refer("area"))),
    ],
    "a request dropped": [(TAXI, find("Taxi", eq("departure", "abbey"), eq("leaveat", "10:00"))), ({}, "(abandon (Constraint[Taxi]))")],
    "dropped and opened again": [
        ({**EAST, **TAXI}, both(find("Hotel", eq("area", "east")), find("Taxi", eq("departure", "abbey"), eq("leaveat", "10:00")))),
        (EAST, "(abandon (Constraint[Taxi]))"),
        ({**EAST, "taxi": semi(destination="ely")}, find("Taxi", eq("destination", "ely"))),
        ({**EAST, "taxi": semi(destination="ely", leaveAt="11:00")}, revise("Taxi", eq("leaveat", "11:00"))),
    ],
    "two revisions in a turn": [
        ({**EAST, "train": semi(day="friday")}, both(find("Hotel", eq("area", "east")), find("Train", eq("day", "friday")))),
        (
            {"hotel": semi(area="north"), "train": semi(day="sunday")},
            both(revise("Hotel", eq("area", "north")), revise("Train", eq("day", "sunday"))),
        ),
    ],
}  # fmt: skip


def canonical(lang: str, path: Path, options: Options) -> list[str]:
    rows = canonical_rows(lang, options)

    def never(diagnostic: object) -> None:
        raise AssertionError(diagnostic)

    return [row["program"] for unit in units(source(lang), [str(path)], never) for row, _, _ in rows(unit)]


def log(states: Iterable[State]) -> list[dict[str, Any]]:
    return [turn for state in states for turn in ({"text": "", "metadata": {}}, {"text": "", "metadata": state})]


@pytest.mark.parametrize("name", CASES)
def test_one_program(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    slots, dataflow = tmp_path / "states.json", tmp_path / "programs.jsonl"
    slots.write_text(json.dumps({"d.json": {"log": log(state for state, _ in case)}}))
    dataflow.write_text("\n".join(json.dumps({"dialogue_id": "d", "program": text}) for _, text in case))
    one = canonical("multiwoz", slots, Options())
    other = canonical("dataflow", dataflow, Options(schema="multiwoz"))
    assert one == other
    assert all(program.startswith("user:") for program in one) and len(one) == len(case)
    assert not any(word in " ".join(one) for word in ("find", "refer", "Constraint"))


def test_there_are_many_kinds() -> None:
    assert len(CASES) >= 20
