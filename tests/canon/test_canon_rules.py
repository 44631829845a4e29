"""Every rule by its golden file, and the laws of canonical forms on random queries by execution."""

import random
from pathlib import Path

import pytest
from canon_queries import SCHEMA, query, read
from canon_run import runner
from canon_schema import GOLDEN

from dlc.canon.context import Assumptions
from dlc.canon.equivalence import equivalent
from dlc.canon.pipeline import RULES, canonical_term, canonicalize
from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.sugar import print_term, print_turn
from dlc.compiler.types import show
from dlc.grammar.parser import parse

FOLDER = Path(__file__).parent / "golden"


def cases() -> list[tuple[str, str, str]]:
    found = []
    for file in sorted(FOLDER.glob("*.txt")):
        for block in file.read_text(encoding="utf-8").strip().split("\n\n"):
            before, after = block.split("\n  => ")
            found.append((file.stem, before, after))
    return found


def test_every_rule_has_a_golden_file_and_says_when_it_is_sound() -> None:
    assert {r.name for r in RULES} == {file.stem for file in FOLDER.glob("*.txt")}
    assert all(r.condition and r.apply.__doc__ for r in RULES)
    assert len({r.name for r in RULES}) == len(RULES)


@pytest.mark.parametrize(("rule", "before", "after"), cases())
def test_golden(rule: str, before: str, after: str) -> None:
    turn = lower_program(parse(f"user ask: {before};"))[0][0]
    form = canonicalize(turn, GOLDEN)
    assert print_turn(form) == f"user ask: {after};"
    assert canonicalize(form, GOLDEN) == form
    checker = Checker(GOLDEN)
    if checker.check_turn(turn).ok:
        assert checker.check_turn(form).ok


def test_random_queries_keep_their_meaning_and_type() -> None:
    rng = random.Random(20260102)
    checker, run = Checker(SCHEMA), runner(SCHEMA)
    changed = judged = 0
    for i in range(500):
        term = read(query(rng))
        type_, _, _ = checker.check_term(term)
        form = canonical_term(term, SCHEMA)
        assert canonical_term(form, SCHEMA) == form
        assert read(print_term(form)) == form
        again, _, found = checker.check_term(form)
        assert not [d for d in found if d.severity == "error"]
        assert _columns(show(again)) == _columns(show(type_))
        changed += form != term
        # Without keys nothing that rests on them may be used.
        careful = canonical_term(term, SCHEMA, Assumptions(keys=False))
        for candidate, assume in ((form, Assumptions()), (careful, Assumptions(keys=False))):
            judged += _agree(term, candidate, run, assume, i)
    assert changed > 300 and judged > 15_000


def _columns(type_: str) -> list[str]:
    """Columns have no order in a record."""
    return sorted(type_.replace("Rel[", "").replace("it: ", "").strip("[]{} ").split(", "))


def _agree(term, form, run, assume, seed) -> int:  # type: ignore[no-untyped-def]
    from dlc.canon.databases import Pools, random_database, tables_in
    from dlc.canon.equivalence import _same, ends_sorted

    rng = random.Random(seed)
    tables, pools = tables_in((term, form), SCHEMA), Pools((term, form), SCHEMA)
    judged = 0
    for size in range(1, 26):
        database = random_database(tables, pools, rng, 1 + size % 5, assume.keys)
        turned = {name: rows[::-1] for name, rows in database.items()}
        before, after = run(term, database), run(form, database)
        if not _same(before, run(term, turned), False):
            continue
        judged += 1
        assert _same(before, after, False), (print_term(term), print_term(form), database)
        if ends_sorted(term) and _same(before, run(term, turned), True) and _same(after, run(form, turned), True):
            assert _same(before, after, True), (print_term(term), print_term(form), database)
    return judged


def test_without_keys_a_declared_key_proves_nothing() -> None:
    a, b = read("Member | join Town on Member.town = Town.town_id | show Member.name"), read("Member | show .name")
    run = runner(SCHEMA)
    assert equivalent(a, b, SCHEMA, run).kind == "equal"
    assert equivalent(a, b, SCHEMA, run, assume=Assumptions(keys=False)).kind == "different"


def test_lets_used_once_are_inlined_and_the_rest_numbered() -> None:
    turn = lower_program(parse("user turn: let a = now(); let b = a; f(b, b); g(fn y => y);"))[0][0]
    assert print_turn(canonicalize(turn, GOLDEN)) == "user turn: let x0 = now; f(x0, x0); g(fn v0 => v0);"


def test_a_let_is_not_moved_into_a_row_or_past_its_name() -> None:
    text = "user turn: let a = now(); Lodge | where .since = a;"
    turn = lower_program(parse(text))[0][0]
    assert print_turn(canonicalize(turn, GOLDEN)).startswith("user turn: let x0 = now;")


def test_a_constant_needs_no_name() -> None:
    turn = lower_program(parse('user turn: let a = 3; let b = @"x"; f(a, a, fn y => a); g(b, b);'))[0][0]
    assert print_turn(canonicalize(turn, GOLDEN)) == 'user turn: f(3, 3, fn v0 => 3); g(@"x", @"x");'
