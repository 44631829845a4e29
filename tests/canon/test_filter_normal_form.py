"""Canonical filters are equal exactly when Z3, and rows written out, say the filters are."""

import itertools
from fractions import Fraction

import pytest
import z3
from canon_pairs import BINDER, FIELDS, MEMBERS, MOODS, SCHEMA, known_match, pairs
from canon_z3 import Encoding, equivalent, number, texts

from dlc.canon.context import Context
from dlc.canon.filters.decide import always, entails, same, satisfiable
from dlc.canon.filters.normal import normal_form
from dlc.canon.rows import Scope, Source
from dlc.compiler.terms import App, Field, Lit, Term, Var

SCOPE = Scope(SCHEMA, {BINDER: Source(table="Lodge")})
COUNT = 2000


@pytest.fixture(scope="module")
def judged() -> list[tuple[Term, Term, str, bool]]:
    solver = z3.Solver()
    return [(a, b, how, equivalent(solver, a, b)) for a, b, how in pairs(COUNT, 20260101)]


def test_forms_are_equal_exactly_when_z3_says_so(judged: list[tuple[Term, Term, str, bool]]) -> None:
    for first, second, _, truth in judged:
        a, b = normal_form(first, SCOPE), normal_form(second, SCOPE)
        assert a.complete and b.complete
        assert (a.term == b.term) == truth, (first, second)
        assert same(first, second, SCOPE) == truth, (first, second)


def test_the_pairs_are_a_fair_sample(judged: list[tuple[Term, Term, str, bool]]) -> None:
    equal = [how for _, _, how, truth in judged if truth]
    assert 0.3 <= len(equal) / len(judged) <= 0.7
    assert equal.count("order") < len(equal) / 2
    assert all(truth for _, _, how, truth in judged if how != "mutated")
    used = {t.name for a, b, _, _ in judged for t in _fields(a)}
    assert used == set(FIELDS)


def test_forms_are_normal_and_mean_the_same(judged: list[tuple[Term, Term, str, bool]]) -> None:
    solver = z3.Solver()
    for first, _, _, _ in judged:
        form = normal_form(first, SCOPE).term
        assert normal_form(form, SCOPE).term == form
        if form not in (Lit("bool", "true"), Lit("bool", "false")):
            assert equivalent(solver, first, form)


def test_implication_and_contradiction_agree_with_z3(judged: list[tuple[Term, Term, str, bool]]) -> None:
    solver = z3.Solver()

    def possible(*parts: z3.BoolRef) -> bool:
        solver.push()
        solver.add(*parts)
        found = solver.check() == z3.sat
        solver.pop()
        return found

    for first, second, _, _ in judged[:600]:
        encoding = Encoding(first, second)
        a, b = encoding.bool(first), encoding.bool(second)
        facts = encoding.facts
        assert satisfiable(first, SCOPE) == possible(*facts, a)
        assert always(first, SCOPE) == (not possible(*facts, z3.Not(a)))
        assert entails(first, second, SCOPE) == (not possible(*facts, a, z3.Not(b)))


def test_two_thousand_pairs_by_rows_written_out(judged: list[tuple[Term, Term, str, bool]]) -> None:
    decided = 0
    for first, second, _, truth in judged:
        fields = sorted({t.name for t in (*_fields(first), *_fields(second))})
        choices = [_values(name, first, second) for name in fields]
        size = 1
        for choice in choices:
            size *= len(choice)
        if size > 40_000:
            continue
        codes = {text: i for i, text in enumerate(sorted(texts(first, set()) | texts(second, set()) | {""}))}
        differ = any(
            _holds(first, row, codes) != _holds(second, row, codes)
            for row in (dict(zip(fields, values, strict=True)) for values in itertools.product(*choices))
        )
        decided += 1
        assert differ == (not truth), (first, second)
    assert decided > 0.95 * COUNT


# ---------------------------------------------------------------- rows written out

# A field's value in a row: None or a number, truth of the text matches where the text is none named, marks.
Value = tuple[Fraction | None, frozenset[object]]


def _fields(term: Term) -> list[Field]:
    if isinstance(term, Field):
        return [term]
    return [f for a in getattr(term, "args", ()) for f in _fields(a)]


def _tests(term: Term, name: str) -> list[App]:
    if not isinstance(term, App):
        return []
    if term.fn not in ("and", "or", "not") and any(isinstance(a, Field) and a.name == name for a in term.args):
        return [term]
    return [t for a in term.args for t in _tests(a, name)]


