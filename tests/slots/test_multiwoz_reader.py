"""MultiWOZ states to DL and back, on invented dialogues: forms of values, statuses, acts, and bad data."""

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import Turn
from dlc.grammar.parser import parse
from dlc.targets.rows import TurnRow
from dlc.targets.slots.multiwoz import read_multiwoz
from dlc.targets.slots.states import Memo
from dlc.targets.slots.write import write_slots

SCHEMA = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
State = dict[str, dict[str, dict[str, Any]]]


def entry(state: State | None = None, acts: Any = None, text: str = "") -> dict[str, Any]:
    return {"text": text, "metadata": state or {}, "dialog_act": acts if acts is not None else {}}


def read(*turns: tuple[Any, State, Any], schema: Schema = SCHEMA) -> tuple[TurnRow, ...]:
    """Turns of (user acts, state after, agent acts)."""
    log = [e for user, state, agent in turns for e in (entry(None, user), entry(state, agent))]
    return read_multiwoz("invented.json", {"goal": {}, "log": log}, schema).turns


def again(turn: Turn) -> Turn:
    """The turn through its printed text."""
    turns, _ = lower_program(parse(print_turn(turn)))
    (turn,) = turns
    return turn


def only(state: State, acts: Any = None) -> TurnRow:
    (row,) = read((acts, state, {}))
    assert row.program is not None
    return row


FORMS = [
    ("hotel", "semi", "area", "north", "Hotel | where .area = north", ""),
    ("hotel", "semi", "type", "guesthouse", "Hotel | where .type = guesthouse", ""),
    ("hotel", "semi", "stars", "4", "Hotel | where .stars = 4", ""),
    ("hotel", "semi", "stars", "04", 'Hotel | where .stars = raw "04"', "DLC302"),
    ("hotel", "semi", "parking", "yes", "Hotel | where .parking = true", ""),
    ("hotel", "semi", "parking", "no", "Hotel | where .parking = false", ""),
    ("hotel", "semi", "parking", "free", 'Hotel | where .parking = raw "free"', "DLC302"),
    ("hotel", "semi", "pricerange", "$100", 'Hotel | where .price_range = raw "$100"', "DLC302"),
    ("hotel", "semi", "area", "dontcare", "Hotel | where .area is any", ""),
    ("hotel", "semi", "area", "do n't care", 'Hotel | where .area = raw "do n\'t care"', "DLC302"),
    ("hotel", "semi", "name", "none", "Hotel | where .name is none", ""),
    ("hotel", "semi", "name", "NOT(hamilton lodge)", 'Hotel | where .name != @"hamilton lodge"', ""),
    ("hotel", "semi", "type", "hotel|guesthouse", "Hotel | where .type in [hotel, guesthouse]", ""),
    ("hotel", "semi", "area", "west|dontcare", 'Hotel | where .area = raw "west|dontcare"', "DLC302"),
    ("hotel", "semi", "pricerange", "cheap>moderate", 'Hotel | where .price_range = raw "cheap>moderate"', "DLC302"),
    ("attraction", "semi", "name", "a b|c d", 'Attraction | where .name in [@"a b", @"c d"]', ""),
    ("attraction", "semi", "name", 'the "old" \\ mill', 'Attraction | where .name = @"the \\"old\\" \\\\ mill"', ""),
    ("restaurant", "semi", "food", "indian", 'Restaurant | where .food = @"indian"', ""),
    ("restaurant", "semi", "food", "thai>indian", 'Restaurant | where .food = raw "thai>indian"', "DLC302"),
    ("train", "semi", "arriveBy", "12:45", "Train | where .arrive_by <= 12:45", ""),
    ("train", "semi", "leaveAt", "24:35", "Train | where .leave_at >= 24:35", ""),
    ("train", "semi", "leaveAt", "9:00", 'Train | where .leave_at >= raw "9:00"', "DLC302"),
    ("train", "semi", "leaveAt", "5:45pm", 'Train | where .leave_at >= raw "5:45pm"', "DLC302"),
    ("train", "semi", "leaveAt", "09:00|10:00", "Train | where .leave_at >= 09:00 or .leave_at >= 10:00", ""),
    ("restaurant", "book", "time", "17:30|16:30", 'book_restaurant(time: raw "17:30|16:30")', "DLC302"),
    ("restaurant", "book", "people", "3", "book_restaurant(people: 3)", ""),
    ("taxi", "semi", "leaveAt", "dontcare", "book_taxi(leave_at: any)", ""),
    ("taxi", "semi", "arriveBy", "none", "book_taxi(arrive_by: none)", ""),
    ("taxi", "semi", "departure", "ruskin gallery", 'book_taxi(departure: @"ruskin gallery")', ""),
    ("hospital", "semi", "department", "cardiology", 'Hospital | where .department = @"cardiology"', ""),
    ("bus", "semi", "day", "monday", "Bus | where .day = monday", ""),
    ("train", "book", "ticket", "day pass", 'book_train(ticket: "day pass")', ""),
]


