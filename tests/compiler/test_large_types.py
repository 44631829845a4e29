"""Programs whose types grow with each line: refused in a moment, with the place where the type becomes too large."""

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.types import Con, Type, TypeVar, zonk

CHECKER = Checker(read_schema("table T { n: Number }"))


def doubling_lets(times: int) -> str:
    lets = " ".join(f"let x{i + 1} = {{ a: x{i}, b: x{i} }};" for i in range(times))
    return f"user: let x0 = 1; {lets} T | where .n = 4;"


def doubling_calls(times: int) -> str:
    return f"user: let d = fn x => {{ a: x, b: x }}; {'d(' * times}1{')' * times};"


@pytest.mark.parametrize("text", [doubling_lets, doubling_calls])
def test_a_type_that_doubles_forty_times_is_refused_where_it_becomes_too_large(text):
    assert compile_program(text(8), CHECKER).ok
    (turn,) = compile_program(text(40), CHECKER).turns
    assert {each.code for each in turn.diagnostics} == {"DLC129"}
    assert all(each.span is not None for each in turn.diagnostics)


def test_what_follows_a_type_too_large_is_still_checked():
    (turn,) = compile_program(doubling_lets(20) + ' T | where .n = "x";', CHECKER).turns
    assert [each.code for each in turn.diagnostics] == ["DLC129", "DLC104"]


def test_solved_variables_at_the_bottom_of_a_deep_type_are_replaced_in_one_walk():
    deep: Type = TypeVar(1, 0, link=Con("Number"))
    for _ in range(200):
        deep = Con("List", (deep,))
    zonked = zonk(deep)
    for _ in range(200):
        assert isinstance(zonked, Con)
        (zonked,) = zonked.args
    assert zonked == Con("Number")
