"""MultiWOZ states to dataflow programs: each rule of the recipe on invented dialogues."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.targets.dataflow.multiwoz import SLOTS, Options, dataflow_programs, flat_belief, mentioned
from dlc.targets.dataflow.salience import NoSalience, VanillaSalience
from dlc.targets.dataflow.writer import write_program

Belief = dict[str, str]


@dataclass(frozen=True)
class _Turn:
    user: str
    belief: Belief
    system: str = ""


def _programs(*turns: _Turn, **flags: bool) -> list[str]:
    return [write_program(program) for program in dataflow_programs(turns, Options(**flags))]


_REVISE = (
    "(ReviseConstraint :new {} :oldLocation (Constraint[Constraint[{}]])"
    ' :rootLocation (roleConstraint #(Path "output")))'
)


def test_find_then_revise_then_nothing() -> None:
    first = _Turn("a room in the east", {"hotel-area": "east"})
    second = _Turn("with 4 stars", {"hotel-area": "east", "hotel-stars": "4"})
    third = _Turn("thank you", second.belief)
    assert _programs(first, second, third) == [
        '(find (Constraint[Hotel] :area (?= "east")))',
        _REVISE.format('(Constraint[Hotel] :stars (?= "4"))', "Hotel"),
        "()",
    ]


def test_domains_in_alphabetical_order_under_do() -> None:
    turn = _Turn("a thai place and a train on monday", {"train-day": "monday", "restaurant-food": "thai"})
    assert _programs(turn) == [
        '(do (find (Constraint[Restaurant] :food (?= "thai"))) (find (Constraint[Train] :day (?= "monday"))))'
    ]


def test_a_value_said_again_is_repeated_unless_it_is_yes() -> None:
    belief = {"hotel-area": "east", "hotel-parking": "yes"}
    assert _programs(_Turn("east and parking yes", belief), _Turn("yes east yes", belief))[1] == _REVISE.format(
        '(Constraint[Hotel] :area (?= "east"))', "Hotel"
    )


def test_what_the_system_says_is_no_repetition_but_is_a_mention() -> None:
    first = _Turn("a thai place", {"restaurant-food": "thai"})
    second = _Turn("book that", {"restaurant-food": "thai", "restaurant-name": "blue lime"}, "blue lime serves thai")
    assert _programs(first, second)[1] == _REVISE.format(
        '(Constraint[Restaurant] :name (?= "blue lime"))', "Restaurant"
    )


def test_refer_where_the_value_is_not_mentioned_and_salient() -> None:
    first = _Turn("a table for 5 on monday", {"restaurant-book people": "5", "restaurant-book day": "monday"})
    second = _Turn("a train for all of us, same day", {**first.belief, "train-book people": "5", "train-day": "monday"})
    assert _programs(first, second)[1] == (
        "(find (Constraint[Train] :book-people (refer (Constraint[Book-people])) :day (refer (Constraint[Day]))))"
    )
    for flag in ("no_refer", "no_revise"):
        assert "refer" not in "".join(_programs(first, second, **{flag: True}))


def test_a_value_that_is_neither_mentioned_nor_salient_is_written_out() -> None:
    assert _programs(_Turn("hello", {"hotel-area": "west"})) == ['(find (Constraint[Hotel] :area (?= "west")))']


def test_deletion_and_abandon_and_a_new_find() -> None:
    both = {"taxi-destination": "abbey", "taxi-leaveat": "10:00", "hotel-stars": "4"}
    one = {"taxi-destination": "abbey", "hotel-stars": "4"}
    none = {"hotel-stars": "4"}
    programs = _programs(
        _Turn("a taxi to abbey at 10:00 and 4 stars", both),
        _Turn("any time", one),
        _Turn("no taxi", none),
        _Turn("a taxi to abbey", one),
    )
    assert programs[1:] == [
        _REVISE.format("(Constraint[Taxi] :leaveat (EmptyConstraint))", "Taxi"),
        "(abandon (Constraint[Taxi]))",
        '(find (Constraint[Taxi] :destination (?= "abbey")))',
    ]


def test_other_domains_and_none_are_kept_or_dropped_as_asked() -> None:
    turn = _Turn("", {"hospital-department": "eyes", "hotel-area": "none", "hotel-book day": "monday"})
    assert flat_belief(turn.belief, Options()) == {"hotel-area": "none", "hotel-book-day": "monday"}
    assert flat_belief(turn.belief, Options(remove_none=True)) == {"hotel-book-day": "monday"}
    assert "hospital-department" in flat_belief(turn.belief, Options(keep_all_domains=True))
    filled = flat_belief(turn.belief, Options(fill_none=True))
    assert filled.keys() == {f"hotel-{slot}" for slot in SLOTS["hotel"]}
    assert filled["hotel-book-day"] == "monday" and filled["hotel-stars"] == "none"


def test_no_revise_says_the_whole_state_every_turn() -> None:
    turns = (_Turn("east", {"hotel-area": "east"}), _Turn("thanks", {"hotel-area": "east"}))
    assert _programs(*turns, no_revise=True) == ['(find (Constraint[Hotel] :area (?= "east")))'] * 2


def test_avoid_empty_plan_repeats_the_last_change() -> None:
    turns = [_Turn("east", {"hotel-area": "east"}), _Turn("thanks", {"hotel-area": "east"})]
    assert _programs(*turns, avoid_empty_plan=True)[1] == _REVISE.format(
        "(Constraint[Hotel] :area (refer (Constraint[Area])))", "Hotel"
    )


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("east", "in the east.", True),
        ("east", "eastern", False),
        ("east", "northeast east", True),
        ("4", "14 or 4_", False),
        ("b&b", "a b&b room", True),
        ("(x", "a(x", True),
        ("(x", "a (x", False),
        ("1", "a single room", True),
        ("1", "just one", True),
        ("2", "just two", False),
        ("09:15", "at 9:15", True),
        ("19:15", "at 9:15", False),
        ("guest house", "a guesthouse", True),
        ("", "word", True),
        ("", " .", False),
    ],
)
def test_mentioned(value: str, text: str, expected: bool) -> None:
    assert mentioned(value, text) is expected


def test_salience_prefers_the_slot_then_its_group_in_fixed_order() -> None:
    model = VanillaSalience()
    trace = {"departure": ["ely"], "name": ["hall", "none", None], "area": ["east", "dontcare"]}
    assert model.salient("departure", trace) == "ely"
    assert model.salient("destination", trace) == "hall"
    assert model.salient("area", trace) == "east"
    assert model.salient("food", trace) is None
    assert model.salient("stars", trace) is None
    assert NoSalience().salient("area", trace) is None


_values = st.sampled_from(["east", "4", "1", "yes", "none", "dontcare", "09:15", "guest house", "monday"])
_slots = st.sampled_from([f"{domain}-{slot}" for domain in ("hotel", "train", "taxi") for slot in SLOTS[domain]])
_words = st.lists(_values | st.sampled_from(["9:15", "one", "guesthouse", "hi"]), max_size=3).map(" ".join)
_turns = st.lists(st.builds(_Turn, _words, st.dictionaries(_slots, _values, max_size=6), _words), max_size=6)


@given(_turns, st.booleans(), st.booleans(), st.booleans())
def test_executing_the_programs_restores_the_states(
    overlay: Callable[..., list[Belief]], turns: list[_Turn], no_refer: bool, no_revise: bool, remove_none: bool
) -> None:
    options = Options(no_refer=no_refer, no_revise=no_revise, remove_none=remove_none)
    programs = dataflow_programs(turns, options)
    assert overlay(programs, options) == [flat_belief(turn.belief, options) for turn in turns]
