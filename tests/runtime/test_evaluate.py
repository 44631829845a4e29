"""Law 2, soundness: a well-typed program never gets stuck; and what queries mean, stated case by case."""

import random

import pytest
from databases import random_database
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Programs, random_schema

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.terms import App, subterms
from dlc.grammar.parser import parse
from dlc.runtime.evaluate import Context, Groups, Relation, Scope, evaluate, query_rows


@given(st.integers(0, 10**9))
@settings(max_examples=400, deadline=None)
def test_well_typed_programs_do_not_get_stuck(seed):
    rng = random.Random(seed)
    schema = random_schema(rng)
    turn = Programs(rng, schema).turn()
    assert Checker(schema).check_turn(turn).ok
    library = {f.name: lambda x: None for f in schema.functions if not f.action}
    context = Context(schema, random_database(rng, schema), library)
    scope = Scope()
    for statement in turn.statements:
        value = evaluate(statement.term, context, scope)
        if any(isinstance(t, App) and t.fn in schema.table for t in subterms(statement.term)):
            assert isinstance(value, Relation | Groups) or not isinstance(statement.term, App) or statement.term.named
        if statement.let is not None:
            scope = Scope({**scope.names, statement.let: value})


SCHEMA = read_schema(
    "ordered enum Size = small | medium | large"
    " table Cat { id: Cat key, age: Number?, size: Size?, home: House? }"
    " table House { id: House key, street: Text? }"
)
DATABASE = {
    "Cat": [
        {"id": "tom", "age": 3, "size": "large", "home": "h1"},
        {"id": "kit", "age": 1, "size": "small", "home": "h1"},
        {"id": "old", "age": None, "size": None, "home": None},
        {"id": "tim", "age": 3, "size": "medium", "home": "h2"},
    ],
    "House": [{"id": "h1", "street": "mill road"}, {"id": "h2", "street": None}, {"id": "h3", "street": "Hill"}],
}


def rows(program: str) -> list[tuple]:
    (turn,), _ = lower_program(parse(f"user: {program};"))
    assert Checker(SCHEMA).check_turn(turn).ok
    return query_rows(turn.statements[0].term, Context(SCHEMA, DATABASE)).tuples()


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("Cat | where .age = 3 | show .id", [("tom",), ("tim",)]),
        ("Cat | where .age != 3 | show .id", [("kit",)]),
        ("Cat | where not .age = 3 | show .id", [("kit",), ("old",)]),
        ("Cat | where .age is missing | show .id", [("old",)]),
        ("Cat | where .age is any and .age is none | show .id", [("tom",), ("kit",), ("old",), ("tim",)]),
        ("Cat | where .size > small | show .id", [("tom",), ("tim",)]),
        ("Cat | where .age in 1 .. 2 | show .id", [("kit",)]),
        ("Cat | where .age not in 1 .. 2 | show .id", [("tom",), ("tim",)]),
        ("Cat | where .age in [1, 9] | show .id", [("kit",)]),
        ("Cat | where .age not in [1] | show .id", [("tom",), ("tim",)]),
        ("Cat | where .age not in (Cat | where .age > 9 | show .age) | show .id", [("tom",), ("kit",), ("old",), ("tim",)]),
        ("Cat | where .age not in (Cat | show .age) | show .id", []),
        ("Cat | sort .age asc, .size desc | show .id", [("old",), ("kit",), ("tom",), ("tim",)]),
        ("Cat | sort .size desc | take 2 | show .id", [("tom",), ("tim",)]),
        ("Cat | take 1 skip 2 | show .id", [("old",)]),
        ("Cat | at -1 | show .id", [("tim",)]),
        ("Cat | at 2, 9 | show .id", [("kit",)]),
        ("Cat | show .age | distinct", [(3,), (1,), (None,)]),
        ("Cat | group .age | show .age, count()", [(3, 2), (1, 1), (None, 1)]),
        ("Cat | group .age | where count() > 1 | show pick(.id)", [("tom",)]),
        ("Cat | whole | show count(), count(.age), avg(.age), max(.size)", [(4, 3, 7 / 3, "large")]),
        ("Cat | where .age > 9 | whole | show count(), sum(.age)", [(0, None)]),
        ("Cat | join House on Cat.home = House.id | show Cat.id, House.street", [("tom", "mill road"), ("kit", "mill road"), ("tim", None)]),
        ("Cat | join left House on Cat.home = House.id and House.street is not missing | show Cat.id, House.id",
         [("tom", "h1"), ("kit", "h1"), ("old", None), ("tim", None)]),
        ("Cat | join right House on Cat.home = House.id | whole | show count()", [(4,)]),
        ("House | where exists (Cat | where .home = House.id) | show .id", [("h1",), ("h2",)]),
        ("Cat | where .age = (Cat | whole | show max(.age)) | show .id", [("tom",), ("tim",)]),
        ("Cat | show .age | union (Cat | show .age)", [(3,), (1,), (None,)]),
        ("Cat | show .age | except (Cat | where .age = 3 | show .age)", [(1,), (None,)]),
        ("Cat | show .age | intersect all (Cat | where .id = @\"tom\" | show .age)", [(3,)]),
        ("House | where .street like \"h%\" | show .id", [("h3",)]),
        ("House | where .street ~ \"ILL\" | show .id", [("h1",), ("h3",)]),
        ("Cat | show .id, older: .age + 1 | where .older > 2 | show .id", [("tom",), ("tim",)]),
        ("Cat | where .age is { it > 1 and it < 4 } | show .id", [("tom",), ("tim",)]),
    ],
)  # fmt: skip
def test_what_queries_mean(program, expected):
    assert rows(program) == expected
