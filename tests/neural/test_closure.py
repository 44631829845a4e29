"""Closed tables: nothing is missing on a device, and what they lack is refused where the reference refuses it."""

import random
from functools import cache

import numpy as np
import torch

from dlc.compiler.schema_text import read_schema
from dlc.neural.flow_surface import FlowLimits, dataflow_surface
from dlc.neural.gpu import DeviceExecutor
from dlc.neural.machine import Machine
from dlc.neural.reference import ReferenceExecutor
from dlc.neural.tables import CLOSED
from dlc.neural.vocabulary import Vocabulary

SCHEMA = read_schema("""
fun a() -> A
fun b() -> B
fun twin[T](x: T, y: T) -> Bool
fun box[T](x: T) -> Ref[T]
fun unbox[T](x: Ref[T]) -> T
fun tag[T]() -> Spec[T] @targs
fun some(; p?: A, q?: B, r: A) -> B @leading "1"
""")
WORDS = (
    b" (",
    b"(let (x0 ",
    b" x1 ",
    b") (",
    b" x0",
    b" x1",
    b"(twin ",
    b"(a)",
    b"(b)",
    b") ",
    b"))",
    b" (box",
    b"(^(",
)
LET = 257
END = 256 + len(WORDS)
TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), *WORDS, None), (END,))


def test_lispress_of_a_small_schema_closes_and_loses_nothing() -> None:
    torch.set_num_threads(1)
    net, root = dataflow_surface(SCHEMA, cache(TOKENS.fewest), FlowLimits(types=2, names=2))
    running, rng, batch = Machine(net, root, TOKENS), random.Random(4), 24
    reference, device = ReferenceExecutor([running], TOKENS), DeviceExecutor([running], TOKENS, "cpu")
    assert device.tables.close() > 1_000 and device.tables.head[CLOSED] == 1
    before = device.tables.version
    budgets = [rng.choice((running.start.cost, 12, 20, 40)) for _ in range(batch)]
    here = reference.start([0] * batch, [running.start] * batch, budgets)
    there = device.start([0] * batch, [running.start] * batch, budgets)
    for _ in range(42):
        bits = reference.bits(here)
        found, there = device.step_bits(there)
        assert not there.code.any() and (bits == found.numpy().view(np.uint32)).all()
        rows = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
        # Often a word, and most rows begin with a let, so that names are bound and used.
        options = [np.flatnonzero(row) for row in rows]
        words = [o[o >= 256] if (o >= 256).any() and rng.random() < 0.7 else o for o in options]
        lets = [LET if LET in o and rng.random() < 0.7 else None for o in options]
        tokens = np.array([let or rng.choice(w.tolist()) for let, w in zip(lets, words, strict=True)])
        here, there = reference.advance(here, tokens), device.step(there, torch.from_numpy(tokens))
        assert not there.code.any()
        if all(here.done):
            break
    named = sum(bool(cell.env) for cell in here.cells)
    assert all(here.done) and named > 3 and device.tables.version == before
    assert sum(plan is not None for plan in here.plans) > 0


def test_tables_that_are_added_to_are_not_closed_any_more() -> None:
    net, root = dataflow_surface(SCHEMA, cache(TOKENS.fewest), FlowLimits(types=1, names=1))
    device = DeviceExecutor([Machine(net, root, TOKENS)], TOKENS, "cpu")
    device.tables.close()
    assert device.uploaded().closed
    device.tables._items([1, 2, 3, 4, 5, 6, 7])
    assert not device.uploaded().closed
