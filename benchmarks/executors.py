"""Are masks the same bit by bit? Random steps on the reference and on another executor.

    python benchmarks/executors.py [--executor cpu] [--steps 50000] [--batch 40]
    python benchmarks/executors.py --executor torch [--steps 50000] [--batch 256]
    TRITON_INTERPRET=1 python benchmarks/executors.py --executor triton [--minutes 30] [--batch 256]

cpu: the compiled loops, over the MultiWOZ schema. torch and triton: the device executor's plain operations, and its
kernels, on a CPU device, over a small language with variables (`tests/support/names_language.py`) whose tables are
closed. Budgets are tight for some rows, so that plans are followed too. A step is one token of one row: its mask,
whether its program may end, and the state after it.

Triton's interpreter runs the program of each row operation by operation, and before every function that a kernel
calls it replaces the language's operations anew; here that is done once, and additions are not checked for overflow
(three quarters of the time). Both leave its arithmetic as it is.
"""

import argparse
import random
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dlc import load_schema
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.reference import ReferenceExecutor
from dlc.neural.vocabulary import Vocabulary

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / "support")]

WORDS = ["user: ", "Hotel", " | where ", ".area = ", " and .", " = ", "book_", "execute: ", "];", ");", ' "', '";', "é"]


def compiled(options: argparse.Namespace) -> None:
    """The reference and the compiled executor over MultiWOZ."""
    spelled = [bytes((b,)) for b in range(256)] + [w.encode() for w in WORDS]
    tokens = Vocabulary((*spelled, None), (len(spelled),))
    schema = load_schema("multiwoz")
    one, two = (ConstrainedDecoder(schema=schema, tokenizer=tokens, executor=name) for name in ("numpy", "cpu"))
    rng, steps, different, forced, programs = random.Random(3), 0, 0, 0, 0
    while steps < options.steps:
        budgets = [rng.choice((30, 60, 90, 10**6)) for _ in range(options.batch)]
        a, b = one.start(options.batch, budgets), two.start(options.batch, budgets)
        for _ in range(95):
            bits = one.bits(a)
            different += int((bits != two.bits(b)).any(1).sum()) + int((one.is_complete(a) != two.is_complete(b)).sum())
            chosen = chosen_of(bits, rng)
            steps += options.batch - int(np.sum(a.done))
            a, b = one.advance(a, chosen), two.advance(b, chosen)
            if all(a.done):
                break
        programs += options.batch
        forced += sum(plan is not None for plan in a.plans)  # type: ignore[union-attr]
    print(f"{steps} steps: {different} different; {forced} of {programs} programs ended because the budget forced it")


def chosen_of(bits: np.ndarray, rng: random.Random) -> np.ndarray:
    """An allowed token for each row, at random."""
    rows = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    return np.array([rng.choice(np.flatnonzero(row).tolist()) for row in rows], dtype=np.int64)


def on_tensors(options: argparse.Namespace) -> None:
    """The reference and the device executor over the language of variables."""
    import torch
    from names_language import VOCABULARY, machine

    from dlc.neural.gpu import DeviceExecutor

    torch.set_num_threads(1)
    running, rng = machine(), random.Random(7)
    reference = ReferenceExecutor([running], VOCABULARY)
    device = DeviceExecutor([running], VOCABULARY, "cpu", triton=options.executor == "triton")
    places = device.tables.close()
    if options.executor == "triton":
        patched_once()
    steps = different = forced = programs = 0
    begun = time.perf_counter()

    def late() -> bool:
        return time.perf_counter() - begun > 60 * options.minutes

    while steps < options.steps and not late():
        budgets = [rng.choice((running.start.cost, 9, 14, 24, 60)) for _ in range(options.batch)]
        here = reference.start([0] * options.batch, [running.start] * options.batch, budgets)
        there: Any = device.start([0] * options.batch, [running.start] * options.batch, budgets)
        while len(here) and not late():
            bits = reference.bits(here)
            found, there = device.step_bits(there)
            assert not there.code.any(), there.code
            different += int((bits != found.numpy().view(np.uint32)).any(1).sum())
            tokens = chosen_of(bits, rng)
            here, there = reference.advance(here, tokens), device.step(there, torch.from_numpy(tokens))
            assert not there.code.any(), there.code
            different += int((there.done.numpy() != np.array(here.done)).sum())
            steps += len(here)
            going = [i for i, over in enumerate(here.done) if not over]
            forced += sum(plan is not None for plan, over in zip(here.plans, here.done, strict=True) if over)
            programs += len(here) - len(going)
            here, there = reference.fork(here, going), device.fork(there, going)
        if programs and not programs % 1024:
            print(f"{steps} steps, {different} different", file=sys.stderr, flush=True)
    spent = time.perf_counter() - begun
    print(
        f"{options.executor}, {places} places: {steps} steps, {different} different; {forced} of {programs} programs "
        f"ended because the budget forced it; {spent:.0f} s, {spent / max(steps, 1) * 1e3:.1f} ms a step"
    )


def patched_once() -> None:
    """Let Triton's interpreter replace the language's operations once for all, and not look for overflows."""
    from triton.runtime import interpreter

    patch = interpreter._patch_lang
    done: list[Any] = []

    class Kept:
        def restore(self) -> None:
            """Nothing: what was replaced stays so."""

    def once(function: Any) -> Kept:
        if not done:
            done.append(patch(function))
        return Kept()

    interpreter._patch_lang = once
    builder = interpreter.interpreter_builder
    builder.options = replace(builder.options, sanitize_overflow=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executor", choices=("cpu", "torch", "triton"), default="cpu")
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    (compiled if options.executor == "cpu" else on_tensors)(options)


if __name__ == "__main__":
    main()
