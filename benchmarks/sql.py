"""SQL measured: round trips of the gold queries, results on random databases, conversions, speed against sqlglot.

    python benchmarks/sql.py [--databases 20] [--rounds 3] [--only-speed] [--build FOLDER]

The peer is sqlglot's parse + qualify + annotate_types from text, schemas prepared beforehand for both; both run on the
build of sqlglot that is installed, which is said. `--build FOLDER` measures both once more on the build in a folder made by
`pip install --target FOLDER --no-deps sqlglot sqlglotc` (compiled). The peer gets strings in single quotes, because it cannot
read others. Prints lines of `name: figure`.
"""

import argparse
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import sqlglot.parser
from sqlglot import parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema import Schema
from dlc.compiler.sugar import print_turn
from dlc.grammar.diagnostic import CompileError
from dlc.metrics.sql_match import exact_set_match
from dlc.metrics.sql_schema import read_tables_json as read_metric_schemas
from dlc.runtime.sql_random import Shape, constants_of, plant, random_database
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.read import read_sql
from dlc.targets.sql.tables_json import read_tables_json
from dlc.targets.sql.write import write_sql

CORPORA = Path(os.environ.get("DLC_CORPORA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")
_SPLIT = re.compile(r"([<>!])\s+=")

Gold = list[tuple[str, str]]


def gold_queries() -> Gold:
    """Distinct (database, query) of the three corpora."""
    found: dict[tuple[str, str], None] = {}
    for name in ("cosql", "sparc", "spider"):
        with gzip.open(CORPORA / name / "dialogues.json.gz", "rt", encoding="utf-8") as file:
            for entry in json.load(file):
                for turn in (*entry["interaction"], entry["final"]) if "interaction" in entry else (entry,):
                    found[entry.get("database_id") or entry["db_id"], turn["query"]] = None
    return list(found)


def round_trips(gold: Gold, schemas: dict[str, Schema], raw: Any, databases: int) -> None:
    """Read, typed, printed, parsed, written; official match; results."""
    metric = read_metric_schemas(raw)
    catalogs = {name: Catalog(schema) for name, schema in schemas.items()}
    checkers: dict[str, Checker] = {}
    made: dict[str, list[Any]] = {}
    counts: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for db, query in gold:
        try:
            turn, notes = read_sql(query, catalogs[db])
        except CompileError:
            counts["refused"] += 1
            continue
        counts["read"] += 1
        codes.update({n.code for n in notes})
        checker = checkers.setdefault(db, Checker(schemas[db]))
        checked = compile_program(print_turn(turn), checker)
        counts["typed"] += checked.ok
        written = write_sql(checked.turns[0].turn, catalogs[db]).program
        counts["exact set match"] += exact_set_match(query, written, metric[db])
        if db not in made:
            made[db] = [random_database(schemas[db], i, Shape(missing=0.12 * (i % 2))) for i in range(databases)]
        constants = constants_of(s.term for s in turn.statements)
        filled, same = 0, True
        for seed, connection in enumerate(made[db]):
            connection.execute("BEGIN")
            plant(connection, schemas[db], constants, seed)
            expected = connection.execute(_SPLIT.sub(r"\1=", query)).fetchall()
            same &= connection.execute(written).fetchall() == expected
            connection.execute("ROLLBACK")
            filled += any(value not in (None, 0) for row in expected for value in row)
        counts[f"equal on {databases} databases"] += same
        counts["non-empty on three or more"] += filled >= 3
    print(f"distinct gold queries: {len(gold)}")
    for name, count in counts.items():
        share = "" if name in ("read", "refused") else f" ({100 * count / counts['read']:.2f} %)"
        print(f"{name}: {count}{share}")
    for code, count in sorted(codes.items()):
        print(f"queries with {code}: {count}")


def speed(gold: Gold, schemas: dict[str, Schema], rounds: int) -> None:
    """Text to typed program, query by query, both in turn."""
    catalogs = {name: Catalog(schema) for name, schema in schemas.items()}
    mappings = {
        name: MappingSchema(
            {
                t.sql.lower(): {
                    c.sql.lower(): "DOUBLE" if c.declared == "number" else "TEXT" for c in t.columns.values()
                }
                for t in catalog.tables.values()
            },
            dialect="sqlite",
        )
        for name, catalog in catalogs.items()
    }
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        checkers = {name: Checker(schema) for name, schema in schemas.items()}
        for db, query in gold:
            start = time.perf_counter()
            try:
                turn, _notes = read_sql(query, catalogs[db])
            except CompileError:
                continue
            checkers[db].check_turn(turn)
            middle = time.perf_counter()
            try:
                tree = parse_one(_SPLIT.sub(r"\1=", query).replace('"', "'"), "sqlite")
                annotate_types(
                    qualify(tree, schema=mappings[db], dialect="sqlite"), schema=mappings[db], dialect="sqlite"
                )
            except SqlglotError:
                continue
            end = time.perf_counter()
            ours.append(middle - start)
            theirs.append(end - middle)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"sqlglot build: {build()}")
    print(f"text to typed DL, median: {a * 1e6:.0f} us")
    print(f"sqlglot parse + qualify + annotate_types, median: {b * 1e6:.0f} us")
    print(f"ratio of medians: {b / a:.2f} x (over {len(ours)} runs)")


def build() -> str:
    """Which sqlglot both sides run on: the `c` extra puts compiled modules beside the Python ones."""
    return "pure Python" if sqlglot.parser.__file__.endswith(".py") else "compiled"


def with_build(folder: str) -> None:
    """The speed again in a process that finds the sqlglot of a folder first."""
    path = os.pathsep.join((folder, *filter(None, (os.environ.get("PYTHONPATH"),))))
    subprocess.run([sys.executable, __file__, "--only-speed"], check=True, env={**os.environ, "PYTHONPATH": path})


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-speed", action="store_true")
    parser.add_argument("--build", metavar="FOLDER", help="a folder with another build of sqlglot")
    arguments = parser.parse_args()
    raw = json.loads((CORPORA / "spider" / "tables.json").read_text(encoding="utf-8"))
    schemas = read_tables_json(raw)
    gold = gold_queries()
    if not arguments.only_speed:
        round_trips(gold, schemas, raw, arguments.databases)
    speed(gold, schemas, arguments.rounds)
    if arguments.build:
        sys.stdout.flush()
        with_build(arguments.build)


if __name__ == "__main__":
    main()