@pytest.mark.parametrize(("domain", "part", "slot", "value", "text", "lint"), FORMS)
def test_each_form_of_value(domain: str, part: str, slot: str, value: str, text: str, lint: str) -> None:
    state = {domain: {"semi": {}, "book": {"booked": []}}}
    state[domain][part][slot] = value
    row = only(state)
    assert row.program is not None
    assert print_turn(row.program) == f"user: {text};"
    assert [n.code for n in row.notes] == ([lint] if lint else [])
    assert Checker(SCHEMA).check_turn(again(row.program)).ok
    written = write_slots(again(row.program), SCHEMA)
    assert written.program == {domain: {"semi": {}, "book": {}, part: {slot: value}}}
    assert not any(n.loss for n in written.notes)


def test_values_that_say_nothing_are_absent() -> None:
    row = only({"hotel": {"semi": {"area": "", "name": "not mentioned"}, "book": {"day": "", "booked": []}}})
    assert row.program == Turn("user")
    assert print_turn(Turn("user")) == "user:"


def test_booked_name_is_passed_on_and_the_outcome_stands_apart_when_asked_again() -> None:
    booked = {"name": "elm house", "reference": "AB12"}
    hotel = {"hotel": {"semi": {"name": "elm house"}, "book": {"people": "2", "booked": [booked]}}}
    first, second = read(({"Hotel-Inform": [["People", "2"]]}, hotel, {}), ({"general-thank": []}, hotel, {}))
    assert first.program is not None and second.program is not None
    assert print_turn(first.program) == (
        'user inform: confirmed Hotel | where .name = @"elm house"; '
        'book_hotel -> [{ name: @"elm house", ref: "AB12" }]; book_hotel(hotel: @"elm house", people: 2);'
    )
    assert print_turn(second.program) == (
        'user thank: confirmed Hotel | where .name = @"elm house"; '
        'book_hotel(hotel: @"elm house", people: 2) -> [{ name: @"elm house", ref: "AB12" }];'
    )
    for row in (first, second):
        assert row.program is not None
        assert write_slots(again(row.program), SCHEMA).program == hotel


def test_what_changed_is_accepted_and_the_rest_confirmed() -> None:
    one = {"hotel": {"semi": {"area": "north"}, "book": {}}}
    two = one | {"train": {"semi": {"day": "friday"}, "book": {}}}
    three = {"hotel": {"semi": {"area": "not mentioned"}, "book": {}}} | {"train": two["train"]}
    rows = read((None, one, None), (None, two, None), (None, three, None))
    assert [print_turn(r.program) for r in rows if r.program] == [
        "user: Hotel | where .area = north;",
        "user: confirmed Hotel | where .area = north; Train | where .day = friday;",
        "user: confirmed Train | where .day = friday;",
    ]


def test_a_request_shows_the_field_and_is_no_loss_in_slots() -> None:
    state = {"hotel": {"semi": {"area": "north"}, "book": {}}}
    acts = {"Hotel-Request": [["Phone", "?"], ["Post", "?"]]}
    row = read(({"Hotel-Inform": [["Area", "north"]]}, state, {}), (acts, state, {}))[1]
    assert row.program is not None
    shown = "user request(Hotel.phone, Hotel.postcode): Hotel | where .area = north | show .phone, .postcode;"
    assert print_turn(row.program) == shown
    assert not any(n.loss for n in write_slots(row.program, SCHEMA).notes)
    silent = Turn("user", (), row.program.statements)
    assert [n.part for n in write_slots(silent, SCHEMA).notes if n.loss] == ["Hotel.phone", "Hotel.postcode"]


