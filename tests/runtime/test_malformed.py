"""Whatever program runs on the graph, well formed or not: an exception is a value, and the next turn runs."""

import random

import pytest

from dlc.compiler.check import Checker
from dlc.runtime.dialogue import Dialogue
from dlc.runtime.requests import Requests, requests_dialogue
from dlc.runtime.smcalflow import OPERATORS, SYMBOLIC
from dlc.schemas import load_schema
from dlc.targets.dataflow.names import Names, Unsayable
from dlc.targets.dataflow.read import LispressReader
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.to_dl import dl_turn

HEADS = (
    *("find", "abandon", "ReviseConstraint", "NewClobber", "refer", "Execute", "intension", "apply", "Path"),
    *("Constraint[Hotel]", "Constraint[Constraint[Hotel]]", "EmptyConstraint", "roleConstraint", "&", "negate"),
    *("?=", "extensionConstraint", "Yield", "Today", "+", "==", "size", "singleton", "CreateCommitEventWrapper"),
    *("ConstraintTypeIntension", "ConfirmAndReturnAction", "Event.start", "Event.start_?", ":area", "x7", "do"),
)
LABELS = ("new", "oldLocation", "rootLocation", "area", "name")
ATOMS = ('"output"', '"east"', "3L", "0.5", "true", "x0", "Today", '#(Path "output")', '#(Date "2019-99-99")', "()")


def tree(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(ATOMS)
    if rng.random() < 0.05:
        return f"(lambda (^Event x0) {tree(rng, depth - 1)})"
    head = rng.choice(HEADS)
    if rng.random() < 0.1:
        head = f"^(Event) {head}"
    args = []
    for _ in range(rng.randint(0, 3)):
        label = f":{rng.choice(LABELS)} " if rng.random() < 0.3 else ""
        args.append(label + tree(rng, depth - 1))
    return f"({' '.join((head, *args))})"


@pytest.mark.parametrize("seed", range(120))
def test_untyped_requests(seed: int) -> None:
    rng = random.Random(seed)
    schema = load_schema("multiwoz")
    names, requests = Names(schema), Requests()
    running = requests_dialogue(Checker(schema))
    for _ in range(8):
        try:
            turn = dl_turn(read_program(tree(rng, 4)), names)
        except Unsayable:
            continue
        result = running.step(turn)
        requests.update(running.graph, running.graph.turns[-1])
        assert len(result.values) == len(result.failures)
    turn = dl_turn(read_program('(find (Constraint[Hotel] :area (?= "east")))'), names)
    assert running.step(turn).failures == (None,)
    assert requests.update(running.graph, running.graph.turns[-1])["hotel"] == {"area": "east"}


@pytest.mark.parametrize("seed", range(120))
def test_typed_programs(seed: int) -> None:
    rng = random.Random(seed)
    reader = LispressReader(load_schema("smcalflow"))
    running = Dialogue(reader.checker, SYMBOLIC, operators=OPERATORS)
    for _ in range(8):
        turn, _ = reader.turn(tree(rng, 4))
        if turn is not None:
            running.step(turn)
    turn, _ = reader.turn("(Yield (Today))")
    assert turn is not None and running.step(turn).failures == (None,)
