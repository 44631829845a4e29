"""Large, deep and odd conditions: an answer in time, or the stated fallback; never a hang or a crash."""

import random
import sys
import time
from pathlib import Path

import pytest
from canon_pairs import BINDER, SCHEMA, atom, field, formula, names

from dlc import equivalent
from dlc.canon.constants import compute, constant, plain_literal, spell
from dlc.canon.filters import normal
from dlc.canon.filters.decide import entails, same, satisfiable
from dlc.canon.filters.normal import normal_form
from dlc.canon.pipeline import canonical_term
from dlc.canon.rows import Scope, Source
from dlc.compiler.terms import App, Field, Lit, Term, Var
from dlc.grammar.diagnostic import CompileError

SCOPE = Scope(SCHEMA, {BINDER: Source(table="Lodge")})


def table(name: str, value: int) -> Term:
    return App("=", (field(name), Lit("number", str(value))))


def test_forty_tests_over_many_fields() -> None:
    rng = random.Random(3)
    began = time.monotonic()
    for _ in range(10):
        fields = names(rng) + names(rng) + names(rng)
        large = formula(rng, fields, 40)
        form = normal_form(large, SCOPE)
        again = normal_form(form.term, SCOPE)
        assert again.term == form.term or not form.complete
        assert satisfiable(large, SCOPE) in (True, False, None)
    assert time.monotonic() - began < 30


def test_twenty_independent_choices_take_a_diagram_and_stay_small() -> None:
    """(a1 or b1) and (a2 or b2) and ... over twenty fields nothing is known of."""
    parts = [
        App("or", (App("=", (Field(Var("x"), f"a{i}"), Lit("number", "1"))), App("=", (Field(Var("x"), f"b{i}"), Lit("number", "1")))))
        for i in range(20)
    ]  # fmt: skip
    left = App("and", tuple(parts))
    right = App("not", (App("or", tuple(App("not", (p,)) for p in reversed(parts))),))
    a, b = normal_form(left, Scope(SCHEMA)), normal_form(right, Scope(SCHEMA))
    assert a.complete and a.term == b.term and len(a.term.args) == 20  # type: ignore[union-attr]


def chain(length: int) -> Term:
    """Each field's test tied to the next: nothing splits off, so it takes a diagram."""
    tests = [App("=", (Field(Var("x"), f"f{i:02d}"), Lit("number", "1"))) for i in range(length)]
    return App("or", tuple(App("and", (tests[i], tests[i + 1])) for i in range(length - 1)))


def test_diagrams_agree_with_tables_and_with_themselves() -> None:
    for length in (6, 12):
        term = chain(length)
        flipped = App("not", (App("and", tuple(App("not", (p,)) for p in reversed(term.args))),))  # type: ignore[union-attr]
        a, b = normal_form(term, Scope(SCHEMA)), normal_form(flipped, Scope(SCHEMA))
        assert a.complete and a.term == b.term
        assert normal_form(a.term, Scope(SCHEMA)).term == a.term
        assert same(term, flipped, Scope(SCHEMA)) is True
        assert entails(term.args[0], term, Scope(SCHEMA)) is True  # type: ignore[union-attr]
        assert entails(term, term.args[0], Scope(SCHEMA)) is False  # type: ignore[union-attr]


def test_beyond_the_guard_the_fallback_is_stable_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normal, "MAX_LITERALS", 5)
    term = App("and", (table("stars", 2), App("and", (table("stars", 1), table("stars_r", 1), table("stars", 2)))))
    rest = App("or", tuple(table("stars", i) for i in range(6)))
    form = normal_form(App("and", (term, rest)), SCOPE)
    assert not form.complete and "5 tests" in form.reason
    assert normal_form(form.term, SCOPE).term == form.term
    assert normal_form(App("and", (rest, term)), SCOPE).term == form.term


def test_seven_hundred_values_in_a_list() -> None:
    items = tuple(Lit("number", str(i)) for i in range(700))
    form = normal_form(App("in", (field("stars"), App("list", items))), SCOPE)
    assert not form.complete


@pytest.mark.parametrize("depth", [1_000, 50_000])
def test_deep_terms_are_a_diagnostic(depth: int) -> None:
    term: Term = table("stars", 1)
    for _ in range(depth):
        term = App("not", (term,))
    try:
        canonical_term(term, SCHEMA)
    except CompileError as error:
        assert error.diagnostics[0].code == "DLC005"


