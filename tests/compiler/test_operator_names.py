"""Names that operators have too: without operands they are names like any other."""

import pytest

from dlc.canon.pipeline import canonical_term
from dlc.compiler.check import Checker
from dlc.compiler.operators import OPERATORS
from dlc.compiler.pipeline import compile_program
from dlc.compiler.relations import RELATIONAL
from dlc.compiler.schema_text import read_schema
from dlc.compiler.spelling import quote_name
from dlc.compiler.sugar import print_turn

SCHEMA = read_schema("enum Kind = as | where | group | sort | in | sum\ntable T { kind: Kind, n: Number }")
CHECKER = Checker(SCHEMA)


def test_an_enum_member_may_be_called_as_an_operator_is():
    text = "user: T | where .kind in [`as`, `where`] or .kind = sum;"
    checked = compile_program(text, CHECKER)
    assert checked.ok
    turn = checked.turns[0].turn
    assert print_turn(turn) == text
    (statement,) = turn.statements
    assert canonical_term(statement.term, CHECKER.schema) is not None


@pytest.mark.parametrize("name", sorted({*RELATIONAL, *OPERATORS}))
@pytest.mark.parametrize(
    "place", ["user: {};", "user: T | where {};", "user: T | where .n = {};", "user: T | take {};"]
)
def test_an_operator_alone_is_checked_and_never_crashes(name: str, place: str):
    checked = compile_program(place.format(quote_name(name) if name.isidentifier() else f"`{name}`"), CHECKER)
    for turn in checked.turns:
        if turn.ok:
            for statement in turn.turn.statements:
                canonical_term(statement.term, CHECKER.schema)