def test_a_reference_of_something_booked_is_asked_by_the_act_alone() -> None:
    state = {"taxi": {"semi": {"departure": "ely"}, "book": {"booked": []}}}
    rows = read(
        ({"Taxi-Inform": [["Depart", "ely"]]}, state, {"Taxi-Inform": [["Car", "white audi"]]}),
        ({"Taxi-Request": [["Phone", "?"]]}, state, {}),
    )
    assert rows[1].program is not None
    assert print_turn(rows[1].program) == 'user request(book_taxi.phone): confirmed book_taxi(departure: @"ely");'


def test_thanks_ask_for_nothing_even_when_the_state_moves() -> None:
    row = only({"hotel": {"semi": {"area": "north"}, "book": {}}}, {"general-thank": [["none", "none"]]})
    assert row.program is not None
    assert print_turn(row.program) == "user thank: confirmed Hotel | where .area = north;"


def agent(acts: dict[str, Any], state: dict[str, Any] | None = None, schema: Schema = SCHEMA) -> TurnRow:
    """The agent's turn after a user's with a state."""
    log = [entry(), entry(state or {}, acts)]
    (row,) = read_multiwoz("x", {"log": log}, schema, speakers=frozenset(("agent",))).turns
    assert (row.turn, row.speaker) == (1, "agent") and row.program is not None
    assert Checker(schema).check_turn(row.program).ok
    assert again(row.program) == row.program
    return row


HOTEL = {"hotel": {"semi": {"area": "north"}, "book": {"day": "monday"}}}


@pytest.mark.parametrize(
    ("acts", "text"),
    [
        ({"Hotel-Request": [["Area", "?"]], "general-reqmore": [["none", "none"]]},
         "agent request(Hotel.area), reqmore:"),
        ({"Hotel-Inform": [["Choice", "3"]]}, "agent inform: Hotel | where .area = north -> [] of 3;"),
        ({"Hotel-Inform": [["Choice", "several"], ["Stars", "4"], ["Area", "south"]]},
         "agent inform(Hotel.stars, Hotel.area): Hotel | where .stars = 4 and .area = south -> [] more;"),
        ({"Hotel-Inform": [["Choice", "two"], ["Name", "acorn"], ["Name", "elm"], ["Post", "cb1"], ["Post", "cb2"]]},
         "agent inform(Hotel.name, Hotel.postcode): Hotel | where .area = north -> "
         '[{ name: @"acorn", postcode: "cb1" }, { name: @"elm", postcode: "cb2" }];'),
        ({"Hotel-Recommend": [["Name", "acorn"]], "Hotel-Inform": [["Name", "acorn"], ["Stars", "four"]]},
         "agent recommend(Hotel.name), inform(Hotel.name, Hotel.stars): Hotel | where .area = north -> "
         '[{ name: @"acorn", stars: raw "four" }];'),
        ({"Hotel-Inform": [["Choice", "1"], ["Name", "acorn"], ["Name", "elm"]]},
         'agent inform(Hotel.name): Hotel | where .area = north -> [{ name: @"acorn" }, { name: @"elm" }];'),
        ({"Hotel-Select": [["Price", "cheap"], ["Price", "moderate"]]},
         "agent select(Hotel.price_range): proposed Hotel | where .price_range in [cheap, moderate];"),
        ({"Train-Select": [["Leave", "09:00"]]},
         "agent select(Train.leave_at): proposed Train | where .leave_at >= 09:00;"),
        ({"Hotel-NoOffer": [["Type", "hotel"]]},
         "agent no_offer(Hotel.type): Hotel | where .area = north and .type = hotel -> [];"),
        ({"Hotel-OfferBook": [["none", "none"]], "Hotel-Recommend": [["Name", "acorn"]]},
         'agent offer_book, recommend(Hotel.name): Hotel | where .area = north -> [{ name: @"acorn" }]; '
         'proposed book_hotel(hotel: @"acorn", day: monday);'),
        ({"Train-OfferBook": [["People", "2"]]},
         "agent offer_book(book_train.people): proposed book_train(people: 2);"),
        ({"Train-OfferBooked": [["Ref", "X1"], ["Id", "TR1"], ["Ticket", "9 pounds"]]},
         "agent offer_booked(book_train.ref, Train.id, Train.price): "
         'Train -> [{ id: @"TR1", price: raw "9 pounds" }]; book_train(train: @"TR1") -> [{ ref: "X1" }];'),
        ({"Taxi-Inform": [["Car", "white audi"], ["Phone", "07"], ["Leave", "09:00"]]},
         "agent inform(book_taxi.car, book_taxi.phone, book_taxi.leave_at): "
         'book_taxi(leave_at: 09:00) -> [{ car: "white audi", phone: @"07" }];'),
        ({"Taxi-Inform": [["Leave", "09:00"]]},
         "agent inform(book_taxi.leave_at): proposed book_taxi(leave_at: 09:00);"),
        ({"Hotel-Inform": [["Internet", "none"]]}, "agent inform(Hotel.internet):"),
    ],
)  # fmt: skip
def test_what_agents_say(acts: dict[str, Any], text: str) -> None:
    state = HOTEL if any(name.startswith("Hotel") for name in acts) else {}
    row = agent(acts, state)
    assert row.program is not None and print_turn(row.program) == text
    assert not row.notes


