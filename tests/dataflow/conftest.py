"""Shared by the dataflow tests: the corpora, and the published executor of MultiWOZ programs.

The executor only overlays slots. It never looks at what `ReviseConstraint` says, so it is no part of the project: it
is here because the published states are defined by it.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlc.targets.dataflow.multiwoz import Options
from dlc.targets.dataflow.program import Atom, Call, Empty, Expr
from dlc.targets.dataflow.salience import NoSalience, VanillaSalience

Belief = dict[str, str]


def _calls(expr: Expr | None) -> Iterator[Call]:
    """Calls below and at `expr`, arguments first."""
    if isinstance(expr, Call):
        for arg in expr.args:
            yield from _calls(arg.value)
        yield expr


def overlay(programs: list[Expr], options: Options | None = None) -> list[Belief]:
    """The state after each program, by setting the slots of every `Constraint[Domain]` on top of the last state."""
    options = options or Options()
    salience = NoSalience() if options.no_refer else VanillaSalience()
    trace: dict[str, list[str | None]] = {}
    belief: Belief = {}
    states = []
    for program in programs:
        assert isinstance(program, Call | Empty)
        belief = {} if options.no_revise else dict(belief)
        written: list[tuple[str, str | None]] = []
        for call in _calls(program):
            if call.head == "abandon":
                inner = call.args[0].value
                assert isinstance(inner, Call)
                domain = inner.head.removeprefix("Constraint[")[:-1].lower()
                belief = {slot: value for slot, value in belief.items() if not slot.startswith(domain)}
            if not call.head.startswith("Constraint["):
                continue
            domain = call.head.removeprefix("Constraint[")[:-1].lower()
            for arg in call.args:
                assert arg.name is not None and isinstance(arg.value, Call)
                value = _value(arg.value, salience, trace)
                written.append((arg.name, value))
                if value is None:
                    belief.pop(f"{domain}-{arg.name}", None)
                else:
                    belief[f"{domain}-{arg.name}"] = value
        for name, value in written:
            trace.setdefault(name, []).append(value)
        states.append(dict(belief))
    return states


def _value(constraint: Call, salience: NoSalience | VanillaSalience, trace: dict[str, list[str | None]]) -> str | None:
    if constraint.head == "EmptyConstraint":
        return None
    inner = constraint.args[0].value
    if constraint.head == "refer":
        assert isinstance(inner, Call)
        return salience.salient(inner.head.removeprefix("Constraint[")[:-1].lower(), trace)
    assert constraint.head == "?=" and isinstance(inner, Atom)
    return str(inner.value)


@pytest.fixture(name="overlay", scope="session")
def _overlay() -> Callable[..., list[Belief]]:
    return overlay


@pytest.fixture(scope="session")
def smcalflow(corpora: Path) -> list[dict[str, Any]]:
    """All turns of the SMCalFlow 2.0 corpus."""
    with gzip.open(corpora / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [turn for line in lines for turn in json.loads(line)["turns"]]