def _values(name: str, first: Term, second: Term) -> list[Value]:
    kind, required = FIELDS[name]
    tests = _tests(first, name) + _tests(second, name)
    codes = {text: i for i, text in enumerate(sorted(texts(first, set()) | texts(second, set()) | {""}))}
    free: set[object] = set()
    named: set[Fraction] = set()
    for test in tests:
        if test.fn in ("is_any", "is_none"):
            free.add(test.fn)
        elif test.fn in ("~", "!~", "like", "not_like"):
            free.add(_pattern(test))
        else:
            for arg in test.args:
                items = arg.args if isinstance(arg, App) and arg.fn == "list" else (arg,)
                named |= {number(kind, c, codes) for c in items if not isinstance(c, Field)}
    points: list[Fraction | None] = list(_around(kind, sorted(named)))
    if not required:
        points.append(None)
    subsets = [
        frozenset(chosen)
        for size in range(len(free) + 1)
        for chosen in itertools.combinations(sorted(free, key=str), size)
    ]
    return [(point, chosen) for point in points for chosen in subsets]


def _around(kind: str, named: list[Fraction]) -> list[Fraction]:
    """The constants named and a value between each two, below and above, as far as the type has one."""
    if kind in MEMBERS:
        return [Fraction(i) for i in range(len(MEMBERS[kind]))]
    if kind == "bool":
        return [Fraction(0), Fraction(1)]
    if not named:
        return [Fraction(7)]
    found = [named[0] - 1, *named, named[-1] + 1]
    for low, high in itertools.pairwise(named):
        between = (low + high) / 2
        found.append(Fraction(int(between)) if kind in ("int", "time", "date") else between)
    if kind == "text":
        found = [v for v in found if v >= 0] + [Fraction(1, 2)]
    if kind in ("int", "time", "date"):
        # Whole values only: those next to a constant that lies between two of them.
        found = [Fraction(w) for v in found for w in {v.__floor__(), v.__ceil__()}]
    return found


def _pattern(test: App) -> tuple[str, str]:
    assert isinstance(test.args[1], Lit)
    return {"!~": "~", "not_like": "like"}.get(test.fn, test.fn), test.args[1].value


def _holds(term: Term, row: dict[str, Value], codes: dict[str, int]) -> bool:
    match term:
        case App("and", args):
            return all(_holds(a, row, codes) for a in args)
        case App("or", args):
            return any(_holds(a, row, codes) for a in args)
        case App("not", (a,)):
            return not _holds(a, row, codes)
        case Field(name=name):
            return row[name][0] == 1
        case App("is_any" | "is_none" as mark, (Field(name=name),)):
            return mark in row[name][1]
        case App("is_missing", (Field(name=name),)):
            return row[name][0] is None
        case App("is_not_missing", (Field(name=name),)):
            return row[name][0] is not None
        case App("~" | "!~" | "like" | "not_like" as op, (Field(name=name), _)):
            value, chosen = row[name]
            if value is None:
                return False
            pattern = _pattern(term)
            known = next((text for text, code in codes.items() if code == value), None)
            holds = known_match(*pattern[:1], known, pattern[1]) if known is not None else pattern in chosen
            return holds == (op == pattern[0])
        case App("in" | "not_in" as op, (Field(name=name), App("list", items))):
            value = row[name][0]
            if value is None:
                return op == "not_in" and not items
            among = value in {number(FIELDS[name][0], i, codes) for i in items}
            return among == (op == "in")
        case App("between" | "not_between" as op, (Field(name=name), lo, hi)):
            value = row[name][0]
            kind = FIELDS[name][0]
            if value is None:
                return False
            return (number(kind, lo, codes) <= value <= number(kind, hi, codes)) == (op == "between")
        case App(op, (left, right)):
            if not isinstance(left, Field):
                assert isinstance(right, Field)
                return _holds(App({"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op), (right, left)), row, codes)
            value = row[left.name][0]
            if value is None:
                return False
            other = number(FIELDS[left.name][0], right, codes)
            return {
                "=": value == other,
                "!=": value != other,
                "<": value < other,
                "<=": value <= other,
                ">": value > other,
                ">=": value >= other,
            }[op]
    raise AssertionError(term)


def test_moods_are_open() -> None:
    """An open enum has values nobody listed, so naming all listed ones is no tautology."""
    mood = Field(Var("Lodge"), "mood")
    listed = App("in", (mood, App("list", tuple(App(m) for m in MOODS[:2]))))
    assert always(App("or", (listed, App("is_missing", (mood,)))), SCOPE) is False


def test_the_short_way_to_a_form_is_a_short_way() -> None:
    """Tests of different fields are put in order without cutting anything up; the outcome is the same."""
    context = Context(SCOPE)
    for first, second, _ in pairs(1500, 20261129):
        for condition in (first, second, App("and", (first, second))):
            assert context.condition(condition, SCOPE) == normal_form(condition, SCOPE).term
