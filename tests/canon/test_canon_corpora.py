"""Canonical forms of real annotations: normal, well typed, read back from their text, of the same results."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from canon_free import interpretation, mutants
from canon_laws import BROKEN, laws

from dlc.compiler.check import Checker
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import Turn
from dlc.conversion import units
from dlc.options import Options
from dlc.sources import source

CORPORA = Path(os.environ.get("DLC_CORPORA") or Path(__file__).resolve().parents[2].parent / "shared" / "data")
FILES = [
    ("multiwoz", "multiwoz21/val.json.zip"),
    ("smcalflow", "smcalflow2/dialogues.jsonl.gz"),
    ("multiwoz3", "multiwoz30/train.user.tsv"),
    ("multiwoz3", "multiwoz30/train.agent.tsv"),
    ("cosql", "cosql/dialogues.json.gz"),
    ("sparc", "sparc/dialogues.json.gz"),
    ("spider", "spider/dialogues.json.gz"),
]
# Every so many turns, so that the whole of each file is looked at in a few seconds.
STEP = 5


def turns(name: str, path: Path) -> Iterator[tuple[Turn, Checker]]:
    opened = source(name)
    tables = str(CORPORA / "spider" / "tables.json") if name in ("cosql", "sparc", "spider") else None
    read = opened.reader(Options(schema=tables, speakers="both" if name == "multiwoz3" else None))
    checkers: dict[int, Checker] = {}
    count = 0
    for unit in units(opened, [str(path)], lambda diagnostic: None):
        done = read(unit)  # type: ignore[arg-type]
        for row, schema in zip(done.dialogue.turns, done.schemas, strict=True):
            if row.program is not None and schema is not None:
                count += 1
                if count % STEP == 0:
                    yield row.program, checkers.setdefault(id(schema), Checker(schema))


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "file"), FILES)
def test_forms_of_real_programs(name: str, file: str) -> None:
    seen: Counter[str] = Counter()
    for i, (turn, checker) in enumerate(turns(name, CORPORA / file)):
        found = laws(turn, checker, i, 2)
        assert not any(found[law] for law in BROKEN), (found, print_turn(turn))
        seen.update(found)
        seen["turns"] += 1
    assert seen["turns"] > 80 and seen["typed"] > 0.95 * seen["turns"]
    # What the agent says often has no statement.
    given = seen["statements interpreted" if name == "smcalflow" else "statements run"]
    assert given > (0.9 if name == "smcalflow" else 0.5) * seen["turns"]
    assert seen["statements not run"] < 0.02 * seen["turns"]


@pytest.mark.corpus
def test_a_free_interpretation_tells_other_programs_apart() -> None:
    """Programs of SMCalFlow with one thing changed: most give something else, so that none doing so says something."""
    apart = tried = 0
    dice = random.Random(20261129)
    for i, (turn, checker) in enumerate(turns("smcalflow", CORPORA / FILES[1][1])):
        plain = checker.check_turn(turn)
        others = list(mutants(plain.elaborated)) if i % 10 == 0 and plain.ok else []
        if others:
            other, tried = dice.choice(others), tried + 1
            frees = (interpretation(checker.schema, seed, (plain.elaborated, other)) for seed in range(8))
            apart += any(free.results(plain.elaborated) != free.results(other) for free in frees)
    assert tried > 80 and apart > 0.85 * tried, (tried, apart)
