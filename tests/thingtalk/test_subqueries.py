"""`x op any(query)` holds if it holds for some row of the query: read, run and written so.

The reference compiles it to a loop over the rows of the query that ends at the first of which the comparison is true.
"""

import random
from typing import Any

import pytest
from thingtalk_oracle import Oracle

from dlc.canon.pipeline import canonicalize
from dlc.compiler.check import Checker
from dlc.meaning import run_on
from dlc.schemas import load_schema
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.targets.thingtalk.write import write_thingtalk

HOTEL = "@uk.ac.cam.multiwoz.Hotel.Hotel()"
RESTAURANT = "@uk.ac.cam.multiwoz.Restaurant.Restaurant()"
HOLDS = {
    "==": lambda a, b: a == b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=~": lambda a, b: b in a,
}
CODES = [
    *(f"{HOTEL} filter stars {op} any([stars] of {HOTEL} filter area == enum north);" for op in ("==", ">=", "<=")),
    f"{HOTEL} filter !(stars >= any([stars] of {HOTEL} filter area == enum north));",
    f"{HOTEL} filter address =~ any([postcode] of {RESTAURANT} filter area == enum north);",
    f"([stars] of {HOTEL}) filter stars >= any([stars] of {HOTEL} filter area == enum north);",
]


@pytest.mark.parametrize("code", CODES)
def test_it_holds_if_it_holds_for_some_row(code: str) -> None:
    schema = load_schema("multiwoz")
    checker, reader, dice = Checker(schema), ThingTalkReader(schema), random.Random(code)
    turn = reader.read(code)
    assert checker.check_turn(turn).ok
    form = canonicalize(turn, checker.schema)
    run, full = run_on(checker.schema), checker.schema
    op = next(op for op in HOLDS if f" {op} any(" in code)
    field, other = ("address", "postcode") if op == "=~" else ("stars", "stars")
    again = [reader.read(str(write_thingtalk(t, schema).program)) for t in (turn, form)]
    both = none = 0
    for _ in range(60):
        database: dict[str, list[dict[str, Any]]] = {}
        for table in ("Hotel", "Restaurant"):
            columns = dict.fromkeys(c.name for c in full.table[table].columns)
            database[table] = [
                {**columns, "stars": dice.choice((None, 2, 3, 4)), "area": dice.choice(("north", "south")),
                 "address": dice.choice((None, "cb1 a", "cb2 b")), "postcode": dice.choice((None, "cb1", "cb2"))}
                for _ in range(dice.randrange(4))
            ]  # fmt: skip
        table = "Restaurant" if op == "=~" else "Hotel"
        rows = [row[other] for row in database[table] if row["area"] == "north"]
        wanted = [
            row[field]
            for row in database["Hotel"]
            if any(row[field] is not None and r is not None and HOLDS[op](row[field], r) for r in rows)
            is (not code.startswith(f"{HOTEL} filter !"))
        ]
        for made in (turn, form, *again):
            given = [dict(row)[field] for row in run(made.statements[0].term, database)]
            assert given == wanted, (made, database)
        both += len(wanted) > 0
        none += len(wanted) < len(database["Hotel"])
    assert both > 5 and none > 5


@pytest.mark.parametrize("code", CODES)
def test_it_is_written_as_it_was(code: str) -> None:
    schema = load_schema("multiwoz")
    written = write_thingtalk(ThingTalkReader(schema).read(code), schema)
    assert written.program is not None and written.program.endswith(f" {code}") and not written.notes


def test_a_query_of_one_row_at_most_is_its_value() -> None:
    reader = ThingTalkReader(load_schema("multiwoz"))
    turn = reader.read(f"{HOTEL} filter stars >= any([stars] of sort(stars desc of {HOTEL})[1]);")
    assert "exists" not in repr(turn)


@pytest.mark.oracle
def test_the_reference_accepts_their_forms(oracle: Oracle, corpora: Any) -> None:
    schema = load_schema("multiwoz")
    checker, reader = Checker(schema), ThingTalkReader(schema)
    forms = [write_thingtalk(canonicalize(reader.read(code), checker.schema), schema) for code in CODES]
    programs = [(str(form.program), "normal") for form in forms]
    for form, answer in zip(forms, oracle.judge(programs, corpora / "multiwoz30" / "schema.tt"), strict=True):
        assert answer["typecheck"] and not form.notes, (form, answer)