@pytest.mark.parametrize(
    ("acts", "statements"),
    [
        ({"Booking-Book": [["Ref", "AB"], ["Day", "friday"]]}, ' book_hotel(day: friday) -> [{ ref: "AB" }];'),
        ({"Booking-NoBook": [["Day", "friday"]]}, " book_hotel(day: friday) -> [] error no_slot_available;"),
        ({"Booking-Inform": [["none", "none"]]}, " proposed book_hotel(day: monday);"),
        ({"Booking-Request": [["Stay", "?"]]}, ""),
    ],
)
def test_acts_about_a_booking_are_about_the_domain_being_talked_about(acts: dict[str, Any], statements: str) -> None:
    row = agent(acts, HOTEL)
    assert row.program is not None and not row.notes
    assert print_turn(Turn("agent", (), row.program.statements)) == f"agent:{statements}"


def test_what_has_no_place_in_a_statement_is_named() -> None:
    assert [n.code for n in agent({"Booking-Book": [["Ref", "AB"]]}).notes] == ["DLC307"]
    assert [n.code for n in agent({"Hotel-Inform": [["Moat", "deep"], ["Stars", "4"]]}).notes] == ["DLC307"]
    assert [(n.code, n.loss) for n in agent({"Hotel-Boast": [["Stars", "4"]]}).notes] == [
        ("DLC306", False), ("DLC307", True),
    ]  # fmt: skip


def test_turns_count_both_speakers_and_json_is_dropped_from_the_name() -> None:
    rows = read(*[(None, {}, None)] * 3)
    assert [r.turn for r in rows] == [0, 2, 4]
    assert {r.dialogue_id for r in rows} == {"invented"}


BAD = [
    ({"spaceport": {"semi": {"gate": "7"}, "book": {}}}, "DLC301", "spaceport.semi.gate"),
    ({"hotel": {"semi": {"starz": "4"}, "book": {}}}, "DLC301", "hotel.semi.starz"),
    ({"hotel": {"semi": {"stars": 4}, "book": {}}}, "DLC303", "hotel.semi.stars"),
    ({"hotel": {"semi": {"stars": ["4"]}, "book": {}}}, "DLC303", "hotel.semi.stars"),
    ({"hotel": {"semi": {"stars": None}, "book": {}}}, "DLC303", "hotel.semi.stars"),
    ({"hotel": {"semi": ["stars"], "book": {}}}, "DLC303", "hotel.semi"),
    ({"hotel": "north"}, "DLC303", "hotel"),
    ({"hotel": {"semi": {}, "book": {"booked": "yes"}}}, "DLC303", "hotel.book.booked"),
    ({"hotel": {"semi": {}, "book": {"booked": ["yes"]}}}, "DLC303", "hotel.book.booked"),
    ({"hotel": {"semi": {}, "book": {"booked": [{"bed": "2"}]}}}, "DLC301", "hotel.book.booked.bed"),
    ({"hotel": {"semi": {}, "book": {"booked": [{"name": 2}]}}}, "DLC303", "hotel.book.booked.name"),
]


