"""Law 2: inference is principal and independent of names and order; elaboration loses nothing."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Programs, random_program, random_schema
from rewriting import erase, on_terms, rename, shuffle_labels

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import App, Turn, subterms
from dlc.compiler.types import show
from dlc.grammar.parser import parse

seeds = st.integers(0, 10**9)


def reread(turn: Turn) -> Turn:
    return lower_program(parse(print_turn(turn)))[0][0]


@given(seeds)
@settings(max_examples=300, deadline=None)
def test_generated_programs_are_well_typed(seed):
    schema, turn = random_program(seed)
    checked = Checker(schema).check_turn(turn)
    assert checked.ok, [d.message for d in checked.diagnostics]


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_erasing_types_and_inferring_restores_them(seed):
    schema, turn = random_program(seed)
    checker = Checker(schema)
    elaborated = checker.check_turn(turn).elaborated
    erased = on_terms(elaborated, erase)
    assert erased == on_terms(turn, erase)
    assert checker.check_turn(erased).elaborated == elaborated


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_elaboration_prints_and_types_again(seed):
    schema, turn = random_program(seed)
    checker = Checker(schema)
    elaborated = checker.check_turn(turn).elaborated
    again = checker.check_turn(reread(elaborated))
    assert again.turn == elaborated
    assert again.ok
    assert again.elaborated == elaborated


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_label_order_does_not_matter(seed):
    schema, turn = random_program(seed)
    checker = Checker(schema)
    shuffled = on_terms(turn, lambda t: shuffle_labels(t, random.Random(seed)))
    assert checker.check_turn(shuffled).types == checker.check_turn(turn).types


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_names_do_not_matter(seed):
    schema, turn = random_program(seed)
    checker = Checker(schema)
    names = {s.let: f"renamed_{i}" for i, s in enumerate(turn.statements) if s.let}
    assert checker.check_turn(rename(turn, names)).types == checker.check_turn(turn).types


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_the_memo_changes_nothing(seed):
    """A checker that has seen the program, and one that has seen others, say what a fresh one says."""
    schema, turn = random_program(seed)
    used = Checker(schema)
    for other in range(3):
        used.check_turn(Programs(random.Random(other), schema).turn())
    first, second, fresh = used.check_turn(turn), used.check_turn(turn), Checker(schema).check_turn(turn)
    assert (first.types, first.elaborated) == (fresh.types, fresh.elaborated)
    assert (second.types, second.elaborated) == (fresh.types, fresh.elaborated)


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_closed_subterms_have_one_type(seed):
    """A closed query's type on its own is its type in the program."""
    schema, turn = random_program(seed)
    checker = Checker(schema)
    for statement, type_ in zip(turn.statements, checker.check_turn(turn).types, strict=True):
        if isinstance(statement.term, App) and statement.let is None and "x" not in _free(statement.term):
            assert show(checker.check_term(statement.term)[0]) == show(type_)


def _free(term) -> str:
    from dlc.compiler.infer import free_names

    return "".join(sorted(free_names(term)))


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_schemas_survive_their_text(seed):
    schema = random_schema(random.Random(seed))
    text = print_schema(schema)
    again = read_schema(text)
    assert again == schema
    assert print_schema(again) == text


# ---------------------------------------------------------------- the generators themselves


def test_generators_cover_the_language():
    """Every stage, operator and literal kind of the relational language turns up in 2,000 programs."""
    used: Counter[str] = Counter()
    for seed in range(2_000):
        _, turn = random_program(seed)
        for statement in turn.statements:
            used.update([statement.status, "let" if statement.let else "no let"])
            used.update(["outcome"] if statement.outcome else [])
            for node in subterms(statement.term):
                used[node.fn if isinstance(node, App) else f"{type(node).__name__}:{getattr(node, 'kind', '')}"] += 1
    wanted = (
        *("where", "sort", "take", "at", "show", "distinct", "group", "whole", "join", "join_left", "as", "exists"),
        *("and", "or", "not", "=", "!=", "<", "<=", ">", ">=", "between", "in", "not_in", "~", "!~", "like", "list"),
        *("is_any", "is_none", "is_missing", "is_not_missing", "any", "none", "count", "+", "-", "asc", "desc"),
        *("Lit:number", "Lit:text", "Lit:bool", "Lit:time", "Lit:date", "Lit:quantity", "Entity:", "Hole:", "Var:"),
        *("proposed", "confirmed", "accepted", "let", "outcome"),
    )
    assert [name for name in wanted if used[name] < 20] == []


@pytest.mark.parametrize("seed", range(20))
def test_generators_are_deterministic(seed):
    assert random_program(seed) == random_program(seed)


# ---------------------------------------------------------------- ill-typed programs are found


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_a_wrong_literal_is_never_accepted(seed):
    """Replace a constant compared with a column by one of another type: an error, always."""
    from dlc.compiler.terms import Field, Lit, Var, children, rebuild

    schema, turn = random_program(seed)
    checker = Checker(schema)
    rng = random.Random(seed)

    def spoil(term):
        if isinstance(term, App) and term.fn in ("=", "<") and isinstance(term.args[0], Field):
            subject, right = term.args
            if isinstance(subject.subject, Var) and isinstance(right, Lit) and right.kind != "text":
                return App(term.fn, (subject, Lit("text", "wrong"))), True
        below = list(children(term))
        for i in rng.sample(range(len(below)), len(below)):
            new, done = spoil(below[i])
            if done:
                below[i] = new
                return rebuild(term, tuple(below)), True
        return term, False

    for i, statement in enumerate(turn.statements):
        term, done = spoil(statement.term)
        if done:
            from dataclasses import replace

            bad = replace(
                turn, statements=(*turn.statements[:i], replace(statement, term=term), *turn.statements[i + 1 :])
            )
            assert not checker.check_turn(bad).ok
