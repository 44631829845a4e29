"""Masks over Lispress beside xgrammar's on the typed monomorphic grammar; every difference is classified.

    python benchmarks/decoder_grammars.py [--programs 300] [--vocabulary 32000] [--minutes 60]

The distinct gold of SMCalFlow 2.0 in a random order (always the same), as many as asked for or as the time allows,
spelled by one tokenizer, is fed token by token to the decoder and to xgrammar, which has one nonterminal for each type
that gold shows. Special tokens apart, a token that only one of them allows is

- *scoping*, if leaving variables unscoped and untyped in our own automaton removes the difference;
- *polymorphism*, if leaving out types beyond that finite set removes the rest;
- *unclassified* otherwise. A gold token that a mask does not have is a rejection.

The untyped grammar is compiled and fed too: how many tokens it allows where the decoder allows how many.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import xgrammar

from dlc.compiler.types import Con
from dlc.neural.decoder import UNBOUNDED
from dlc.neural.flow_grammars import Grammar, typed_grammar, untyped_grammar
from dlc.neural.flow_surface import FlowLimits, dataflow_surface
from dlc.neural.machine import Machine, Row
from dlc.neural.vocabulary import Vocabulary, read_vocabulary
from dlc.schemas import load_schema
from dlc.targets.dataflow.names import dl_type
from dlc.targets.dataflow.program import Ascribed, Call, Expr, Let, TypeExpr
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.typed import Typist

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from decoder_dataflow import corpus  # noqa: E402
from vocabularies import load  # noqa: E402


def shown(texts: list[str]) -> tuple[Con, ...]:
    """Every type that the fully typed form of some program shows."""
    typist = Typist(load_schema("smcalflow"))
    found: dict[TypeExpr, None] = {}
    for text in texts:
        found |= dict.fromkeys(_types(read_program(typist.typed(text).text)))
    return tuple(dict.fromkeys(dl_type(t) for t in found))


def _types(expr: Expr) -> Iterator[TypeExpr]:
    match expr:
        case Ascribed(type_, inner):
            yield type_
            yield from _types(inner)
        case Call(_, args, type_args):
            yield from type_args or ()
            for arg in args:
                if arg.value is not None:
                    yield from _types(arg.value)
        case Let(bindings, body):
            for each in (*(value for _, value in bindings), *body):
                yield from _types(each)


def machine(vocabulary: Vocabulary, limits: FlowLimits) -> Machine:
    net, root = dataflow_surface(load_schema("smcalflow"), cache(vocabulary.fewest), limits)
    return Machine(net, root, vocabulary)


class Peer:
    """A grammar in xgrammar, over the same tokenizer."""

    def __init__(self, grammar: Grammar, tokenizer: object, vocabulary: Vocabulary) -> None:
        info = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=vocabulary.size, stop_token_ids=list(vocabulary.ends)
        )
        text = grammar.ebnf()
        start = time.perf_counter()
        self.compiled = xgrammar.GrammarCompiler(info).compile_grammar(text)
        self.seconds = time.perf_counter() - start
        self.productions = sum(map(len, grammar.rules.values()))
        self.bitmask = xgrammar.allocate_token_bitmask(1, vocabulary.size)

    def start(self) -> "xgrammar.GrammarMatcher":
        return xgrammar.GrammarMatcher(self.compiled)

    def mask(self, matcher: "xgrammar.GrammarMatcher") -> Row:
        matcher.fill_next_token_bitmask(self.bitmask, 0)
        return self.bitmask.numpy()[0].view(np.uint32).copy()  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--vocabulary", type=int, default=32_000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("DLC_CORPORA", "../shared/data")))
    options = parser.parse_args()
    texts = list(dict.fromkeys(corpus(options.corpora)))
    types = shown(texts)
    tokenizer = load(options.vocabulary)
    vocabulary = read_vocabulary(tokenizer)
    schema = load_schema("smcalflow")
    typed = Peer(typed_grammar(schema, types), tokenizer, vocabulary)
    untyped = Peer(untyped_grammar(schema), tokenizer, vocabulary)
    print(
        f"{len(types)} types; typed grammar {typed.productions} productions, xgrammar compiles in {typed.seconds:.2f} s;"
    )
    print(f"untyped grammar {untyped.productions} productions, {untyped.seconds:.2f} s")
    ours = machine(vocabulary, FlowLimits())
    unscoped = machine(vocabulary, FlowLimits(scoped=False))
    monomorphic = machine(vocabulary, FlowLimits(scoped=False, only=types))
    plain = ours.pack(np.array([i for i, token in enumerate(vocabulary.tokens) if token], dtype=np.int32))
    counts = dict.fromkeys(("steps", "differ", "scoping", "polymorphism", "unclassified", "rejected"), 0)
    allowed = dict.fromkeys(("ours", "typed", "untyped"), 0)
    random.Random(1).shuffle(texts)
    begun, programs = time.perf_counter(), 0
    for text in texts[: options.programs]:
        if time.perf_counter() - begun > 60 * options.minutes:
            break
        programs += 1
        cells = [m.start for m in (ours, unscoped, monomorphic)]
        matcher, loose = typed.start(), untyped.start()
        for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
            rows = [m.row(c, UNBOUNDED) & plain for m, c in zip((ours, unscoped, monomorphic), cells, strict=True)]
            peer, coarse = typed.mask(matcher) & plain, untyped.mask(loose) & plain
            counts["steps"] += 1
            differ = rows[0] ^ peer
            counts["differ"] += bool(differ.any())
            left = rows[2] ^ peer
            counts["unclassified"] += _count(left)
            counts["scoping"] += _count(differ & (rows[0] ^ rows[1]) & ~left)
            counts["polymorphism"] += _count(differ & ~(rows[0] ^ rows[1]) & (rows[1] ^ rows[2]) & ~left)
            for name, row in (("ours", rows[0]), ("typed", peer), ("untyped", coarse)):
                allowed[name] += _count(row)
                counts["rejected"] += not row[token >> 5] >> np.uint32(token & 31) & 1
            steps = [
                m.advance(c, UNBOUNDED, None, token) for m, c in zip((ours, unscoped, monomorphic), cells, strict=True)
            ]
            accepted = matcher.accept_token(token) and loose.accept_token(token)
            if not accepted or any(step is None for step in steps):
                counts["rejected"] += 1
                break
            cells = [step[0] for step in steps if step is not None]
        if programs % 250 == 0:
            print(f"{programs} programs: {counts}", file=sys.stderr, flush=True)
    print(f"{programs} of {len(texts)} distinct programs, {time.perf_counter() - begun:.0f} s")
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    mean = {name: f"{count / counts['steps']:.0f}" for name, count in allowed.items()}
    print("tokens allowed a step, special ones apart: " + ", ".join(f"{name} {n}" for name, n in mean.items()))


def _count(row: Row) -> int:
    return int(np.bitwise_count(row).sum())


if __name__ == "__main__":
    main()
