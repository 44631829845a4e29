"""Canonical forms and equivalence: figures, with their peer in the same run.

python benchmarks/canon.py filters [--pairs 20000] [--seed 20260101]    against a reused Z3 solver
python benchmarks/canon.py programs                                     canonical forms per second, one core
python benchmarks/canon.py corpora [--runs 10] [--corpus smcalflow]     forms of whole corpora: laws held, counted
python benchmarks/canon.py verdicts [--count 300]                       mutants of random queries
"""

import argparse
import gc
import importlib
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "tests" / "canon"
sys.path.insert(0, str(TESTS))
CORPORA = Path(os.environ.get("DLC_CORPORA") or TESTS.parents[2] / "shared" / "data")


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
    """Canonical forms of typical programs: random queries with joins and groups, then whole corpora."""
    from dlc.compiler.terms import Statement, Turn

    queries = importlib.import_module("canon_queries")
    rng = random.Random(1)
    random_turns = [Turn("user", (), (Statement(queries.read(queries.query(rng))),)) for _ in range(2000)]
    report("random queries over four tables", [(turn, queries.SCHEMA) for turn in random_turns])
    for name, file in CORPORA_FILES:
        report(f"{name} {Path(file).name}", corpus(name, file))


CORPORA_FILES = (
    ("multiwoz", "multiwoz21/val.json.zip"),
    ("smcalflow", "smcalflow2/dialogues.jsonl.gz"),
    ("multiwoz3", "multiwoz30/train.user.tsv"),
    ("multiwoz3", "multiwoz30/train.agent.tsv"),
    ("cosql", "cosql/dialogues.json.gz"),
    ("sparc", "sparc/dialogues.json.gz"),
    ("spider", "spider/dialogues.json.gz"),
)


def corpus(name: str, file: str) -> list[tuple[Any, Any]]:
    """Every program of a corpus with its schema."""
    from dlc.compiler.check import Checker
    from dlc.conversion import units
    from dlc.options import Options
    from dlc.sources import source

    opened = source(name)
    tables = str(CORPORA / "spider" / "tables.json") if name in ("cosql", "sparc", "spider") else None
    read = opened.reader(Options(schema=tables, speakers="both" if name == "multiwoz3" else None))
    full: dict[int, Any] = {}
    turns: list[tuple[Any, Any]] = []
    for unit in units(opened, [str(CORPORA / file)], _missing):
        done = read(unit)
        for row, schema in zip(done.dialogue.turns, done.schemas, strict=True):
            if row.program is not None and schema is not None:
                turns.append((row.program, full.setdefault(id(schema), Checker(schema).schema)))
    return turns


def _missing(diagnostic: Any) -> None:
    raise SystemExit(f"{diagnostic.message} (DLC_CORPORA names the folder of the corpora)")


def report(name: str, turns: list[tuple[Any, Any]]) -> None:
    """Forms per second: of each program on its own, and of the distinct ones with what was found remembered."""
    from dlc.canon.pipeline import Canonicalizer, canonicalize

    gc.collect()
    gc.freeze()
    began = time.process_time()
    for turn, schema in turns:
        canonicalize(turn, schema)
    alone = len(turns) / (time.process_time() - began)
    distinct = list({(turn, id(schema)): (turn, schema) for turn, schema in turns}.values())
    forms = {id(schema): Canonicalizer(schema) for _, schema in distinct}
    began = time.process_time()
    for turn, schema in distinct:
        forms[id(schema)].turn(turn)
    together = len(distinct) / (time.process_time() - began)
    print(f"{name}: each alone {alone:,.0f}/s over {len(turns):,}; distinct {together:,.0f}/s over {len(distinct):,}")


def corpora(runs: int, only: str | None) -> None:
    """Every program of the corpora: its form is its own form and reads back, keeps the type, and, where it can be
    run, gives the same on random databases, else under free interpretations of its functions."""
    from dlc.compiler.check import Checker

    made = importlib.import_module("canon_laws")
    for name, file in CORPORA_FILES:
        if only not in (None, name):
            continue
        programs = list({(turn, id(schema)): (turn, schema) for turn, schema in corpus(name, file)}.values())
        checkers: dict[int, Any] = {id(schema): Checker(schema) for _, schema in programs}
        counts: Counter[str] = Counter()
        for i, (turn, schema) in enumerate(programs):
            counts.update(made.laws(turn, checkers[id(schema)], i, runs))
        told = {k: n for k, n in sorted(counts.items()) if k not in made.BROKEN}
        wrong = {k: counts[k] for k in made.BROKEN}
        print(f"{name} {Path(file).name}: {len(programs):,} distinct programs, {told}; {wrong}", flush=True)


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


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("filters", "programs", "corpora", "verdicts"))
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--corpus", help="only this source of `corpora`")
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
    elif args.what == "corpora":
        corpora(args.runs, args.corpus)
    else:
        verdicts(args.count)


if __name__ == "__main__":
    main()
