"""The invented corpus in the package shows every feature that the MultiWOZ reader must cope with.

The layout is read here by hand, apart from the reader, so that a fault of the reader cannot hide a gap in the corpus.
"""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

DOMAINS = {"taxi", "police", "restaurant", "bus", "hospital", "hotel", "attraction", "train"}
BOOKABLE = {"restaurant": "name", "hotel": "name", "train": "trainID", "taxi": "type"}

Dialogue = dict[str, Any]


@pytest.fixture(scope="module")
def corpus() -> dict[str, Dialogue]:
    loaded: dict[str, Dialogue] = json.loads(
        files("dlc").joinpath("data", "multiwoz_sample.json").read_text(encoding="utf-8")
    )
    return loaded


def states(dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    return (turn["metadata"] for turn in dialogue["log"][1::2])


def slots(state: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    return {
        (domain, part, slot): value
        for domain, parts in state.items()
        for part in ("semi", "book")
        for slot, value in parts[part].items()
        if slot != "booked"
    }


def values(corpus: dict[str, Dialogue]) -> set[tuple[str, str, str, str]]:
    return {(*key, value) for d in corpus.values() for state in states(d) for key, value in slots(state).items()}


def filled(state: dict[str, Any]) -> set[str]:
    return {domain for (domain, _, _), value in slots(state).items() if value not in ("", "not mentioned")}


def test_layout_is_that_of_the_data_set(corpus: dict[str, Dialogue]) -> None:
    assert len(corpus) >= 24
    for name, dialogue in corpus.items():
        assert name.endswith(".json") and set(dialogue) == {"goal", "log"}
        assert DOMAINS | {"topic", "message"} == set(dialogue["goal"])
        assert len(dialogue["log"]) % 2 == 0 and dialogue["log"]
        for position, turn in enumerate(dialogue["log"]):
            assert {"text", "metadata"} <= set(turn) and turn["text"]
            assert set(turn["metadata"]) == (DOMAINS if position % 2 else set())
        for state in states(dialogue):
            assert all(set(parts) == {"semi", "book"} and "booked" in parts["book"] for parts in state.values())


def test_every_slot_of_a_domain_is_present_in_every_state(corpus: dict[str, Dialogue]) -> None:
    keys = {frozenset(k for k in slots(s) if k[2] != "ticket") for d in corpus.values() for s in states(d)}
    assert len(keys) == 1


def test_states_accumulate(corpus: dict[str, Dialogue]) -> None:
    """A slot changes only in a turn where the user says something, and most turns keep what was there."""
    kept = dropped = 0
    for dialogue in corpus.values():
        for before, after in itertools.pairwise(states(dialogue)):
            old, new = slots(before), slots(after)
            for key, value in old.items():
                if value not in ("", "not mentioned"):
                    kept += new[key] not in ("", "not mentioned")
                    dropped += new[key] in ("", "not mentioned")
            for domain in before:
                assert before[domain]["book"]["booked"] == [] or after[domain]["book"]["booked"] != []
    assert dropped >= 3 and kept > 50 * dropped


def test_every_domain_is_talked_about(corpus: dict[str, Dialogue]) -> None:
    with_slots = set().union(*(filled(s) for d in corpus.values() for s in states(d)))
    assert with_slots == DOMAINS - {"police"}, "police has no slots"
    acts = {name.split("-")[0].lower() for d in corpus.values() for t in d["log"] for name in t.get("dialog_act", {})}
    assert acts >= DOMAINS | {"booking", "general"}


def test_every_slot_is_filled_somewhere(corpus: dict[str, Dialogue]) -> None:
    empty = ("", "not mentioned")
    everywhere = {key for d in corpus.values() for s in states(d) for key in slots(s)}
    used = {(d, p, s) for d, p, s, v in values(corpus) if v not in empty}
    assert used == everywhere


@pytest.mark.parametrize("nothing", ["", "not mentioned", "none", "dontcare"])
@pytest.mark.parametrize("part", ["semi", "book"])
def test_every_kind_of_nothing(corpus: dict[str, Dialogue], nothing: str, part: str) -> None:
    seen = {value for _, where, _, value in values(corpus) if where == part}
    if (part, nothing) == ("book", "not mentioned"):
        assert nothing not in seen, "the data set writes it in semi only"
    else:
        assert nothing in seen


def test_alternatives_and_negation(corpus: dict[str, Dialogue]) -> None:
    several = {(d, p, s) for d, p, s, v in values(corpus) if "|" in v}
    assert {p for _, p, _ in several} == {"semi", "book"} and len(several) >= 5
    assert any(re.fullmatch(r"NOT\(.+\)", v) for *_, v in values(corpus))


def test_values_that_no_closed_type_admits(corpus: dict[str, Dialogue]) -> None:
    times = {v for _, _, s, v in values(corpus) if s in ("time", "leaveAt", "arriveBy") and "|" not in v}
    odd = {v for v in times if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|not mentioned|none|dontcare|", v)}
    assert len(odd) >= 5
    known = {"north", "south", "east", "west", "centre", "cheap", "moderate", "expensive", "yes", "no"}
    unseen = {v for _, _, s, v in values(corpus) if s in ("area", "pricerange", "parking", "internet")} - known
    assert unseen - {"", "not mentioned", "none", "dontcare", "cheap|moderate"}
    days = {v for _, _, s, v in values(corpus) if s == "day"}
    assert {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"} <= days


@pytest.mark.parametrize("domain", sorted(BOOKABLE))
def test_bookings_have_results(corpus: dict[str, Dialogue], domain: str) -> None:
    booked = [s[domain]["book"]["booked"] for d in corpus.values() for s in states(d)]
    rows = [row for rows in booked for row in rows]
    assert rows and all(BOOKABLE[domain] in row and ("reference" in row or "phone" in row) for row in rows)


def test_several_domains_change_in_one_turn(corpus: dict[str, Dialogue]) -> None:
    most = 0
    for dialogue in corpus.values():
        before: dict[tuple[str, str, str], str] = {}
        for state in states(dialogue):
            after = slots(state)
            changed = {k[0] for k, v in after.items() if v not in ("", "not mentioned") and before.get(k) != v}
            most, before = max(most, len(changed)), after
    assert most >= 2
    assert max(len(filled(s)) for d in corpus.values() for s in states(d)) >= 3


def test_dialogue_acts_are_absent_empty_and_many(corpus: dict[str, Dialogue]) -> None:
    assert any(all("dialog_act" not in t and "span_info" not in t for t in d["log"]) for d in corpus.values())
    sizes = Counter(
        sum(map(len, t["dialog_act"].values())) for d in corpus.values() for t in d["log"] if "dialog_act" in t
    )
    assert sizes[0] and max(sizes) >= 10


def test_spans_point_at_their_words(corpus: dict[str, Dialogue]) -> None:
    checked = 0
    for dialogue in corpus.values():
        for turn in dialogue["log"]:
            words = turn["text"].split()
            for act, slot, value, start, end in turn.get("span_info", []):
                assert [slot, value] in turn["dialog_act"][act]
                assert " ".join(words[start : end + 1]).lower() == value.lower()
                checked += 1
    assert checked > 100


def test_texts_beyond_ascii(corpus: dict[str, Dialogue]) -> None:
    assert any(not t["text"].isascii() for d in corpus.values() for t in d["log"])
