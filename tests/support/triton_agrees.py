"""Run under TRITON_INTERPRET=1: the kernels against the reference on random steps; prints how many there were.

TRITON_INTERPRET=1 python tests/support/triton_agrees.py BATCH ROUNDS
"""

import random
import sys

import numpy as np
import torch
from names_language import VOCABULARY, machine

from dlc.neural import core, kernels
from dlc.neural.device import unpacked
from dlc.neural.gpu import DeviceExecutor
from dlc.neural.logits import constrain
from dlc.neural.loop import generate
from dlc.neural.reference import ReferenceExecutor


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


def main() -> None:
    batch, rounds = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    running, rng = machine(), random.Random(8)
    reference = ReferenceExecutor([running], VOCABULARY)
    tensors = DeviceExecutor([running], VOCABULARY, "cpu", triton=True)
    tensors.tables.close()
    steps = 0
    for _ in range(rounds):
        budgets = [rng.choice((running.start.cost, 9, 14, 24)) for _ in range(batch)]
        here = reference.start([0] * batch, [running.start] * batch, budgets)
        there = tensors.start([0] * batch, [running.start] * batch, budgets)
        while not all(here.done):
            bits = reference.bits(here)
            found, there = tensors.step_bits(there)
            assert not there.code.any(), there.code
            assert (bits == found.numpy().view(np.uint32)).all(), steps
            rows = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
            tokens = np.array([rng.choice(np.flatnonzero(row)) for row in rows])
            wrong = torch.tensor([int(np.flatnonzero(~row.astype(bool))[0]) for row in rows])
            refused = tensors.step(there, wrong)
            assert (refused.done | (refused.code == core.REFUSED)).all() and refused.rows.equal(there.rows)
            here, there = reference.advance(here, tokens), tensors.step(there, torch.from_numpy(tokens))
            assert not there.code.any(), there.code
            steps += batch
    logits_agree(found)
    loops_agree(tensors, batch)
    print(f"{steps} steps agree")


if __name__ == "__main__":
    main()
