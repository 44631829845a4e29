"""Are masks the same bit by bit? Random steps on the reference and on other executors, all in one run.

    python benchmarks/executors.py [--language dl] [--executors cpu] [--steps 50000] [--batch 40]
    python benchmarks/executors.py --language names --executors cpu torch --batch 512
    TRITON_INTERPRET=1 python benchmarks/executors.py --language names --executors cpu triton --batch 1024

cpu: the compiled loops. torch and triton: the device executor's plain operations, and its kernels, on a CPU device.
names: a small language with variables (`tests/support/names_language.py`) whose tables are closed. dl, lispress: the
surfaces over MultiWOZ's and SMCalFlow's schema; tables grow on the way, and a vocabulary of a thousand tokens makes
that masks come from lists of tokens and from rows of bits. Budgets are tight for some rows, so that plans are followed
too. A step is one token of one row: its mask, whether its program may end, and the state after it.

Triton's interpreter runs the program of each block of rows operation by operation, and before every function that a
kernel calls it replaces the language's operations anew; here that is done once, and additions are not checked for
overflow. Both leave its arithmetic as it is.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from dlc import load_schema
from dlc.neural.batch import BatchExecutor
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.machine import Machine
from dlc.neural.reference import ReferenceExecutor
from dlc.neural.vocabulary import Vocabulary

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / "support")]

WORDS = ["user: ", "Hotel", " | where ", ".area = ", " and .", " = ", "book_", "execute: ", "];", ");", ' "', '";', "é",
         "(let (x0 (", "(Yield ", " (?= ", "(CreateCommitEventWrapper ", " :output ", "x0", " x1 ("]  # fmt: skip
LONGEST = 95
"""Steps after which programs are left as they are: what nothing limits may go on for ever."""


@dataclass(frozen=True)
class Language:
    """What is walked through. closed: the tables of devices are made whole beforehand, and must not grow."""

    machine: Machine
    vocabulary: Vocabulary
    budgets: Sequence[int]
    closed: bool


def language(name: str) -> Language:
    """A language by its name."""
    if name == "names":
        from names_language import VOCABULARY, machine

        made = machine()
        return Language(made, VOCABULARY, (made.start.cost, 9, 14, 24, 60), True)
    spelled = [bytes((b,)) for b in range(256)] + [word.encode() for word in WORDS]
    spelled += ["".join(pair).encode() for pair in product(ascii_lowercase, repeat=2)]
    vocabulary = Vocabulary((*spelled, None), (len(spelled),))
    surface, schema = ("dl", "multiwoz") if name == "dl" else ("dataflow", "smcalflow")
    decoder = ConstrainedDecoder(surface=surface, schema=load_schema(schema), tokenizer=vocabulary)
    return Language(decoder.machines[0], vocabulary, (30, 60, 90, 10**6), False)


def executor(name: str, spoken: Language) -> Any:
    """An executor by its name."""
    if name == "cpu":
        return BatchExecutor([spoken.machine], spoken.vocabulary)
    import torch
    from interpreted import patched_once

    from dlc.neural.gpu import DeviceExecutor

    torch.set_num_threads(1)
    if name == "triton":
        patched_once(overflows=False)
    made = DeviceExecutor([spoken.machine], spoken.vocabulary, "cpu", triton=name == "triton")
    if spoken.closed:
        made.tables.close()
    return made


def on_host(array: Any) -> np.ndarray:
    """Whatever an executor gives, as an array."""
    return np.asarray(array.numpy() if hasattr(array, "numpy") else array)


def chosen_of(bits: np.ndarray, rng: random.Random) -> np.ndarray:
    """An allowed token for each row, at random."""
    rows = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    return np.array([rng.choice(np.flatnonzero(row).tolist()) for row in rows], dtype=np.int64)


def walk(options: argparse.Namespace) -> None:
    """Random programs, batch by batch, on all executors; prints how many steps there were and how many differ."""
    spoken, rng = language(options.language), random.Random(options.seed)
    reference = ReferenceExecutor([spoken.machine], spoken.vocabulary)
    others = [executor(name, spoken) for name in options.executors]
    versions = [other.tables.version for other in others]
    steps = different = forced = programs = 0
    spent, begun = [0.0] * len(others), time.perf_counter()

    def late() -> bool:
        return steps >= options.steps or time.perf_counter() - begun > 60 * options.minutes

    while not late():
        batch = options.batch
        start = [0] * batch, [spoken.machine.start] * batch, [rng.choice(spoken.budgets) for _ in range(batch)]
        here, theirs = reference.start(*start), [other.start(*start) for other in others]
        programs += batch
        for _ in range(LONGEST):
            bits, complete = reference.bits(here), reference.complete(here)
            tokens = chosen_of(bits, rng)
            after = reference.advance(here, tokens)
            going = [i for i, over in enumerate(after.done) if not over]
            forced += sum(plan is not None for plan, over in zip(after.plans, after.done, strict=True) if over)
            for i, other in enumerate(others):
                since = time.perf_counter()
                unequal = (bits != on_host(other.bits(theirs[i])).view(np.uint32)).any(1)
                unequal |= complete != other.complete(theirs[i])
                theirs[i] = other.advance(theirs[i], tokens)
                unequal |= on_host(theirs[i].done) != np.array(after.done)
                unequal |= on_host(theirs[i].budgets) != np.array(after.budgets)
                different += int(unequal.sum())
                theirs[i] = other.fork(theirs[i], going)
                spent[i] += time.perf_counter() - since
            steps += len(here)
            here = reference.fork(after, going)
            if not going or late():
                break
        print(f"{steps} steps, {different} different", file=sys.stderr, flush=True)
    for other, version in zip(others, versions, strict=True):
        assert isinstance(other, BatchExecutor) or not spoken.closed or other.tables.version == version
    print(
        f"{options.language}, {', '.join(options.executors)}: {steps} steps, {different} different; {forced} of {programs} "
        f"programs ended because the budget forced it; {time.perf_counter() - begun:.0f} s, ms a step: "
        + ", ".join(f"{each / max(steps, 1) * 1e3:.2f}" for each in spent)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", choices=("dl", "lispress", "names"), default="dl")
    parser.add_argument("--executors", nargs="+", choices=("cpu", "torch", "triton"), default=["cpu"])
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=7)
    walk(parser.parse_args())


if __name__ == "__main__":
    main()
