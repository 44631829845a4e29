"""Are masks the same bit by bit? Random steps over the MultiWOZ schema on the reference and the compiled executor.

python benchmarks/executors.py [--steps 50000] [--batch 40]
"""

import argparse
import random

import numpy as np

from dlc import load_schema
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.vocabulary import Vocabulary

WORDS = ["user: ", "Hotel", " | where ", ".area = ", " and .", " = ", "book_", "execute: ", "];", ");", ' "', '";', "é"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=40)
    options = parser.parse_args()
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
            rows = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
            chosen = [int(rng.choice(np.flatnonzero(row))) for row in rows]
            steps += options.batch - int(np.sum(a.done))
            a, b = one.advance(a, chosen), two.advance(b, chosen)
            if all(a.done):
                break
        programs += options.batch
        forced += sum(plan is not None for plan in a.plans)  # type: ignore[union-attr]
    print(f"{steps} steps: {different} different; {forced} of {programs} programs ended because the budget forced it")


if __name__ == "__main__":
    main()
