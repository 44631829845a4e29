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
from dlc.neural.reference import ReferenceExecutor


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
    logits = torch.randn(batch, VOCABULARY.size + 3)
    masked, log_z = kernels.masked(logits, found)
    wanted, mass, _ = constrain(logits, unpacked(found, VOCABULARY.size))
    assert masked.equal(wanted) and torch.allclose(log_z, mass, atol=1e-5)
    print(f"{steps} steps agree")


if __name__ == "__main__":
    main()
