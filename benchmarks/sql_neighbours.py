"""SQL beside its neighbours, counted: what one table's queries become, and the status of every turn by pair of languages.

    python benchmarks/sql_neighbours.py one-table [--oracle FOLDER]    gold queries in ThingTalk and in slots
    python benchmarks/sql_neighbours.py pairs                          statuses and reasons of `dlc convert`, all pairs with SQL
    python benchmarks/sql_neighbours.py evaluate                       gold in plain Python against SQLite

With `--oracle`, the folder of an installed ThingTalk reference, every ThingTalk program written for any gold query is
given to it. Prints lines of `name: figure`.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from sql_gold import equality_conjunction, gold_queries, gold_schemas, selection_only, uses_one_table

import dlc
from dlc.compiler.sugar import print_term
from dlc.compiler.terms import App, Statement, Turn, subterms
from dlc.runtime.errors import RuntimeFailure
from dlc.runtime.evaluate import Context, query_rows
from dlc.runtime.scalars import SCALARS, number_of
from dlc.runtime.sql_random import Shape, constants_of, plant, random_database
from dlc.runtime.sql_rows import rows_of_database
from dlc.targets.rows import status_of
from dlc.targets.slots.write import write_slots
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.write import write_sql
from dlc.targets.thingtalk.write import write_thingtalk
from dlc.targets.thingtalk.write_classes import schema_to_classes

CORPORA = Path(os.environ.get("DLC_CORPORA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")


def one_table(oracle: str | None) -> None:
    """Selections, projections, sorts, first n and aggregates over one table; equality conjunctions."""
    schemas = gold_schemas(CORPORA)
    catalogs = {name: Catalog(schema) for name, schema in schemas.items()}
    statuses: Counter[str] = Counter()
    slots: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    programs: dict[str, list[tuple[str, str]]] = {}
    for db, turn in gold_queries(CORPORA, catalogs):
        written = write_thingtalk(turn, schemas[db])
        if written.program is not None:
            programs.setdefault(db, []).append((written.program, "normal"))
        if uses_one_table(turn):
            statuses[status_of(written)] += 1
            if status_of(written) != "exact":
                shown = [
                    print_term(n) for n in subterms(turn.statements[0].term) if isinstance(n, App) and n.fn == "show"
                ]
                reasons[shown[0].rpartition("| whole | ")[2] if shown else "?"] += 1
        term = selection_only(turn)
        if term is not None and equality_conjunction(term):
            slots[status_of(write_slots(Turn("user", (), (Statement(term),)), schemas[db]))] += 1
    print(f"one table to ThingTalk: {dict(statuses)}")
    for reason, count in reasons.most_common():
        print(f"  not exact: {count} x {reason}")
    print(f"equality conjunctions to slots: {dict(slots)}")
    if oracle is None:
        return
    from thingtalk_oracle import Oracle

    refused: Counter[str] = Counter()
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for db, written_for in programs.items():
            classes = Path(folder) / f"{db}.tt"
            classes.write_text(schema_to_classes(schemas[db]))
            answers = Oracle(Path(oracle)).judge(written_for, classes)
            count += len(answers)
            refused.update(str(a["error"])[:80] for a in answers if a["error"])
    print(
        f"ThingTalk programs of all gold queries: {count}; refused by the reference: {refused.total()} {dict(refused)}"
    )


GOLD = tuple(
    (name, f"{name}/dialogues.json.gz", target, "spider/tables.json")
    for name in ("cosql", "sparc", "spider")
    for target in ("sql", "thingtalk", "slots", "dataflow")
)
OTHERS = (
    ("multiwoz", "multiwoz21/val.json.zip", "sql", None),
    ("multiwoz3", "multiwoz30/train.user.tsv", "sql", None),
    ("multiwoz3", "multiwoz30/train.agent.tsv", "sql", None),
    ("smcalflow", "smcalflow2/dialogues.jsonl.gz", "sql", None),
)


def pairs() -> None:
    """Every row of `dlc convert`: counts by status, and by reason code for what is lost."""
    for source, path, target, tables in (*GOLD, *OTHERS):
        statuses: Counter[str] = Counter()
        reasons: Counter[tuple[str, str]] = Counter()
        schema = str(CORPORA / tables) if tables is not None else None
        for row in dlc.convert(source, CORPORA / path, to=target, schema=schema):
            statuses[row["status"]] += 1
            if row["status"] != "exact":
                reasons.update({(row["status"], note["code"]) for note in row["notes"]})
        print(f"{source} ({Path(path).name}) to {target}: {statuses.total()} rows, {dict(statuses)}")
        print("  " + ", ".join(f"{status} {code} {n}" for (status, code), n in sorted(reasons.items())))


def evaluate(databases: int) -> None:
    """The gold queries by DL's own evaluation in plain Python, against SQLite, on seeded random databases."""
    schemas = gold_schemas(CORPORA)
    catalogs = {name: Catalog(schema) for name, schema in schemas.items()}
    made = {}
    outcomes: Counter[str] = Counter()
    for db, turn in gold_queries(CORPORA, catalogs):
        schema, term = schemas[db], turn.statements[-1].term
        written = write_sql(turn, catalogs[db]).program
        if len(turn.statements) > 1 or written is None:
            outcomes["queries with `let`"] += 1
            continue
        choices = any(isinstance(n, App) and n.fn in ("take", "pick", "pick_all") for n in subterms(term))
        if db not in made:
            made[db] = [random_database(schema, i, Shape(missing=0.12 * (i % 2))) for i in range(databases)]
        for seed, connection in enumerate(made[db]):
            connection.execute("BEGIN")
            plant(connection, schema, constants_of((term,)), seed)
            expected = connection.execute(written).fetchall()
            rows = rows_of_database(connection, catalogs[db])
            connection.execute("ROLLBACK")
            try:
                found = query_rows(term, Context(schema, rows, dict(SCALARS))).tuples()
            except RuntimeFailure as error:
                outcomes[f"not run: {error}"] += 1
                continue
            same = Counter(map(_plain, found)) == Counter(map(_plain, expected))
            outcomes["equal" if same else "another choice among ties" if choices else "different"] += 1
    print(f"runs in plain Python against SQLite: {outcomes.total()}, {dict(outcomes)}")


def _plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """Whichever way a value came: SQLite has no Bool, 2 is 2.0, and a text column repaired to numbers keeps its text."""
    values = [getattr(number_of(value), "text", number_of(value)) for value in row]
    return tuple(round(float(v), 6) if isinstance(v, int | float) else v for v in values)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("one-table", "pairs", "evaluate"))
    parser.add_argument("--oracle", metavar="FOLDER")
    parser.add_argument("--databases", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.what == "one-table":
        one_table(arguments.oracle)
    elif arguments.what == "pairs":
        pairs()
    else:
        evaluate(arguments.databases)


if __name__ == "__main__":
    main()
