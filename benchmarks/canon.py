"""Canonical forms and equivalence: figures, with their peer in the same run.

python benchmarks/canon.py filters [--pairs 20000] [--seed 20260101]    against a reused Z3 solver
python benchmarks/canon.py programs                                     canonical forms per second, one core
python benchmarks/canon.py verdicts [--count 300]                       mutants of random queries
    python benchmarks/canon.py gold [--count 1000]                          mutants of the CoSQL gold
"""

import argparse
import gc
import importlib
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "tests" / "canon"
sys.path.insert(0, str(TESTS))


def filters(count: int, seed: int) -> None:
    """Forms and decisions against Z3 on seeded pairs; processor time, so that a busy machine does not matter."""
    import z3

    from dlc.canon.filters.decide import same
    from dlc.canon.filters.normal import normal_form
    from dlc.canon.rows import Scope, Source

    made, judge = importlib.import_module("canon_pairs"), importlib.import_module("canon_z3")
    pairs = list(made.pairs(count, seed))
    scope = Scope(made.SCHEMA, {made.BINDER: Source(table="Lodge")})
    gc.collect()
    gc.freeze()
    began = time.process_time()
    decided = [same(a, b, scope) for a, b, _ in pairs]
    deciding = time.process_time() - began
    began = time.process_time()
    forms = [(normal_form(a, scope), normal_form(b, scope)) for a, b, _ in pairs]
    forming = time.process_time() - began
    solver = z3.Solver()
    began = time.process_time()
    truth = [judge.equivalent(solver, a, b) for a, b, _ in pairs]
    proving = time.process_time() - began
    wrong = sum((x.term == y.term) != t for (x, y), t in zip(forms, truth, strict=True))
    wrong_decisions = sum(d != t for d, t in zip(decided, truth, strict=True))
    by_order = sum(t and how == "order" for (_, _, how), t in zip(pairs, truth, strict=True))
    print(
        f"pairs {count}, equivalent {sum(truth) / count:.1%}, of these by reordering alone {by_order / sum(truth):.1%}"
    )
    print(f"forms that disagree with Z3: {wrong}; decisions that disagree: {wrong_decisions}")
    print(f"fallbacks: {sum(not n.complete for pair in forms for n in pair)}")
    print(
        f"decided {count / deciding:,.0f} pairs/s, formed {count / forming:,.0f} pairs/s, Z3 {count / proving:,.0f} pairs/s"
    )
    print(f"ratio to Z3: deciding {proving / deciding:.1f}, forming {proving / forming:.1f}")


def programs() -> None:
    """Canonical forms of typical programs: the built-in sample, and random queries with joins and groups."""
    from dlc.compiler.check import Checker
    from dlc.compiler.terms import Statement, Turn
    from dlc.sources import source

    queries = importlib.import_module("canon_queries")
    rng = random.Random(1)
    random_turns = [Turn("user", (), (Statement(queries.read(queries.query(rng))),)) for _ in range(2000)]
    report("random queries over four tables", random_turns, queries.SCHEMA)
    from dlc.conversion import units
    from dlc.options import Options

    opened = source("multiwoz")
    read = opened.reader(Options())
    turns: list[Any] = []
    schema: Any = None
    for unit in units(opened, [], lambda diagnostic: None):
        done = read(unit)
        schema = schema or next((s for s in done.schemas if s is not None), None)
        turns += [row.program for row in done.dialogue.turns if row.program is not None]
    report("slot states of the built-in sample", turns * 40, Checker(schema).schema)


def report(name: str, turns: list[Any], schema: Any) -> None:
    """Forms per second."""
    from dlc.canon.pipeline import canonicalize

    gc.collect()
    gc.freeze()
    began = time.process_time()
    for turn in turns:
        canonicalize(turn, schema)
    print(f"{name}: {len(turns) / (time.process_time() - began):,.0f} programs/s over {len(turns):,}")


def verdicts(count: int) -> None:
    """Verdicts on mutants of random queries, and on pairs equal by construction."""
    from dlc.canon.equivalence import equivalent

    queries, run = importlib.import_module("canon_queries"), importlib.import_module("canon_run")
    tests = importlib.import_module("test_equivalence_verdicts")
    runner = run.runner(queries.SCHEMA)
    rng = random.Random(5)
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    began = time.process_time()
    for _ in range(count):
        first = queries.read(queries.query(rng))
        found = equivalent(first, tests.mutated(first, rng), queries.SCHEMA, runner, databases=100, timeout_ms=1000)
        kinds[found.kind] += 1
        if found.kind in ("likely", "unknown"):
            reasons[found.reason[:60]] += 1
    print(f"mutants: {dict(kinds)} in {time.process_time() - began:.1f} s; open: {reasons.most_common(8)}")


def gold(count: int) -> None:
    """Verdicts on mutants of the SQL gold; every `equal` is held to 500 larger databases of other seeds."""
    import os

    from dlc.canon.databases import Pools, random_database, tables_in
    from dlc.canon.equivalence import _same, equivalent
    from dlc.compiler.check import Checker
    from dlc.conversion import units
    from dlc.options import Options
    from dlc.sources import source

    corpora = Path(os.environ.get("DLC_CORPORA") or TESTS.parents[2] / "shared" / "data")
    tests, running = importlib.import_module("test_equivalence_verdicts"), importlib.import_module("canon_run")
    read = source("cosql").reader(Options(schema=str(corpora / "spider" / "tables.json")))
    programs: list[tuple[Any, Any]] = []
    schemas: dict[int, Any] = {}
    for unit in units(source("cosql"), [str(corpora / "cosql" / "dialogues.json.gz")], lambda diagnostic: None):
        done = read(unit)
        for row, schema in zip(done.dialogue.turns, done.schemas, strict=True):
            if row.program is not None and schema is not None and len(row.program.statements) == 1:
                full = schemas.setdefault(id(schema), Checker(schema).schema)
                programs.append((row.program.statements[0].term, full))
    rng = random.Random(11)
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    wrong = 0
    began = time.process_time()
    for i in range(count):
        first, schema = rng.choice(programs)
        try:
            second = tests.mutated(first, rng)
        except ValueError:
            continue
        if first == second:
            kinds["nothing to mutate"] += 1
            continue
        run = running.runner(schema)
        found = equivalent(first, second, schema, run, databases=100, timeout_ms=1000)
        kinds[found.kind] += 1
        if found.kind in ("likely", "unknown"):
            reasons[found.reason[:70]] += 1
        if found.kind != "equal":
            continue
        dice = random.Random(f"other {i}")
        tables, pools = tables_in((first, second), schema), Pools((first, second), schema)
        for _ in range(500):
            database = random_database(tables, pools, dice, 8, True, 0.3)
            turned = {name: rows[::-1] for name, rows in database.items()}
            x, y = run(first, database), run(second, database)
            stable = _same(x, run(first, turned), False) and _same(y, run(second, turned), False)
            if stable and not _same(x, y, False):
                wrong += 1
                break
    print(f"gold mutants: {dict(kinds)} in {time.process_time() - began:.1f} s; wrongly equal: {wrong}")
    for reason, number in reasons.most_common(10):
        print(f"  open: {number} {reason}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("filters", "programs", "verdicts", "gold"))
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20260101)
    args = parser.parse_args()
    from dlc.workers import spare_collector

    # What batch commands do: collector pauses depend on how much else is in memory.
    spare_collector()
    if args.what == "filters":
        filters(args.pairs, args.seed)
    elif args.what == "programs":
        programs()
    elif args.what == "gold":
        gold(args.count)
    else:
        verdicts(args.count)


if __name__ == "__main__":
    main()
