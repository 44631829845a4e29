"""Run under TRITON_INTERPRET=1: the kernels against the reference and the compiled loops; prints how many steps.

TRITON_INTERPRET=1 python tests/support/triton_agrees.py BATCH ROUNDS
"""

import random
import sys

import numpy as np
import torch
from interpreted import patched_once
from names_language import VOCABULARY, machine

from dlc.compiler.schema_text import read_schema
from dlc.neural import core, kernels
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.device import unpacked
from dlc.neural.gpu import DeviceExecutor
from dlc.neural.logits import constrain
from dlc.neural.loop import generate
from dlc.neural.reach import FEW
from dlc.neural.reference import ReferenceExecutor
from dlc.neural.tables import CLOSED
from dlc.neural.vocabulary import Vocabulary

SMALL = read_schema("table T { x: Text, n: Number }\n")
LETTERS = [bytes((b,)) for b in range(256)]
PAIRS = Vocabulary((*LETTERS, *(bytes((a, b)) for a in range(97, 123) for b in range(97, 123)), None), (256 + 26 * 26,))


def logits_agree(bits: torch.Tensor) -> None:
    """The fused kernel against plain operations, in every type of logits, with rows that are unusable."""
    minus = float("-inf")
    allowed = unpacked(bits, VOCABULARY.size)
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        logits = torch.randn(len(bits), VOCABULARY.size + 3).to(dtype)
        logits[0, -1], logits[1, 3], logits[2, 0] = float("nan"), float("inf"), minus
        logits[3, : VOCABULARY.size][allowed[3]] = minus
        masked, log_z, bad = kernels.masked(logits, bits)
        wanted, mass, unusable = constrain(logits, allowed)
        assert masked.dtype == dtype and bad.equal(unusable) and bad[[0, 1, 3]].all() and not bad[4:].any()
        assert masked[~bad].equal(wanted[~bad]) and torch.allclose(log_z[~bad], mass[~bad], atol=1e-5)
    wide = torch.randn(VOCABULARY.size, len(bits)).T
    assert kernels.masked(wide, bits)[0].equal(constrain(wide, allowed)[0])


def loops_agree(kernel: DeviceExecutor, batch: int) -> None:
    """The loop on the kernels says what the loop on plain operations says, with tables that grow on the way."""
    running = kernel.tables.machines[0]
    head = torch.randn(VOCABULARY.size, VOCABULARY.size)
    first = torch.randn(batch, VOCABULARY.size)
    found = []
    for triton in (True, False):
        executor = DeviceExecutor([running], VOCABULARY, "cpu", triton=triton)
        state = executor.start([0] * batch, [running.start] * batch, [9] * batch)
        found.append(generate(executor, lambda tokens: head[tokens], state, first, 10, grow=True))
    assert found[0].tokens.equal(found[1].tokens) and found[0].state.done.all()
    assert torch.allclose(found[0].log_z, found[1].log_z, atol=1e-5)


