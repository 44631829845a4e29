"""The decoder's speed on teacher-forced Lispress, beside xgrammar and llguidance on the typed context-free grammar.

    python benchmarks/decoding.py [--size 128256] [--programs 200] [--batches 1 8 64 256] [--device cpu|cuda]

The same tokenizer, gold and process for all three. Every engine sees the programs once to warm up (the time of our
own first pass is printed: tables grow as places are met), then figures are taken on a second pass. One thread;
with `--threads` batches are timed again, each with its own pool. With `--device cuda` also the device's step, inside and outside a
CUDA graph.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch
from typed_grammar import Grammar
from vocabularies import CORPORA, FOLDER, load

from dlc import load_schema
from dlc.neural.cache import cached_vocabulary
from dlc.neural.decoder import ConstrainedDecoder
from dlc.targets.dataflow.canonical import write_canonical
from dlc.targets.dataflow.reader import read_program

Fill = Callable[[], object]
Advance = Callable[[int], object]


def gold() -> list[tuple[str, str]]:
    """Canonical and fully typed text of every turn."""
    found = []
    with gzip.open(CORPORA / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            for turn in json.loads(line)["turns"]:
                found.append((write_canonical(read_program(turn["lispress"])), turn["fully_typed_lispress"]))
    return found


def said(values: list[float]) -> str:
    """p50/p95/p99/max/mean in microseconds."""
    array = np.array(values) * 1e6
    points = (*np.percentile(array, (50, 95, 99)), array.max(), array.mean())
    return "/".join(f"{v:.1f}" for v in points)


def single(name: str, make: Callable[[], tuple[Fill, Advance]], ids: list[list[int]]) -> tuple[float, float, float]:
    """Time fills and advances of programs one after the other; p50, p99 and mean of the fills."""
    fills: list[float] = []
    steps: list[float] = []
    rejected = 0
    for sequence in ids:
        fill, advance = make()
        for token in sequence:
            start = time.perf_counter()
            fill()
            middle = time.perf_counter()
            fine = advance(token)
            steps.append(time.perf_counter() - middle)
            fills.append(middle - start)
            if fine is False:
                rejected += 1
                break
    print(
        f"{name}: fill {said(fills)} us | advance {said(steps)} us | {len(fills)} steps, {rejected} rejected",
        flush=True,
    )
    return float(np.median(fills)), float(np.percentile(fills, 99)), float(np.mean(fills))


def batched(name: str, size: int, step: Callable[[list[int]], None], ids: list[list[int]], threads: bool) -> float:
    """Median time of fill + advance of a batch over the first tokens of long programs: of the processor with one
    thread, which other work on the machine leaves alone, of the clock with several."""
    clock = time.perf_counter if threads else time.process_time
    times = []
    rows = [ids[i % len(ids)] for i in range(size)]
    for at in range(min(len(r) for r in rows)):
        start = clock()
        step([r[at] for r in rows])
        times.append(clock() - start)
    median = float(np.median(times))
    print(f"{name}, batch {size}: {median * 1e6:.1f} us a step", flush=True)
    return median


class Ours:
    """The CPU executor over the dataflow surface."""

    def __init__(self, vocabulary: Any) -> None:
        start = time.perf_counter()
        self.decoder = ConstrainedDecoder(
            surface="dataflow", schema=load_schema("smcalflow"), tokenizer=vocabulary, executor="cpu"
        )
        print(f"dlc compile: {time.perf_counter() - start:.3f} s", flush=True)
        self.decoder.executor.threads = False  # type: ignore[union-attr]
        self.out = np.empty((256, self.decoder.executor.ends.size), dtype=np.uint32)

    def make(self) -> tuple[Fill, Advance]:
        runner: Any = self.decoder.executor
        state = [self.decoder.start(1)]
        at = np.zeros(1, dtype=np.int64)
        out = self.out[:1]

        def advance(token: int) -> None:
            state[0] = runner.advance(state[0], np.array([token]))

        return (lambda: runner.fill_rows(state[0], at, out)), advance

    def batch(self, size: int) -> Callable[[list[int]], None]:
        runner: Any = self.decoder.executor
        state = [self.decoder.start(size)]
        at = np.arange(size)

        def step(tokens: list[int]) -> None:
            runner.fill_rows(state[0], at, self.out)
            state[0] = runner.advance(state[0], np.array(tokens))

        return step


class XGrammar:
    """xgrammar on the typed grammar."""

    def __init__(self, tokenizer: Any, grammar: Grammar, size: int) -> None:
        import xgrammar

        self.threads = False

        self.module = xgrammar
        start = time.perf_counter()
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=size)
        compiler = xgrammar.GrammarCompiler(info, max_threads=1)
        middle = time.perf_counter()
        self.compiled = compiler.compile_grammar(grammar.ebnf())
        print(f"xgrammar tokenizer: {middle - start:.3f} s, compile: {time.perf_counter() - middle:.3f} s", flush=True)
        self.mask = xgrammar.allocate_token_bitmask(256, size)

    def make(self) -> tuple[Fill, Advance]:
        matcher = self.module.GrammarMatcher(self.compiled)
        return (lambda: matcher.fill_next_token_bitmask(self.mask, 0)), matcher.accept_token

    def batch(self, size: int) -> Callable[[list[int]], None]:
        return self._batch(size, False)

    def together(self, size: int) -> Callable[[list[int]], None]:
        """By `BatchGrammarMatcher`."""
        return self._batch(size, True)

    def _batch(self, size: int, at_once: bool) -> Callable[[list[int]], None]:
        matchers = [self.module.GrammarMatcher(self.compiled) for _ in range(size)]
        together = self.module.BatchGrammarMatcher(max_threads="auto" if self.threads else 1)

        def all_at_once(tokens: list[int]) -> None:
            together.batch_fill_next_token_bitmask(matchers, self.mask[:size])
            together.batch_accept_token(matchers, tokens)

        if at_once:
            return all_at_once

        def step(tokens: list[int]) -> None:
            for row, (matcher, token) in enumerate(zip(matchers, tokens, strict=True)):
                matcher.fill_next_token_bitmask(self.mask, row)
                matcher.accept_token(token)

        return step


class LLGuidance:
    """llguidance on the typed grammar."""

    def __init__(self, tokenizer: Any, grammar: Grammar, size: int) -> None:
        import llguidance
        import llguidance.hf
        import llguidance.numpy

        self.module = llguidance
        start = time.perf_counter()
        self.tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=size)
        middle = time.perf_counter()
        self.grammar = llguidance.LLMatcher.grammar_from_lark(grammar.lark())
        self.make()[0]()
        print(
            f"llguidance tokenizer: {middle - start:.3f} s, compile: {time.perf_counter() - middle:.3f} s", flush=True
        )

    def make(self) -> tuple[Fill, Advance]:
        if not hasattr(self, "mask"):
            self.mask = self.module.numpy.allocate_token_bitmask(256, self.tokenizer.vocab_size)
        matcher = self.module.LLMatcher(self.tokenizer, self.grammar)
        row = self.mask[:1]
        return (lambda: self.module.numpy.fill_next_token_bitmask(matcher, row)), matcher.consume_token

    def batch(self, size: int) -> Callable[[list[int]], None]:
        matchers = [self.module.LLMatcher(self.tokenizer, self.grammar) for _ in range(size)]

        def step(tokens: list[int]) -> None:
            for row, (matcher, token) in enumerate(zip(matchers, tokens, strict=True)):
                self.module.numpy.fill_next_token_bitmask(matcher, self.mask[row : row + 1])
                matcher.consume_token(token)

        return step


def on_device(ours: Ours, vocabulary: Any, ids: list[list[int]], size: int) -> None:
    """Mask and advance of a batch on a GPU, eager and in a CUDA graph."""
    from dlc.neural.batch import ArrayState
    from dlc.neural.gpu import DeviceExecutor

    executor = DeviceExecutor(ours.decoder.machines, vocabulary, "cuda")
    executor.tables = ours.decoder.executor.tables  # type: ignore[union-attr]
    start: Any = ours.decoder.start(size)
    assert isinstance(start, ArrayState)
    state = executor._state(torch.from_numpy(start.rows).cuda())
    tokens = torch.tensor([ids[i % len(ids)][0] for i in range(size)], device="cuda")

    def step() -> None:
        executor.step_bits(state)
        executor.step(state, tokens)

    for _ in range(3):
        step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    for name, run in (("eager", step), ("in a CUDA graph", graph.replay)):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(50):
            run()
        torch.cuda.synchronize()
        print(
            f"dlc on {torch.cuda.get_device_name()}, batch {size}, {name}: {(time.perf_counter() - begin) / 50 * 1e6:.1f} us"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128_256)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 8, 64, 256])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pairs = gold()
    grammar = Grammar()
    learnt = {text for text, typed in pairs if grammar.add(typed, text)}
    count = sum(map(len, grammar.productions.values()))
    print(f"{len(pairs)} programs, {len(grammar.productions)} types, {count} productions")
    random.Random(1).shuffle(pairs)
    texts = [text for text, _ in pairs if text in learnt][: options.programs]
    tokenizer = load(options.size)
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    cached_vocabulary(tokenizer, folder=FOLDER)
    start = time.perf_counter()
    vocabulary = cached_vocabulary(tokenizer, folder=FOLDER)
    vocabulary.prepare()
    print(f"dlc tokenizer, kept on disk: {time.perf_counter() - start:.3f} s")
    ours = Ours(vocabulary)
    single("dlc, first pass", ours.make, ids)
    engines: dict[str, Any] = {"dlc": ours}
    engines["xgrammar"] = XGrammar(tokenizer, grammar, options.size)
    engines["llguidance"] = LLGuidance(tokenizer, grammar, options.size)
    for name in ("xgrammar", "llguidance"):
        single(f"{name}, first pass", engines[name].make, ids)
    figures = {name: single(name, engine.make, ids) for name, engine in engines.items()}
    for name in ("xgrammar", "llguidance"):
        ratios = [a / b for a, b in zip(figures["dlc"], figures[name], strict=True)]
        print("dlc / {}: p50 {:.2f}, p99 {:.2f}, mean {:.2f}".format(name, *ratios))
    long = [sequence for sequence in ids if len(sequence) >= 30]
    for threads, size in product((False, True)[: 1 + options.threads], options.batches):
        ours.decoder.executor.threads = threads  # type: ignore[union-attr]
        engines["xgrammar"].threads = threads
        runs = {name: engine.batch for name, engine in engines.items()}
        runs["xgrammar, BatchGrammarMatcher"] = engines["xgrammar"].together
        medians = {name: batched(name, size, make(size), long, threads) for name, make in runs.items()}
        ratios = [f"{name} / dlc {median / medians['dlc']:.2f}" for name, median in medians.items() if name != "dlc"]
        print(f"batch {size}, {'own pools' if threads else 'one thread'}: " + ", ".join(ratios), flush=True)
    print(f"tables: {ours.decoder.executor.tables.sizes()}")  # type: ignore[union-attr]
    if options.device == "cuda":
        for size in options.batches:
            on_device(ours, vocabulary, long, size)


if __name__ == "__main__":
    main()
