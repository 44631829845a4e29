"""Verdicts on pairs of SQL gold queries, held to SQLite on databases of another generator.

    python benchmarks/sql_equivalence.py mutants [--count 1000] [--databases 500]     one small change each
    python benchmarks/sql_equivalence.py rewrites [--count 1000] [--databases 500]    the same meaning, by cause

    python benchmarks/sql_equivalence.py answers                                       published answers, by meaning
    python benchmarks/sql_equivalence.py forms [--databases 20]                        gold against its canonical form

A mutant is a gold query with an operator, constant, conjunct, column, DISTINCT or join changed (`tests/support/sql_mutants.py`);
a rewrite is a pair that means the same (`tests/support/sql_rewrites.py`). Each pair is given to `equivalent`, then run by
SQLite on databases made by `dlc.runtime.sql_random`: keys unique, references leading somewhere, values missing in two thirds of
them. A database on which a query's own result depends on the order of rows (read forwards and backwards) says nothing.
"""

import argparse
import gzip
import json
import os
import random
import sqlite3
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from sql_gold import gold_queries, gold_schemas
from sql_mutants import KINDS, mutated
from sql_rewrites import CAUSES, rewritten

from dlc.canon.databases import Pools, tables_in
from dlc.canon.databases import random_database as random_database_of_rows
from dlc.canon.equivalence import ends_sorted, equivalent
from dlc.canon.pipeline import canonical_term
from dlc.canon.verdict import Verdict
from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.compiler.sugar import print_term
from dlc.compiler.terms import App, Statement, Term, Turn
from dlc.eval_sql_meaning import Kind, MeaningJudge, crossed
from dlc.meaning import replay_on, run_on
from dlc.runtime.sql_random import Shape, constants_of, plant, random_database, turn_rows
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.write import write_sql
from dlc.workers import spare_collector