@pytest.mark.parametrize(
    "literal",
    [Lit("number", "1e999999999"), Lit("date", "2019-02-30"), Lit("time", "99:99"), Lit("quantity", "1e999999999kg")],
)
def test_literals_without_a_value_stay_as_they_are(literal: Lit) -> None:
    assert constant(literal.kind, literal.value) is None
    assert plain_literal(literal) == literal
    form = normal_form(App("and", (App(">=", (field("stars"), literal)), App("<=", (field("stars"), literal)))), SCOPE)
    assert form.term == App("=", (field("stars"), literal))


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected"),
    [
        ("+", Lit("number", "0.1"), Lit("number", "0.2"), Lit("number", "0.3")),
        ("/", Lit("number", "1"), Lit("number", "3"), None),
        ("/", Lit("number", "1"), Lit("number", "0"), None),
        ("-", Lit("time", "00:30"), Lit("quantity", "1h"), None),
        ("+", Lit("date", "2020-02-28"), Lit("quantity", "48h"), Lit("date", "2020-03-01")),
        ("+", Lit("date", "2020-02-28"), Lit("quantity", "1mon"), None),
        ("-", Lit("date", "2020-03-01"), Lit("date", "2020-02-28"), Lit("quantity", "2day")),
        ("+", Lit("quantity", "5usd"), Lit("quantity", "5eur"), None),
        ("+", Lit("quantity", "1km"), Lit("quantity", "500m"), Lit("quantity", "1500m")),
        ("*", Lit("quantity", "90min"), Lit("number", "2"), Lit("quantity", "3h")),
        ("+", Lit("datetime", "2019-12-31T23:30"), Lit("quantity", "1h"), Lit("datetime", "2020-01-01T00:30")),
    ],
)
def test_arithmetic_is_done_only_where_it_is_certain(
    operator: str, left: Lit, right: Lit, expected: Lit | None
) -> None:
    assert compute(operator, left, right) == expected


def test_spelling_is_the_inverse_of_reading() -> None:
    rng = random.Random(9)
    for _ in range(2000):
        literal = rng.choice(
            (
                Lit("number", f"{rng.randint(-999, 999)}.{rng.randint(0, 99):02d}"),
                Lit("int", str(rng.randint(-9, 9))),
                Lit("time", f"{rng.randint(0, 47)}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"),
                Lit("date", f"{rng.randint(0, 9999):04d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"),
                Lit("datetime", f"{rng.randint(1, 9999):04d}-01-02T03:04:0{rng.randint(0, 9)}.5Z"),
                Lit(
                    "quantity",
                    f"{rng.randint(1, 500)}{rng.choice(('s', 'min', 'h', 'km', 'ft', 'lb', 'F', 'usd', 'GB'))}",
                ),
            )
        )
        known = constant(literal.kind, literal.value)
        assert known is not None
        spelled = spell(known.scale, known.value)
        assert spelled is not None and constant(spelled.kind, spelled.value) == known
        assert plain_literal(spelled) == spelled


def test_atoms_of_every_kind_are_their_own_form_again() -> None:
    rng = random.Random(4)
    for _ in range(500):
        form = normal_form(atom(rng, names(rng)), SCOPE).term
        assert normal_form(form, SCOPE).term == form


NUMBERS = "schema numbers\ntable Plot { id: Plot key, side: Number, name: Text? }\n"


def test_without_z3_the_verdict_says_that_no_proof_was_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "s.dl").write_text(NUMBERS)
    monkeypatch.setitem(sys.modules, "z3", None)
    verdict = equivalent(
        "Plot | where .side * .side = 2", "Plot | where .side * .side = 2 and .side > -9", str(tmp_path / "s.dl")
    )
    assert verdict.kind in ("likely", "unknown") and "z3 is not installed" in verdict.reason


def test_a_root_and_a_proof_without_time_are_verdicts_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "s.dl").write_text(NUMBERS)
    schema = str(tmp_path / "s.dl")
    # Only a side that no decimal writes tells the two apart.
    verdict = equivalent("Plot | where .side * .side = 2", "Plot | where .side * .side = 2 and .side < 0", schema)
    assert verdict.kind in ("likely", "unknown") and verdict.reason
    hurried = equivalent("Plot | where .side * .side * .side = 3 | show .name | distinct",
                         "Plot | where .side * .side * .side = 3 and .side > 1 | show .name | distinct", schema, timeout_ms=1)  # fmt: skip
    assert hurried.kind in ("likely", "unknown") and hurried.reason
