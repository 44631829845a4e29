"""DL text to syntax tree and to typed core, against lark's own parser over the same grammar, in one run.

    python benchmarks/parse.py [programs]

The programs come from the tests' typed generators (each over a schema of its own). lark is given its contextual lexer and
positions; programs its lexer cuts differently are left out of both sides and counted.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lark import Lark
from lark.exceptions import LarkError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from programs import random_program

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.sugar import print_turn
from dlc.grammar.parser import parse
from dlc.grammar.rules import STARTS, grammar_text

RUNS = 5


def rate(work: Callable[[int], object], count: int) -> float:
    """Items a second: the median of several runs."""
    times: list[float] = []
    for _ in range(RUNS):
        gc.collect()
        start = time.perf_counter()
        for i in range(count):
            work(i)
        times.append(time.perf_counter() - start)
    return count / statistics.median(times)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    wanted = int(arguments[0]) if arguments else 1000
    made = [random_program(seed) for seed in range(wanted)]
    texts = [print_turn(turn) for _, turn in made]
    oracle = Lark(grammar_text(), parser="lalr", start=list(STARTS), propagate_positions=True)

    def lark_reads(text: str) -> bool:
        try:
            oracle.parse(text, start="program")
        except LarkError:
            return False
        return True

    common = [i for i, text in enumerate(texts) if lark_reads(text)]
    print(
        f"{wanted} programs, {sum(map(len, texts)) // wanted} characters each; lark cuts {wanted - len(common)} differently"
    )
    ours = rate(lambda i: parse(texts[common[i]]), len(common))
    theirs = rate(lambda i: oracle.parse(texts[common[i]], start="program"), len(common))
    print(f"parse: {ours:.0f}/s, lark {theirs:.0f}/s, ratio {ours / theirs:.1f}")
    checkers = [Checker(schema) for schema, _ in made]
    print(f"text to typed core: {rate(lambda i: compile_program(texts[i], checkers[i]), wanted):.0f}/s")


if __name__ == "__main__":
    main(sys.argv[1:])
