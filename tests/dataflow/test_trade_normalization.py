"""`trade@1`: the published normalization of MultiWOZ texts and labels, faults included."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.targets.slots.trade import fix_label, normalize_text, trade_belief, trade_turns, trade_value


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("  Hello There. ", "hello there ."),
        ("A B&B, please!", "a bed and breakfast , please !"),
        ("a club and bar", "a clubed and breakfastar"),
        ("it\u2019s 5.30 or 7,5?", "it s 5.30 or 7,5 ?"),
        ("the driver's car", "the driver s car"),
        ("I don't know; really", "i do not know , really"),
        ("east/west", "east and west"),
        ('alpha-milton "x" <y> (z) @', "alpha milton x y z"),
        ("restaurant two two", "restaurant 2 two"),
        ("gallery at twelve", "gallery at 12"),
        ("cb 2 1 ab", "cb 21 ab"),
        ("call 01223 323 361", "call 01223323361"),
        ("good bye", "goodbye"),
        ("cheaper hotels", "cheap -er hotel -s"),
        ("'quoted' words", "quoted words"),
        ("?what", "? what"),
        ("", ""),
        ("...", ". ."),
    ],
)
def test_text(text: str, normalized: str) -> None:
    assert normalize_text(text) == normalized


@pytest.mark.parametrize(
    ("slot", "value", "fixed"),
    [
        ("hotel-type", "guesthouse", "guest house"),
        ("hotel-type", "bed and breakfast", "none"),
        ("hotel-type", "4", "hotel"),
        ("hotel-stars", "4 stars", "4"),
        ("hotel-internet", "4", "none"),
        ("hotel-internet", "free", "yes"),
        ("hotel-internet", "free internet", "yes"),
        ("hotel-pricerange", "2", "none"),
        ("hotel-pricerange", "ch", "cheap"),
        ("restaurant-area", "no", "north"),
        ("restaurant-area", "moderate", "none"),
        ("restaurant-area", "cambridge", "none"),
        ("attraction-area", "cambridge", "cambridge"),
        ("attraction-area", "cent", "centre"),
        ("hotel-book day", "we", "wednesday"),
        ("hotel-book day", "t", "none"),
        ("train-day", "no", "none"),
        ("train-destination", "not mentioned", "none"),
        ("restaurant-food", "any", "dontcare"),
        ("hospital-department", "any", "any"),
        ("bus-day", "t", "t"),
        ("attraction-type", "concert", "concert hall"),
    ],
)
def test_labels(slot: str, value: str, fixed: str) -> None:
    assert fix_label(slot, value) == fixed


def test_absent_and_dont_care() -> None:
    assert trade_value("hotel", "semi", "area", "") is None
    assert trade_value("hotel", "semi", "area", "not mentioned") is None
    assert trade_value("hotel", "book", "day", "") is None
    assert trade_value("hotel", "book", "day", "not mentioned") == "none"
    assert trade_value("hotel", "book", "day", "not mentioned", fix=False) == "not mentioned"
    for spelling in ("dont care", "dontcare", "don't care", "do not care"):
        assert trade_value("hotel", "semi", "area", spelling) == "dontcare"
    assert trade_value("hotel", "semi", "area", "none") == "none"


_METADATA: dict[str, Any] = {
    "hotel": {
        "book": {"stay": "2", "booked": [{"name": "x"}], "day": "Monday"},
        "semi": {"area": "Center", "name": "not mentioned", "type": ""},
    },
    "train": {"book": {"booked": [], "people": ""}, "semi": {"leaveAt": "09:15", "arriveBy": "dont care"}},
    "bus": {"book": {"booked": []}, "semi": {"day": "monday"}},
    "police": {"book": {"booked": []}, "semi": {}},
}


def test_belief() -> None:
    belief = trade_belief(_METADATA)
    assert list(belief.items()) == [
        ("hotel-book day", "monday"),
        ("hotel-book stay", "2"),
        ("hotel-area", "centre"),
        ("train-leaveat", "09:15"),
        ("train-arriveby", "dontcare"),
    ]
    assert trade_belief(_METADATA, fix=False)["hotel-area"] == "center"
    assert trade_belief({}) == {}


def test_turns() -> None:
    log = [
        {"text": "Hi!", "metadata": {}},
        {"text": "Hello.", "metadata": _METADATA},
        {"text": "Thanks", "metadata": {}},
        {"text": "Bye", "metadata": {}},
    ]
    turns = trade_turns(log)
    assert turns is not None
    assert [(turn.system, turn.user, len(turn.belief)) for turn in turns] == [("", "hi !", 5), ("hello .", "thanks", 0)]
    assert trade_turns(log[:3]) is None
    assert trade_turns([{"text": "word " * 51}, {"text": ""}]) is None
    assert trade_turns([{"text": "café"}, {"text": ""}]) is None
    assert trade_turns([]) == []


@given(st.text(alphabet="ab1 2'.,?!-/()s&\n;", max_size=30))
def test_any_text_is_normalized_to_single_spaced_lower_case(text: str) -> None:
    normalized = normalize_text(text)
    assert normalized == " ".join(normalized.split()).lower()
    assert not set('"<>@();/') & set(normalized)
