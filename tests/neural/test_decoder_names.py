"""Variables: what names stand for is kept beside the stack, and narrows what may follow. A language of four lines.

A program binds names in order to a `n` (a number) or an `s` (a text), then says `+` and two numbers or `.` and two
texts, each a constant or a name: `let x0=n;let x1=s;+ x0 n`.
"""

import itertools
import random

import numpy as np
import torch
from names_language import CAP, TOKENS, VOCABULARY, machine

from dlc.neural.batch import BatchExecutor
from dlc.neural.decoder import UNBOUNDED
from dlc.neural.gpu import DeviceExecutor
from dlc.neural.machine import Machine
from dlc.neural.reference import ReferenceExecutor


def well_typed(said: str) -> bool:
    *bindings, body = said.split(";")
    types: dict[str, str] = {"n": "n", "s": "s"}
    for i, binding in enumerate(bindings):
        name, _, value = binding.removeprefix("let ").partition("=")
        if not binding.startswith("let ") or name != f"x{i}" or value not in types or i >= CAP:
            return False
        types[name] = types[value]
    parts = body.split(" ")
    return len(parts) == 3 and parts[0] in "+." and all(types.get(p) == "n.s"[2 * (parts[0] == ".")] for p in parts[1:])


def allowed(running: Machine, cell: object) -> set[int]:
    row = running.row(cell, UNBOUNDED)  # type: ignore[arg-type]
    return set(np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little")).tolist())


def test_walks_are_well_typed_and_use_names_of_both_types() -> None:
    running, rng = machine(), random.Random(5)
    used: set[str] = set()
    for _ in range(400):
        cell, said = running.start, ""
        while not cell.complete:
            options = sorted(allowed(running, cell))
            assert options, said
            token = rng.choice(options)
            after = running.advance(cell, UNBOUNDED, None, token)
            assert after is not None
            cell, said = after[0], said + TOKENS[token]
        assert well_typed(said), said
        used.update(p for p in said.rpartition(";")[2].split(" ") if p.startswith("x"))
    assert {"x0", "x1"} <= used


def test_a_token_is_allowed_exactly_if_some_name_goes() -> None:
    running = machine()
    for values in itertools.product("ns", repeat=2):
        before = "".join(f"let x{i}={v};" for i, v in enumerate(values))
        for sign in "+.":
            cell = running.read(running.start, f"{before}{sign} ".encode())
            assert cell is not None
            names = [f"x{i}" for i, v in enumerate(values) if v == ("n" if sign == "+" else "s")]
            spelled = {TOKENS[t] for t in allowed(running, cell)}
            wanted = {"n" if sign == "+" else "s"} | ({"x"} if names else set())
            wanted |= {t for t in ("x0 n",) if "x0" in names and sign == "+"}
            wanted |= {t for t in ("x1 ",) if "x1" in names}
            assert spelled == wanted, (before, sign)


def test_a_name_that_begins_another_is_told_from_it() -> None:
    running = machine()
    bound = "".join(f"let x{i}={'s' if i == 1 else 'n'};" for i in range(12))
    cell = running.read(running.start, f"{bound}+ x1".encode())
    assert cell is not None
    assert {TOKENS[t] for t in allowed(running, cell)} == {"0", "1"}
    assert running.read(running.start, f"{bound}+ x1 ".encode()) is None
    assert running.read(running.start, f"{bound}+ x2".encode()) is not None
    assert running.read(running.start, f"{bound}+ x3 x11".encode()).complete  # type: ignore[union-attr]


def test_no_more_names_than_the_cap() -> None:
    running = machine()
    bound = "".join(f"let x{i}=n;" for i in range(CAP))
    cell = running.read(running.start, bound.encode())
    assert cell is not None
    assert {TOKENS[t] for t in allowed(running, cell)} == {"+", "."}


def test_compiled_tables_and_tensors_allow_the_same() -> None:
    running, rng, batch = machine(), random.Random(11), 32
    executors = ReferenceExecutor([running], VOCABULARY), BatchExecutor([running], VOCABULARY)
    tensors = DeviceExecutor([running], VOCABULARY, "cpu")
    assert tensors.tables.close() > 100
    torch.set_num_threads(1)
    forced = 0
    for _ in range(2):
        budgets = [rng.choice((running.start.cost, 12, 20, 50)) for _ in range(batch)]
        reference, compiled = (e.start([0] * batch, [running.start] * batch, budgets) for e in executors)
        tensor = tensors.start([0] * batch, [running.start] * batch, budgets)
        for _ in range(60):
            bits = executors[0].bits(reference)
            assert (bits == executors[1].bits(compiled)).all()
            rows, tensor = tensors.step_bits(tensor)
            assert not tensor.code.any() and (bits == rows.numpy().view(np.uint32)).all()
            assert (executors[0].complete(reference) == executors[1].complete(compiled)).all()
            rows = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
            tokens = np.array([rng.choice(np.flatnonzero(row)) for row in rows], dtype=np.int64)
            reference, compiled = executors[0].advance(reference, tokens), executors[1].advance(compiled, tokens)
            tensor = tensors.step(tensor, torch.from_numpy(tokens))
            assert not tensor.code.any()
            if all(reference.done):
                break
        forced += sum(plan is not None for plan in reference.plans)
        assert all(reference.done)
    assert forced > 5
