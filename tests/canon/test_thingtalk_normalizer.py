"""What ThingTalk's own normalizer identifies has one canonical form, but for its rules that forget missing values."""

import dataclasses
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from thingtalk_oracle import Oracle

from dlc.canon.pipeline import Canonicalizer, canonicalize
from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import Turn
from dlc.grammar.diagnostic import CompileError
from dlc.meaning import verdict_on
from dlc.schemas import load_schema
from dlc.targets.thingtalk import ast
from dlc.targets.thingtalk.beyond import read_beyond
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.programs import parse
from dlc.targets.thingtalk.read import ThingTalkReader

STATE = "$dialogue @org.thingpedia.dialogue.transaction.execute;\n"


# ---------------------------------------------------------------- the package's own cases


def read(code: str, schema: Schema) -> tuple[Turn, Schema] | None:
    """The form of a program, in DL or with stand-ins for what DL has not, and its schema; None if it is ill typed."""
    try:
        turn = ThingTalkReader(schema).read(code)
    except CompileError as error:
        if {d.code for d in error.diagnostics} != {"DLC225"}:
            return None
    else:
        checker = Checker(schema)
        return (canonicalize(turn, checker.schema), schema) if checker.check_turn(turn).ok else None
    made = read_beyond(code, schema)
    return (made.turn, made.schema) if Checker(made.schema).check_turn(made.read).ok else None


@pytest.mark.oracle
def test_the_references_optimizer_cases_meet_in_one_form(oracle: Oracle) -> None:
    """All 57, each as it is written: one form; or a database that shows the rule to be wrong; or no program at all."""
    classes = oracle.tests / "thingpedia.tt"
    schema = load_schema(str(classes))
    cases = oracle.cases("test_optimize.js", "TEST_CASES")
    faults = oracle.faults([code for pair in cases for code in pair], classes)
    kinds: Counter[str] = Counter()
    for i, pair in enumerate(cases):
        first, second = (read(code, schema) for code in pair)
        if first is None or second is None:
            # Its normalizer runs before its checker, and takes away what the checker would refuse.
            (refused,) = {fault for fault in faults[2 * i : 2 * i + 2] if fault is not None}
            assert re.fullmatch("TypeError: Variable [a-z]+ is not in scope", refused), pair
            kinds["no program"] += 1
        elif first[0] == second[0]:
            kinds["identified"] += 1
        else:
            assert first[1] == second[1] == schema, "of what is outside DL no database can tell"
            verdict = verdict_on(first[0], second[0], Checker(schema).schema, smt=False)
            assert verdict.witness is not None and verdict.witness.first != verdict.witness.second, pair
            rows = [row for table in verdict.witness.database.values() for row in table]
            assert any(value is None for row in rows for value in row.values()), "a value is missing"
            kinds["unsound"] += 1
    assert kinds == {"identified": 53, "unsound": 1, "no program": 3} and kinds.total() == len(cases)


# ---------------------------------------------------------------- clauses in another order


def shuffled(node: Any, dice: random.Random) -> Any:
    """A program with the parts of every `&&` and `||` in some other order."""
    if isinstance(node, ast.And | ast.Or):
        parts = [shuffled(part, dice) for part in node.operands]
        dice.shuffle(parts)
        return type(node)(tuple(parts))
    if isinstance(node, tuple):
        return tuple(shuffled(part, dice) for part in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        parts = {f.name: shuffled(getattr(node, f.name), dice) for f in dataclasses.fields(node) if f.init}
        return type(node)(**parts)
    return node


@pytest.mark.corpus
def test_clauses_of_multiwoz_3_in_any_order_have_one_form(corpora: Path) -> None:
    schema = load_schema("multiwoz")
    forms, reader = Canonicalizer(Checker(schema).schema), ThingTalkReader(schema)
    dice = random.Random(20261126)
    changed = 0
    for file in sorted((corpora / "multiwoz30").glob("*.tsv")):
        programs = {p for line in file.read_text("utf-8").splitlines() for p in line.split("\t")[1::2] if "&&" in p}
        for text in sorted(programs):
            other = to_text(shuffled(parse(text, True), dice), True)
            changed += other != text
            first, second = (forms.turn(reader.read(t, tokenized=True)) for t in (text, other))
            assert first == second, (text, other)
    assert changed > 800


# ---------------------------------------------------------------- random filters, as the reference groups them

HOTEL = "@uk.ac.cam.multiwoz.Hotel.Hotel()"
TESTS = (
    *(f"stars {op} {n}" for op in ("==", ">=", "<=") for n in (3, 4)),
    *(f"{n} {op} stars" for op in ("==", ">=", "<=") for n in (3, 4)),
    *(f"area == enum {area}" for area in ("north", "south")),
    *(
        "parking == true",
        "internet == false",
        'id =~ "lodge"',
        "true(price_range)",
        "3 == 4",
        "3 == 3",
        "true",
        "false",
    ),
    *("in_array(stars, [3, 4])", "in_array(area, [enum north, enum south])"),
)


def condition(dice: random.Random, depth: int) -> str:
    """A random filter."""
    roll = dice.random()
    if depth == 0 or roll < 0.35:
        return dice.choice(TESTS)
    if roll < 0.55:
        return f"!({condition(dice, depth - 1)})"
    parts = [condition(dice, depth - 1) for _ in range(dice.choice((2, 2, 3)))]
    return "(" + f" {dice.choice(('&&', '||'))} ".join(parts) + ")"


def query(dice: random.Random, depth: int) -> str:
    """A random query: filters, projections, sorts and slices in any order."""
    inner = query(dice, depth - 1) if depth else HOTEL
    match dice.randrange(5):
        case 0 | 1:
            return f"({inner} filter {condition(dice, 2)})"
        case 2:
            return f"([{', '.join(dice.sample(('stars', 'area', 'id', 'parking', 'internet', 'price_range'), 6))}] of {inner})"
        case 3:
            return f"sort(stars {dice.choice(('asc', 'desc'))} of {inner})"
    return f"({inner})[{dice.choice(('1', '2', '1 : 1', '1 : 3'))}]"


@pytest.mark.oracle
def test_what_the_reference_gives_one_form_has_one_form(oracle: Oracle, corpora: Path) -> None:
    schema = load_schema("multiwoz")
    checker, reader = Checker(schema), ThingTalkReader(schema)
    forms = Canonicalizer(checker.schema)
    dice = random.Random(20261127)
    codes = [STATE + query(dice, dice.choice((0, 0, 1, 2))) + ";" for _ in range(4000)]
    answers = oracle.judge([(code, "normal") for code in codes], corpora / "multiwoz30" / "schema.tt")
    groups: dict[str, dict[str, str]] = {}
    for code, answer in zip(codes, answers, strict=True):
        if answer["parse"] and answer["typecheck"]:
            turn: Turn = reader.read(code)
            groups.setdefault(answer["canonical"], {})[code] = print_turn(forms.turn(turn))
    meeting = {canonical: found for canonical, found in groups.items() if len(found) > 1}
    assert len(meeting) > 100
    for found in meeting.values():
        assert len(set(found.values())) == 1, found