def chosen(bits: np.ndarray, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """For each row a token that is allowed and one that is not."""
    rows = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    given = np.array([rng.choice(np.flatnonzero(row)) for row in rows])
    return given, np.array([rng.choice([*np.flatnonzero(~row.astype(bool)), -1, 2**40]) for row in rows])


def any_rows_agree(tensors: DeviceExecutor, rows: torch.Tensor, given: np.ndarray, rng: random.Random) -> set[str]:
    """Rows with other states, stacks, budgets and more names than programs come to, whose tables say what they lack: the kernels do
    what the compiled loops do, overflows and refusals included. How many different outcomes there were."""
    tables, batch = tensors.tables, len(rows)
    changed = rows.numpy().copy()
    for row in changed:
        row[core.BUDGET] = rng.randrange(-3, 80)
        if rng.random() < 0.3:
            row[core.STATE], row[core.DEPTH] = rng.randrange(len(tables.controls)), rng.randrange(row[core.DEPTH] + 1)
        if rng.random() < 0.5:
            names, had = rng.choice((core.SLOTS - 2, core.SLOTS - 1, core.SLOTS, core.SLOTS)), int(row[core.NAMES])
            more = [rng.randrange(len(tables.results)) for _ in range(core.SLOTS)]
            row[core.ENV + had : core.ENV + core.SLOTS], row[core.NAMES] = more[: core.SLOTS - had], max(had, names)
    tables.head[CLOSED], tables.version = 0, tables.version + 1
    uploaded, at = tensors.uploaded(), np.arange(batch)
    out, misses = np.zeros((batch, tensors.ends.size), dtype=np.uint32), np.zeros((batch, 4), dtype=np.int32)
    codes = np.zeros(batch, dtype=np.int32)
    core.fill(tables.memory, tables.head, tables.rows, tensors.ends, changed, at, out, codes, misses)
    bits, wrong = kernels.bits(uploaded, torch.from_numpy(changed))
    assert (wrong.code.numpy() == codes).all() and (out[codes == 0] == bits.numpy().view(np.uint32)[codes == 0]).all()
    assert not bits[wrong.code != 0].any()
    seen = {f"fill {code}" for code in codes.tolist()}
    others = np.array([rng.randrange(VOCABULARY.size) for _ in range(batch)])
    for tokens in (np.tile(given, 40), others):
        moved = changed.copy()
        core.advance(tables.memory, tables.head, tensors.ends, moved, at, tokens, codes, misses)
        after, wrong = kernels.advance(uploaded, torch.from_numpy(changed), torch.from_numpy(tokens))
        assert (wrong.code.numpy() == codes).all() and (after.numpy()[codes == 0] == moved[codes == 0]).all()
        assert (after.numpy()[codes != 0] == changed[codes != 0]).all()
        seen |= {f"advance {code}" for code in codes.tolist()}
    tables.head[CLOSED], tables.version = 1, tables.version + 1
    return seen


def rows_of_bits_agree(steps: int) -> None:
    """A vocabulary of which more tokens go than are listed one by one; tables grow on the way."""
    decoders = [ConstrainedDecoder(schema=SMALL, tokenizer=PAIRS, executor=name) for name in ("numpy", "cpu")]
    running, rng = decoders[0].machines[0], random.Random(2)
    kernel = DeviceExecutor([running], PAIRS, "cpu", triton=True)
    begun = [b'user: T | where .x = "', b"user: T | where .x = ", b"user: "]
    budgets = [200, 60, 200]
    cells = [running.read(running.start, text) for text in begun]
    here = decoders[0].executor.start([0] * 3, cells, budgets)
    there = kernel.start([0] * 3, cells, budgets)
    widest = 0
    for _ in range(steps):
        bits = decoders[0].bits(here)
        assert (bits == kernel.bits(there).numpy().view(np.uint32)).all()
        widest = max(widest, max(int(np.bitwise_count(row).sum()) for row in bits))
        tokens = chosen(bits, rng)[0]
        here, there = decoders[0].advance(here, tokens), kernel.advance(there, torch.from_numpy(tokens))
    assert widest > FEW


def main() -> None:
    batch, rounds = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    patched_once()
    running, rng = machine(), random.Random(8)
    reference = ReferenceExecutor([running], VOCABULARY)
    tensors = DeviceExecutor([running], VOCABULARY, "cpu", triton=True)
    tensors.tables.close()
    steps, whole = 0, kernels._block
    met: list[tuple[torch.Tensor, np.ndarray]] = []
    for turn in range(rounds):
        # In blocks of four, several programs, the last one half empty; then in one block.
        kernels._block = whole if turn else lambda rows: 4
        budgets = [rng.choice((running.start.cost, 9, 14, 24, 60)) for _ in range(batch)]
        here = reference.start([0] * batch, [running.start] * batch, budgets)
        there = tensors.start([0] * batch, [running.start] * batch, budgets)
        while not all(here.done):
            bits = reference.bits(here)
            found, there = tensors.step_bits(there)
            assert not there.code.any(), there.code
            assert (bits == found.numpy().view(np.uint32)).all(), steps
            tokens, wrong = chosen(bits, rng)
            refused = tensors.step(there, torch.from_numpy(wrong))
            assert (refused.done | (refused.code == core.REFUSED)).all() and refused.rows.equal(there.rows)
            met.append((there.rows, tokens))
            met.append((there.rows, tokens))
            here, there = reference.advance(here, tokens), tensors.step(there, torch.from_numpy(tokens))
            assert not there.code.any(), there.code
            steps += batch
    seen = any_rows_agree(
        tensors, torch.cat([rows for rows, _ in met]), np.concatenate([given for _, given in met]), rng
    )
    logits_agree(found)
    loops_agree(tensors, 8)
    rows_of_bits_agree(12)
    print(f"{steps} steps agree; outcomes of changed rows: {sorted(seen)}")


if __name__ == "__main__":
    main()
