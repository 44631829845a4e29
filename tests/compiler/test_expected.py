"""The printed language is typed left to right: after any prefix the expected types are finite and known."""

import pytest
from programs import random_program

from dlc.compiler.check import Checker
from dlc.compiler.expected import expected_at, ground_types
from dlc.compiler.sugar import print_turn
from dlc.compiler.types import BOOL, DATE, INT, NUMBER, TEXT, TIME, Con, resolve
from dlc.grammar.lexer import tokenize

LITERALS = {"NUMBER": NUMBER, "STR": TEXT, "TIME": TIME, "DATE": DATE, "TRUE": BOOL, "FALSE": BOOL, "INT": INT}
SHARDS = 10


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_prefix_of_generated_programs(shard):
    """5,000 programs in all; each cut allows the token that follows, and a literal's type is among the types."""
    for seed in range(shard * 500, (shard + 1) * 500):
        schema, turn = random_program(seed, depth=1)
        checker = Checker(schema)
        tokens = tokenize(print_turn(turn))
        finite = len(ground_types(schema))
        for i, following in enumerate(tokens):
            expected = expected_at(tokens[:i], checker)
            assert following.kind in expected.terminals
            assert len(expected.types) <= finite
            assert bool(expected.types) == ("HOLE" in expected.terminals)
            literal = LITERALS.get(following.kind)
            if literal is not None and "HOLE" in expected.terminals and tokens[i - 1].kind not in ("RAW", "OF"):
                assert literal in expected.types or any(isinstance(t, Con) and t.args for t in expected.types)


def test_expected_types_are_exact():
    from dlc.compiler.schema_text import read_schema

    checker = Checker(
        read_schema(
            "enum Area = east | west entity Place entity Hotel < Place"
            " table Hotel { id: Hotel key, area: Area?, stars: Number? }"
            " action book(; hotel: Hotel, to: Place, people: Number)"
        )
    )

    def types(prefix: str) -> set[str]:
        return {t.name for t in expected_at(tokenize(prefix)[:-1], checker).types if isinstance(t, Con)}

    assert types("user: Hotel | where .stars =") == {"Number"}
    assert types("user: Hotel | where .area =") == {"Area"}
    assert types("user: Hotel | where .stars in [1,") == {"Number"}
    assert types("user: book(to:") == {"Place", "Hotel"}
    assert types("user: book(people:") == {"Number"}
    assert types("user: Hotel | take") == {"Number"}
    assert {"Bool", "Number", "Area"} <= types("user: Hotel | where")
    assert types("user: Hotel") == set()


def test_a_placeholder_in_results_has_its_type_though_they_were_checked_before():
    from dlc.compiler.schema_text import read_schema
    from dlc.compiler.terms import App, Hole, Outcome, Record, Statement, Turn

    checker = Checker(read_schema("table Hotel { stars: Number, name: Text }"))
    outcome = Outcome((Record((("name", Hole(1)), ("stars", Hole(0)))),))
    turn = Turn("user", (), (Statement(App("Hotel"), "confirmed", None, outcome),))
    assert checker.check_turn(turn).ok
    found = [checker.placeholder_type(turn, index) for index in (0, 1)]
    assert [t and resolve(t) for t in found] == [NUMBER, TEXT]
