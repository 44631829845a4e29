"""Table 1 of Campagna et al. (2022) as a program: each feature of a turn, on the first real turn that has it.

DL holds every feature: the turn comes back as it was through printed DL. The last column is what becomes of the feature in
a slot state, as the paper's column of slots has it: held; noted, which says what was lost; or an act, which no state has.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

import dlc
from dlc.canon.pipeline import Canonicalizer
from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import App, Field, Lit, Statement, Term, Turn, children, rebuild
from dlc.grammar.parser import parse
from dlc.runtime.user_moves import domains
from dlc.turn_features import constructs

SCHEMA = dlc.load_schema("multiwoz")


@dataclass(frozen=True)
class Row:
    """A feature: the speaker whose turn shows it, how it is recognized, and what a slot state makes of it."""

    feature: str
    speaker: str
    shows: Callable[[Turn], bool]
    slots: Literal["held", "noted", "act"]


def has(*names: str) -> Callable[[Turn], bool]:
    return lambda turn: any(name in constructs(turn, SCHEMA) for name in names)


def says(*acts: str) -> Callable[[Turn], bool]:
    return lambda turn: any(act.name in acts for act in turn.acts)


def asks(turn: Turn) -> bool:
    return any(act.args for act in turn.acts)


def only_equalities(turn: Turn) -> bool:
    found = constructs(turn, SCHEMA)
    return "where" in found and found <= {"where", "and", "missing argument", "action"}


TABLE = (
    Row("Greetings", "user", says("greet"), "act"),
    Row("Learn More", "user", says("learn_more"), "act"),
    Row("Ask Recomm.", "user", says("ask_recommend"), "act"),
    Row("Multi-domain Turns", "user", lambda t: len(domains(t.statements, SCHEMA)) > 1, "noted"),
    Row("Slot Constraints", "user", only_equalities, "held"),
    Row("Comparisons", "user", has("text match"), "noted"),
    Row("Logical And", "user", lambda t: only_equalities(t) and has("and")(t), "held"),
    Row("Logical Or, Not", "user", has("or", "not"), "noted"),
    Row("Projection", "user", has("projection"), "noted"),
    Row("Ranking", "user", has("ranking"), "noted"),
    Row("Dialogue Acts", "agent", lambda t: says("sys_anything_else")(t) and not t.statements, "act"),
    Row("Requested Slots", "agent", asks, "act"),
    Row("Proposed Slots", "agent", has("proposal"), "noted"),
)


@cache
def turns(root: Path, speaker: str) -> list[tuple[Turn, Any, Any]]:
    """Targets of one side as DL, with their rows in ThingTalk and in slots."""
    path = root / "multiwoz30" / f"train.{speaker}.tsv"
    made = {
        to: [r for r in dlc.convert("multiwoz3", path, to=to, speakers=speaker) if r.get("part") == "target"]
        for to in ("dl", "thingtalk", "slots")
    }
    return list(zip(map(read, made["dl"]), made["thingtalk"], made["slots"], strict=True))


def read(row: dict[str, Any]) -> Turn:
    return lower_program(parse(row["program"]))[0][0]


def first(root: Path, row: Row) -> tuple[Turn, dict[str, Any], dict[str, Any]]:
    return next(found for found in turns(root, row.speaker) if row.shows(found[0]))


@pytest.mark.corpus
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.feature)
def test_a_real_turn_of_each_feature(corpora: Path, tmp_path: Path, row: Row) -> None:
    turn, thingtalk, slots = first(corpora, row)
    assert thingtalk["status"] == "exact"
    text = tmp_path / "turn.jsonl"
    text.write_text(json.dumps({"program": print_turn(turn), "schema": "multiwoz"}))
    (again,) = dlc.convert("dl", text, to="thingtalk", syntax="tokenized")
    assert again["program"] == thingtalk["program"]
    codes = {note["code"] for note in slots["notes"]}
    lost = "noted" if "DLC211" in codes else "held" if turn.statements else "act"
    assert lost == row.slots
    assert (slots["status"] == "exact") == (lost != "noted")
    assert "DLC213" in codes or not turn.acts


@pytest.mark.corpus
def test_executable_semantics(corpora: Path, tmp_path: Path) -> None:
    """The paper's first row: real queries run, and give what a search of the same database by hand gives."""
    hotels = json.loads((corpora / "multiwoz_db" / "hotel_db.json").read_text())
    found = 0
    for turn, _, _ in turns(corpora, "user"):
        if not (
            only_equalities(turn) and domains(turn.statements, SCHEMA) == ("hotel",) and "$" not in print_turn(turn)
        ):
            continue
        wanted = conditions(turn.statements[0].term)
        if len(turn.statements) > 1 or any(name == "name" for name, _ in wanted):
            continue
        text = tmp_path / "turn.jsonl"
        text.write_text(json.dumps({"program": print_turn(turn), "schema": "multiwoz"}))
        command = [sys.executable, "-m", "dlc", "run", str(text), "--data", str(corpora / "multiwoz_db")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        by_hand = [h["name"] for h in hotels if all(stored(h, name) == value for name, value in wanted)]
        answer = json.loads(done.stdout)
        assert sorted(row[0] for row in answer["rows"]) == sorted(by_hand)
        found += 1
        if found == 3:
            return
    raise AssertionError("no such query")


def conditions(term: Term) -> list[tuple[str, str]]:
    """Fields and values of the equalities in a term."""
    found = [pair for child in children(term) for pair in conditions(child)]
    if isinstance(term, App) and term.fn == "=":
        subject, value = term.args
        assert isinstance(subject, Field) and isinstance(value, App | Lit)
        found.append((subject.name, value.fn if isinstance(value, App) else value.value))
    return found


def stored(row: dict[str, Any], name: str) -> str:
    value = str(row[{"price_range": "pricerange"}.get(name, name)])
    return {"no": "false", "yes": "true"}.get(value, value)


@pytest.mark.corpus
def test_canonicalizable(corpora: Path) -> None:
    """The paper's second row: conditions in any order have one canonical form, on every real turn that has several."""
    forms, rng, tried = Canonicalizer(Checker(SCHEMA).schema), random.Random(5), 0
    for turn, _, _ in turns(corpora, "user")[:300]:
        shuffled = Turn(
            turn.speaker, turn.acts, tuple(Statement(mixed(s.term, rng), s.status) for s in turn.statements)
        )
        if shuffled != turn:
            tried += 1
            assert forms.turn(shuffled) == forms.turn(turn)
    assert tried > 50


def mixed(term: Term, rng: random.Random) -> Term:
    made = rebuild(term, tuple(mixed(child, rng) for child in children(term)))
    if isinstance(made, App) and made.fn == "and":
        return App("and", tuple(rng.sample(made.args, len(made.args))))
    return made
