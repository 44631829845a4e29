"""Every executor allows the same tokens: bit by bit, with and without tight budgets, over random steps."""

import os
import random
from importlib.resources import files

import numpy as np
import pytest

from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.paged import zeros
from dlc.neural.tables import AFTER, FRAME, Tables
from dlc.neural.vocabulary import Vocabulary

SCHEMA = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
SMALL = read_schema("enum Area = a | b\ntable T { x: Area, n: Number, ok: Bool }\naction book(; x: Area, n?: Number)\n")
WORDS = ["user: ", "Hotel", " | where ", ".area = ", " and .", " = ", "book_", "execute: ", "];", ");", ' "', '";', "é"]
END = 256 + len(WORDS)
TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), *(w.encode() for w in WORDS), None), (END,))


def unpack(bits: np.ndarray) -> np.ndarray:
    return np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")


def walk(decoders: list[ConstrainedDecoder], rng: random.Random, batch: int, rounds: int) -> tuple[int, int]:
    """Random steps on all decoders at once; how many there were, and how many programs a budget had to end."""
    steps = forced = 0
    for _ in range(rounds):
        budgets = [rng.choice((30, 45, 70, 10**6)) for _ in range(batch)]
        which = [rng.randrange(len(decoders[0].machines)) for _ in range(batch)]
        states = [decoder.start(batch, budgets, which) for decoder in decoders]
        for _ in range(75):
            bits = [decoder.bits(state) for decoder, state in zip(decoders, states, strict=True)]
            complete = [decoder.is_complete(state) for decoder, state in zip(decoders, states, strict=True)]
            for other, also in zip(bits[1:], complete[1:], strict=True):
                assert (bits[0] == other).all()
                assert (complete[0] == also).all()
            tokens = [int(rng.choice(np.flatnonzero(row))) for row in unpack(bits[0])]
            states = [decoder.advance(state, tokens) for decoder, state in zip(decoders, states, strict=True)]
            steps += batch
            if all(states[0].done):
                break
        forced += sum(plan is not None for plan in states[0].plans)
    return steps, forced


def test_numpy_and_cpu_agree_on_random_steps() -> None:
    decoders = [ConstrainedDecoder(schema=[SCHEMA, SMALL], tokenizer=TOKENS, executor=e) for e in ("numpy", "cpu")]
    steps, forced = walk(decoders, random.Random(1), 16, 6)
    assert steps > 3000 and forced > 0


@pytest.mark.parametrize("executor", ["numpy", "cpu"])
def test_what_the_mask_forbids_is_refused_and_changes_nothing(executor: str) -> None:
    decoder = ConstrainedDecoder(schema=SMALL, tokenizer=TOKENS, executor=executor)
    state = decoder.start(1, budget=20)
    for token in np.flatnonzero(~decoder.mask(state)[0]).tolist() + [-1, TOKENS.size, 10**6]:
        with pytest.raises(CompileError) as caught:
            decoder.advance(state, [token])
        assert caught.value.diagnostics[0].code == "DLC505"
    for token in np.flatnonzero(decoder.mask(state)[0]).tolist():
        decoder.advance(state, [token])


def test_a_batch_is_filled_alike_on_one_and_on_all_cores() -> None:
    decoder = ConstrainedDecoder(schema=SMALL, tokenizer=TOKENS, executor="cpu")
    state = decoder.advance(decoder.start(200, budget=40), [256] * 200)
    serial, parallel = decoder.bits(decoder.fork(state, range(10))), decoder.bits(state)
    assert (parallel == serial[0]).all() and (serial == serial[0]).all()


def test_tables_keep_what_they_hold_when_they_grow() -> None:
    decoder = ConstrainedDecoder(schema=SMALL, tokenizer=TOKENS)
    tables = Tables(decoder.machines)
    for a in range(3000):
        tables._put(AFTER, a, 2 * a + 1, a % 7, 7 * a)
        tables._append(FRAME, (a, 1))
    assert all(tables.get(AFTER, a, 2 * a + 1, a % 7) == 7 * a for a in range(3000))
    assert tables.get(AFTER, 3, 7, 2) is None
    assert [int(tables.entry(FRAME, a)[0]) for a in range(3000)] == list(range(3000))


def test_tables_that_begin_small_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("tables._FIRST_ROOM", "tables._ROW_ROOM", "reach._ROWS"):
        monkeypatch.setattr(f"dlc.neural.{room}", 1)
    monkeypatch.setattr("dlc.neural.tables._MORE_ROOM", {})
    decoders = [ConstrainedDecoder(schema=[SCHEMA, SMALL], tokenizer=TOKENS, executor=e) for e in ("numpy", "cpu")]
    steps, _ = walk(decoders, random.Random(2), 16, 4)
    assert steps > 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_forks_does_not_share_its_tables() -> None:
    array = zeros((3, 4), np.int32)
    child = os.fork()
    if child == 0:
        array[:] = 7
        os._exit(0)
    os.waitpid(child, 0)
    assert not array.any()


def test_exact_budgets_are_the_reference_s_alone() -> None:
    with pytest.raises(CompileError) as caught:
        ConstrainedDecoder(schema=SMALL, tokenizer=TOKENS, executor="cpu", budgets="exact")
    assert caught.value.diagnostics[0].code == "DLC510"
