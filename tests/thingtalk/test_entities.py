"""Placeholders and values: the reference's own cases of both directions, and the two directions undoing each other."""

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from thingtalk_oracle import Oracle
from thingtalk_trees import tree_strategies

from dlc.targets.thingtalk.entities import ValueFault, filled, taken_out
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.programs import parse

_MOMENT = re.compile(r'(new Date ?\( ?" ?)([^" ]*)( ?" ?\))')


def on_the_wall(moment: str) -> str:
    there = datetime.fromisoformat(moment).astimezone(ZoneInfo("America/Los_Angeles"))
    return f"{there.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def told(entities: dict[str, Any]) -> dict[str, Any]:
    """Entities as the reference's files have them; a moment is what the clock on the wall shows."""
    dates = {t: on_the_wall(v) for t, v in entities.items() if t.startswith("DATE_") and isinstance(v, str)}
    return {token: value for token, value in entities.items() if value is not None} | dates


@pytest.mark.oracle
def test_filled_tokens_mean_the_pretty_text_beside_them(oracle: Oracle) -> None:
    cases = oracle.cases("test_nn_syntax.js", "TEST_CASES")
    assert len(cases) == 123
    pairs, left = [], []
    for tokens, _, entities, pretty in cases:
        # Moments in the texts were written in California; values beside tokens are what the clock on the wall shows.
        said, shown = (_MOMENT.sub(lambda m: m[1] + on_the_wall(m[2]) + m[3], text) for text in (tokens, pretty))
        try:
            pairs.append((to_text(filled(parse(said, True), told(entities))), shown))
        except ValueFault as fault:
            left.append((tokens, str(fault)))
    answers = oracle.judge([(c, "normal") for pair in pairs for c in pair], oracle.tests / "thingpedia.tt")
    different = [
        (pair, ours["canonical"], theirs["canonical"])
        for pair, ours, theirs in zip(pairs, answers[::2], answers[1::2], strict=True)
        if ours["canonical"] != theirs["canonical"]
    ]
    # SLOT_n stands for an argument of a template, which no value is.
    assert all("SLOT_" in fault for _, fault in left), left
    assert len(left) <= 2
    assert not different, different[:5]


@pytest.mark.oracle
def test_the_references_allocation(oracle: Oracle) -> None:
    """Filling in and taking out again gives the reference's tokens and values."""
    cases = oracle.cases("test_nn_syntax_allocator.js", "TEST_CASES")
    assert len(cases) == 34
    for tokens, entities in cases:
        tree, held = taken_out(filled(parse(tokens, True), told(entities)))
        assert to_text(tree, True) == tokens
        assert held == told(entities)


@pytest.mark.parametrize("tokenized", [False, True])
def test_taking_out_and_filling_in_is_the_identity(tokenized: bool) -> None:
    @settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(tree_strategies(tokenized).input)
    def check(tree: Any) -> None:
        bare, held = taken_out(tree)
        held = json.loads(json.dumps(held))
        try:
            assert filled(bare, held) == tree
        except ValueFault:
            # The tree had placeholders of its own.
            assert tokenized
        again, once_more = taken_out(bare, held)
        assert again == bare and set(once_more) == set(held)

    check()


HEAD = "$dialogue @org.thingpedia.dialogue.transaction . execute ; "


@pytest.mark.parametrize(
    ("normal", "tokens", "held"),
    [
        (
            '@org.sea.boat() filter id == null^^org.sea:boat("elm") && name =~ "elm";',
            "@org.sea . boat ( ) filter id == GENERIC_ENTITY_org.sea:boat_0 && name =~ QUOTED_STRING_0 ;",
            {"GENERIC_ENTITY_org.sea:boat_0": {"value": None, "display": "elm"}, "QUOTED_STRING_0": "elm"},
        ),
        (
            "@org.sea.boat() filter length >= 40 && length <= 40 && masts == 3 && since >= new Time(9, 30);",
            "@org.sea . boat ( ) filter length >= NUMBER_0 && length <= NUMBER_0 && masts == 3 && since >= TIME_0 ;",
            {"NUMBER_0": 40, "TIME_0": {"hour": 9, "minute": 30, "second": 0}},
        ),
        (
            "@org.sea.boat() filter weight >= 5kg && weight <= 7lb && age >= 60min;",
            "@org.sea . boat ( ) filter weight >= MEASURE_kg_0 && weight <= MEASURE_kg_1 && age >= DURATION_0 ;",
            {
                "MEASURE_kg_0": {"value": 5, "unit": "kg"},
                "MEASURE_kg_1": {"value": 7, "unit": "lb"},
                "DURATION_0": {"value": 60, "unit": "min"},
            },
        ),
    ],
)  # fmt: skip
def test_what_is_taken_out(normal, tokens, held):
    tree, found = taken_out(parse(normal))
    assert (to_text(tree, True), found) == (tokens, held)
    assert to_text(filled(parse(tokens, True), held)) == to_text(parse(normal))


def test_numbers_go_on_after_those_given():
    tree, held = taken_out(parse('@org.sea.boat() filter name =~ "a" && name =~ "b";'), {"QUOTED_STRING_3": "b"})
    assert to_text(tree, True).endswith("name =~ QUOTED_STRING_4 && name =~ QUOTED_STRING_3 ;")
    assert held == {"QUOTED_STRING_3": "b", "QUOTED_STRING_4": "a"}


@pytest.mark.parametrize(
    ("token", "value", "why"),
    [
        ("NUMBER_0", None, "no value"),
        ("NUMBER_0", "five", "does not stand for 'five'"),
        ("NUMBER_0", True, "does not stand for"),
        ("QUOTED_STRING_0", 5, "does not stand for"),
        ("TIME_0", "9:30", "does not stand for"),
        ("CURRENCY_0", {"value": 5}, "does not stand for"),
        ("LOCATION_0", {}, "does not stand for"),
        ("DATE_0", {"year": 2020}, "does not stand for"),
        ("GENERIC_ENTITY_org.sea:boat_0", "elm", "does not stand for"),
        ("SLOT_0", 1, "does not stand for"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(token, value, why):
    held = {} if value is None else {token: value}
    with pytest.raises(ValueFault, match=why):
        filled(parse(f"@org.sea . boat ( ) filter x == {token} ;", True), held)
