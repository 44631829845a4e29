"""What must hold of the canonical form of any program: counted, for tests on samples and benchmarks on whole corpora."""

import random
from collections import Counter

from canon_free import Unknown, interpretation
from canon_run import runner

from dlc.canon.databases import Pools, random_database, tables_in
from dlc.canon.equivalence import _same, ends_sorted
from dlc.canon.pipeline import Canonicalizer
from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import App, Term, Turn
from dlc.compiler.types import Type, show
from dlc.grammar.parser import parse

BROKEN = ("not read back", "not its own form", "type changed", "results differ")


def laws(turn: Turn, checker: Checker, seed: int, runs: int) -> "Counter[str]":
    """Whether the form of a turn reads back, is its own form, keeps the type of a well-typed turn, and gives the same
    on random databases, for statements that can be run, or whatever its functions do."""
    counts: Counter[str] = Counter()
    schema = checker.schema
    form = Canonicalizer(schema).turn(turn)
    counts["changed"] += form != turn
    again = lower_program(parse(print_turn(form)))[0][0]
    counts["not read back"] += again != form
    counts["not its own form"] += Canonicalizer(schema).turn(again) != form
    before, after = checker.check_turn(turn), checker.check_turn(form)
    inlined = len(turn.statements) != len(form.statements)
    if before.ok:
        counts["typed"] += 1
        types = [[_plain_type(t) for t in checked.types] for checked in (before, after)]
        counts["type changed"] += not (after.ok and (inlined or types[0] == types[1]))
    for old, new in zip(turn.statements, form.statements, strict=not inlined):
        if not inlined and isinstance(old.term, App) and (old.term.args or old.term.fn in schema.table):
            counts += _results(old.term, new.term, checker, seed, runs)
    if before.ok and after.ok and not counts["statements run"] and checker.schema.functions:
        counts.update(_interpreted(before.elaborated, after.elaborated, checker, counts, runs))
    return counts


def _interpreted(a: Turn, b: Turn, checker: Checker, known: "Counter[str]", runs: int) -> "Counter[str]":
    """Turns that call functions nobody implements, under free interpretations of these; instead of what was not run."""
    counts: Counter[str] = Counter()
    try:
        for seed in range(runs):
            free = interpretation(checker.schema, seed, (a, b))
            counts["results differ"] += free.results(a) != free.results(b)
            counts["interpretations"] += 1
    except Unknown:
        return Counter()
    counts["statements interpreted"] = known["statements not run"] or sum(s.let is None for s in a.statements)
    counts["statements not run"] = -known["statements not run"]
    return counts


def _results(a: Term, b: Term, checker: Checker, seed: int, runs: int) -> "Counter[str]":
    counts: Counter[str] = Counter()
    run, dice = runner(checker.schema), random.Random(seed)
    tables, pools = tables_in((a, b), checker.schema), Pools((a, b), checker.schema)
    judged = 0
    try:
        for size in range(runs if tables else 0):
            database = random_database(tables, pools, dice, 1 + size % 5, True)
            turned = {name: rows[::-1] for name, rows in database.items()}
            x, y = run(a, database), run(b, database)
            # A result that depends on the order of rows in a table says nothing.
            if not _same(x, run(a, turned), False):
                continue
            judged += 1
            stable = ends_sorted(a) and _same(x, run(a, turned), True) and _same(y, run(b, turned), True)
            counts["results differ"] += not _same(x, y, stable)
    except Exception:
        # What the evaluator has no rows or functions for.
        judged = 0
    counts["statements run" if judged else "statements not run"] += 1
    counts["runs"] += judged
    return counts


def _plain_type(type_: Type) -> str:
    """A type with a record's fields in order of their names: columns have no order."""
    return " ".join(sorted(show(type_).replace("{", " ").replace("}", " ").replace(",", " ").split()))