@pytest.mark.parametrize(("state", "code", "part"), BAD)
def test_what_cannot_be_read_is_named_and_the_rest_kept(state: Any, code: str, part: str) -> None:
    row = only(state | {"train": {"semi": {"day": "monday"}, "book": {}}})
    assert [(n.code, n.part, n.loss) for n in row.notes] == [(code, part, True)]
    assert row.program is not None
    written = write_slots(row.program, SCHEMA).program
    assert written["train"] == {"semi": {"day": "monday"}, "book": {}}


@pytest.mark.parametrize("dialogue", [None, [], {}, {"log": {}}, {"log": None}])
def test_a_dialogue_without_turns_is_rejected_not_raised(dialogue: Any) -> None:
    (row,) = read_multiwoz("d", dialogue, SCHEMA).turns
    assert row.program is None and [n.code for n in row.notes] == ["DLC304"]


def test_a_broken_turn_is_rejected_and_the_next_is_read() -> None:
    log: list[Any] = [entry(), {"text": ""}, 7, entry(), entry(), entry({"hotel": {"semi": {"area": "east"}}}), entry()]
    rows = read_multiwoz("d", {"log": log}, SCHEMA, speakers=frozenset(("user", "agent"))).turns
    user = [r for r in rows if r.speaker == "user"]
    assert [r.program is None for r in user] == [True, True, False, True]
    assert [n.code for r in user for n in r.notes] == ["DLC304", "DLC304", "DLC305"]


@pytest.mark.parametrize("acts", ["No Annotation", None, [], {"x": 1}, {"Hotel-Inform": [1, ["Area"], ["a", 2]]}])
def test_acts_of_any_shape_are_read_or_ignored(acts: Any) -> None:
    (row,) = read((acts, {"hotel": {"semi": {"area": "east"}}}, acts))
    assert row.program is not None
    assert len(row.program.statements) == 1


def test_an_undeclared_act_keeps_its_name_and_is_a_lint() -> None:
    row = only({}, {"general-sneeze": [["none", "none"]]})
    assert row.program is not None
    assert print_turn(row.program) == "user sneeze:"
    assert [(n.code, n.loss) for n in row.notes] == [("DLC306", False)]


def test_memo_does_not_change_what_is_read() -> None:
    loaded = json.loads(files("dlc").joinpath("data", "multiwoz_sample.json").read_text(encoding="utf-8"))
    memo = Memo(SCHEMA)
    small = Memo(SCHEMA, limit=1)
    for name, dialogue in loaded.items():
        alone = read_multiwoz(name, dialogue, SCHEMA)
        assert read_multiwoz(name, dialogue, SCHEMA, memo) == alone == read_multiwoz(name, dialogue, SCHEMA, small)


def test_schema_text_is_canonical_up_to_layout() -> None:
    assert read_schema(print_schema(SCHEMA)) == SCHEMA


# ---------------------------------------------------------------- any value of any slot

TEXTS = st.one_of(
    st.sampled_from(["dontcare", "none", "4", "12:30", "north", "yes", "a|b", "NOT(x)", "NOT(a|b)", "|", "a<b", "raw"]),
    st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12),
).filter(lambda text: text not in ("", "not mentioned"))
SLOTS = [(d, *slot.split(".")) for d, found in Memo(SCHEMA).layout.domains.items() for slot in found.slots]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(SLOTS), TEXTS, max_size=6))
def test_any_text_in_any_slot_comes_back_through_printed_text(values: dict[tuple[str, str, str], str]) -> None:
    state: State = {}
    for (domain, part, slot), value in values.items():
        state.setdefault(domain, {"semi": {}, "book": {}})[part][slot] = value
    row = only(state)
    assert row.program is not None
    turn = again(row.program)
    assert turn == row.program
    assert write_slots(turn, SCHEMA).program == state