CORPORA = Path(os.environ.get("DLC_CORPORA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")


@dataclass(frozen=True, slots=True)
class Case:
    """A pair of queries over a database's schema, and how the second was made from the first."""

    db: str
    kind: str
    first: Term
    second: Term


class Gold:
    """The gold queries and what reading them needs."""

    def __init__(self) -> None:
        self.schemas = gold_schemas(CORPORA)
        self.catalogs = {name: Catalog(schema) for name, schema in self.schemas.items()}
        self.checkers: dict[str, Checker] = {}
        self.terms: list[tuple[str, Term]] = []
        for db, turn in gold_queries(CORPORA, self.catalogs):
            if len(turn.statements) == 1:
                self.terms.append((db, turn.statements[0].term))

    def full(self, db: str) -> Schema:
        """The schema with the prelude."""
        return self._checker(db).schema

    def typed(self, db: str, term: Term) -> bool:
        """Whether a query is well typed."""
        return self._checker(db).check_turn(_turn(term)).ok

    def _checker(self, db: str) -> Checker:
        return self.checkers.setdefault(db, Checker(self.schemas[db]))

    def cases(self, what: str, count: int, seed: int) -> list[Case]:
        """Distinct seeded pairs, kinds in turn, sorted by database."""
        chance = random.Random(f"{what} {seed}")
        kinds = KINDS if what == "mutants" else CAUSES
        made: dict[Case, None] = {}
        left = {kind: chance.sample(self.terms, len(self.terms)) for kind in kinds}
        again = 0
        while len(made) < count and any(left.values()) and again < 5:
            for kind in kinds:
                case = None
                while case is None and left[kind]:
                    db, term = left[kind].pop()
                    case = self._case(what, kind, db, term, chance)
                    case = case if case not in made else None
                if case is not None and len(made) < count:
                    made[case] = None
            if not any(left.values()):
                # A second change of the same query is another mutant.
                again += 1
                left = {kind: chance.sample(self.terms, len(self.terms)) for kind in kinds}
        return sorted(made, key=lambda case: case.db)

    def _case(self, what: str, kind: str, db: str, term: Term, chance: random.Random) -> Case | None:
        schema = self.schemas[db]
        if what == "mutants":
            second = mutated(term, kind, schema, chance)
            pair = (term, second) if second is not None else None
        else:
            pair = rewritten(term, kind, schema, chance)
        if pair is None or not all(self.typed(db, side) for side in pair):
            return None
        return Case(db, kind, *pair)


def _turn(term: Term) -> Turn:
    return Turn("user", (), (Statement(term),))


class Databases:
    """Seeded databases of one schema at a time."""

    def __init__(self, gold: Gold, count: int) -> None:
        self.gold, self.count = gold, count
        self.db = ""
        self.made: list[sqlite3.Connection] = []

    def separate(self, case: Case) -> tuple[bool, int, bool]:
        """Whether some database separates the pair, how many judged it, whether the results were ever not empty."""
        if case.db != self.db:
            for connection in self.made:
                connection.close()
            schema = self.gold.schemas[case.db]
            shapes = [Shape((0, 10), missing, strict=True) for missing in (0.0, 0.12, 0.3)]
            self.made = [random_database(schema, 7000 + i, shapes[i % 3]) for i in range(self.count)]
            self.db = case.db
        catalog = self.gold.catalogs[case.db]
        first, second = (write_sql(_turn(term), catalog).program for term in (case.first, case.second))
        constants = constants_of((case.first, case.second))
        tables = [catalog.by_name[name].sql for name in tables_in((case.first, case.second), self.gold.full(case.db))]
        ordered = ends_sorted(case.first) and ends_sorted(case.second)
        judged, filled = 0, False
        for seed, connection in enumerate(self.made):
            connection.execute("BEGIN")
            try:
                plant(connection, catalog, constants, seed, keep_keys=True)
                found = [[_rows(connection, query)] for query in (first, second)]
                turn_rows(connection, tables)
                for ways, query in zip(found, (first, second), strict=True):
                    ways.append(_rows(connection, query))
            finally:
                connection.execute("ROLLBACK")
            (a, a_turned), (b, b_turned) = found
            if Counter(a) != Counter(a_turned) or Counter(b) != Counter(b_turned):
                continue
            judged += 1
            filled = filled or bool(a)
            if Counter(a) != Counter(b):
                return True, judged, filled
            if ordered and a == a_turned and b == b_turned and a != b:
                return True, judged, filled
        return False, judged, filled


def _rows(connection: sqlite3.Connection, query: str) -> list[tuple[object, ...]]:
    rows = connection.execute(query).fetchall()
    return [tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in rows]


def judged(case: Case, gold: Gold, timeout_ms: int) -> tuple[Verdict, float]:
    """The verdict and the seconds it took."""
    schema = gold.full(case.db)
    began = time.perf_counter()
    found = equivalent(
        case.first, case.second, schema, run_on(schema), replay=replay_on(gold.schemas[case.db]), timeout_ms=timeout_ms
    )
    return found, time.perf_counter() - began


def measure(what: str, arguments: argparse.Namespace) -> None:
    """Verdicts, and what SQLite says."""
    gold = Gold()
    cases = gold.cases(what, arguments.count, arguments.seed)
    databases = Databases(gold, arguments.databases)
    table: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    times: list[float] = []
    separated_kinds: Counter[str] = Counter()
    open_pairs: list[tuple[Case, Verdict, bool]] = []
    for case in cases:
        verdict, seconds = judged(case, gold, arguments.timeout)
        times.append(seconds)
        separated, by, filled = databases.separate(case) if arguments.databases else (False, 0, False)
        row = table.setdefault(case.kind, Counter())
        row[verdict.kind] += 1
        row["proved for all"] += verdict.kind == "equal" and verdict.bound is None
        row["separated"] += separated
        row["separated, refuted"] += separated and verdict.kind == "different"
        row["WRONG"] += separated and verdict.kind == "equal"
        row["nothing to judge"] += not by
        row["always empty"] += bool(by) and not filled
        separated_kinds[verdict.kind] += separated
        if verdict.kind in ("likely", "unknown"):
            reasons[verdict.reason[:90]] += 1
            open_pairs.append((case, verdict, separated))
        if separated and (verdict.kind == "equal" or what == "rewrites"):
            print(
                f"WRONG {case.kind} {case.db} {verdict.kind}:\n  {print_term(case.first)}\n  {print_term(case.second)}"
            )
    print(f"{what}: {len(cases)} pairs, verdict times: median {statistics.median(times) * 1e3:.1f} ms, "
          f"95 % {sorted(times)[int(len(times) * 0.95)]:.2f} s, worst {max(times):.2f} s, all {sum(times):.0f} s")  # fmt: skip
    for kind, row in (*table.items(), ("all", sum(table.values(), Counter()))):
        print(f"  {kind}: " + ", ".join(f"{name} {n}" for name, n in sorted(row.items()) if n))
    print(f"separated by some of {arguments.databases} databases, by verdict: {dict(separated_kinds)}")
    for reason, number in reasons.most_common(20):
        print(f"  open: {number} x {reason}")
    if arguments.open:
        for case, verdict, separated in open_pairs[: arguments.open]:
            print(f"- {case.kind}, {case.db}, {verdict.kind}{', separated' * separated}: {verdict.reason}")
            print(f"    {print_term(case.first)}\n    {print_term(case.second)}")


def forms(count: int) -> None:
    """Every gold query against its canonical form: by the evaluator on rows in memory, and by SQLite."""
    gold = Gold()
    databases = Databases(gold, count)
    outcomes: Counter[str] = Counter()
    for db, term in sorted(gold.terms, key=lambda known: known[0]):
        schema = gold.full(db)
        form = canonical_term(term, schema)
        outcomes["queries"] += 1
        outcomes["form is not its own form"] += canonical_term(form, schema) != form
        outcomes["form is not well typed"] += not gold.typed(db, form)
        dice, tables, pools, run = random.Random(db), tables_in((term,), schema), Pools((term,), schema), run_on(schema)
        for _ in range(count):
            rows = random_database_of_rows(tables, pools, dice, 6)
            turned = {name: found[::-1] for name, found in rows.items()}
            x, y = (_bag(run(term, r)) for r in (rows, turned))
            outcomes["runs"] += 1
            outcomes["runs that the order of rows decides"] += x != y
            outcomes["runs that differ"] += x == y and x != _bag(run(form, rows))
        separated, by, _ = databases.separate(Case(db, "form", by_label(term), form))
        outcomes["queries that SQLite separates from their form"] += separated
        if separated:
            print(f"SQLite separates, {db}:\n  {print_term(term)}\n  {print_term(form)}")
        outcomes["judged SQLite runs"] += by
    for name, number in outcomes.items():
        print(f"{name}: {number}")


def by_label(term: Term) -> Term:
    """The query with the columns of its last `show` by label: a canonical form shows a record, which has no order."""
    if isinstance(term, App) and term.fn == "show" and len({label for label, _ in term.named}) == len(term.named):
        return App("show", term.args, tuple(sorted(term.named, key=lambda item: item[0])))
    if isinstance(term, App) and term.fn in ("take", "at", "distinct", "sort"):
        return App(term.fn, (by_label(term.args[0]), *term.args[1:]))
    return term


def _bag(rows: Sequence[tuple[tuple[str, Any], ...]]) -> Counter[Any]:
    """Rows with their columns by label, which is the order a canonical form shows them in."""
    return Counter(tuple(sorted((label, repr(value)) for label, value in row)) for row in rows)


def answers() -> None:
    """The answers of published systems with their official verdict: what is proved of them (`dlc eval sql --variant meaning`)."""
    schemas = gold_schemas(CORPORA)
    judges: dict[str, MeaningJudge] = {}
    counts: dict[str, list[tuple[bool, Kind]]] = {}
    began = time.perf_counter()
    with gzip.open(CORPORA / "spider" / "exact_set_match.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            judge = judges.get(row["db_id"]) or MeaningJudge(schemas[row["db_id"]])
            judges[row["db_id"]] = judge
            found = judge.judge(row["gold"], row["pred"])
            counts.setdefault(row["system"], []).append((row["exact_set_match"], found))
    for system, pairs in sorted(counts.items()):
        right = sum(exact for exact, _ in pairs)
        proved = sum(found == "equal" for _, found in pairs)
        print(
            f"{system}: {len(pairs)} answers, exact set match {right / len(pairs):.3f}, proved equal {proved / len(pairs):.3f}"
        )
        for kind, called_right, called_wrong in crossed(pairs):
            print(f"  {kind}: exact set match right {called_right}, wrong {called_wrong}")
    print(f"{sum(map(len, counts.values())) / (time.perf_counter() - began):.0f} answers/s")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("mutants", "rewrites", "answers", "forms"))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--databases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=int, default=5000, help="of the proof, in milliseconds")
    parser.add_argument("--open", type=int, default=0, metavar="N", help="show N of the pairs that stay open")
    spare_collector()
    arguments = parser.parse_args()
    if arguments.what == "answers":
        answers()
    elif arguments.what == "forms":
        forms(min(arguments.databases, 20))
    else:
        measure(arguments.what, arguments)


if __name__ == "__main__":
    main()
