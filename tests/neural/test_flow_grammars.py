"""Grammars of Lispress for other decoders: complete, and the same language as our own automaton without scopes."""

import re
from functools import cache

import numpy as np
import pytest

from dlc.compiler.schema_text import read_schema
from dlc.compiler.types import Con
from dlc.neural.decoder import UNBOUNDED
from dlc.neural.flow_grammars import Grammar, typed_grammar, untyped_grammar
from dlc.neural.flow_surface import FlowLimits, dataflow_surface
from dlc.neural.machine import Machine
from dlc.neural.vocabulary import Vocabulary

SCHEMA = read_schema(
    """
open enum Color = Red
field A.at: B @accessor "obj"
fun a() -> A
fun b(; color?: Color, text: Text) -> B @leading "1"
fun twin[T](x: T, y: T) -> Bool
fun box[T](x: T) -> Ref[T]
fun unbox[T](x: Ref[T]) -> T
fun tag[T]() -> Ref[T] @targs
fun pass[T](x: T) -> Unit
"""
)
TYPES = tuple(Con(n) for n in ("A", "B", "Bool", "Text", "Unit", "Color", "Number", "Int"))
TYPES += tuple(Con("Ref", (t,)) for t in TYPES)
PROGRAMS = [
    '(pass (twin (A.at (a)) (b :text "x")))',
    '(let (x0 (box 1) x1 (a)) (twin (unbox x0) -0.5))',
    '(b (Color.Blue) :text "q\\"\\u00e9")',
    "(unbox (^(Color) tag))",
    "(pass (box true))",
    "3L",
]  # fmt: skip


@pytest.mark.parametrize("grammar", [untyped_grammar(SCHEMA), typed_grammar(SCHEMA, TYPES)], ids=["untyped", "typed"])
def test_every_nonterminal_has_productions(grammar: Grammar) -> None:
    for text, defined in ((grammar.ebnf(), "::="), (grammar.lark(), ":")):
        rules = dict(re.findall(rf"^(\w+) ?{defined} ?(.*)$", text, re.MULTILINE))
        bare = re.sub(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|/.*/', " ", "\n".join(rules.values()))
        assert set(re.findall(r"[A-Za-z_]\w*", bare)) <= set(rules)


def test_the_typed_grammar_says_types_and_the_untyped_one_does_not() -> None:
    typed, untyped = typed_grammar(SCHEMA, TYPES).ebnf(), untyped_grammar(SCHEMA).ebnf()
    assert '"(A.at " t0_a ")"' in typed and "t0_a" not in untyped
    assert '"A.at"' in untyped


@pytest.mark.parametrize("typed", [True, False])
def test_llguidance_reads_the_grammar(typed: bool) -> None:
    llguidance = pytest.importorskip("llguidance")
    grammar = typed_grammar(SCHEMA, TYPES) if typed else untyped_grammar(SCHEMA)
    failed, messages = llguidance.LLMatcher.validate_grammar_with_warnings(grammar.lark(), None)
    assert not failed, messages


def test_masks_equal_xgrammars_on_the_typed_grammar() -> None:
    """Teacher-forced, every token of a small vocabulary: without scopes and beyond no other types there is no
    difference; with scopes, unbound variables are what xgrammar allows besides."""
    xgrammar = pytest.importorskip("xgrammar")
    words = [*(bytes((b,)) for b in range(256)), b"(pass ", b" x0", b"))", b"(let (", b'" ', b"x", b"(Color.", b"(^("]
    vocabulary = Vocabulary((*words, None), (len(words),))
    info = xgrammar.TokenizerInfo([*words, b"<end>"], stop_token_ids=[len(words)])
    compiled = xgrammar.GrammarCompiler(info).compile_grammar(typed_grammar(SCHEMA, TYPES).ebnf())
    bitmask = xgrammar.allocate_token_bitmask(1, vocabulary.size)
    machines = []
    for scoped in (False, True):
        limits = FlowLimits(only=TYPES, scoped=scoped)
        machines.append(Machine(*dataflow_surface(SCHEMA, cache(vocabulary.fewest), limits), vocabulary))
    differences = 0
    for program in PROGRAMS:
        matcher, cells = xgrammar.GrammarMatcher(compiled), [m.start for m in machines]
        for token in program.encode():
            matcher.fill_next_token_bitmask(bitmask, 0)
            peer = bitmask.numpy()[0].view(np.uint32) & machines[0].pack(np.arange(len(words), dtype=np.int32))
            free, scoped = (m.row(c, UNBOUNDED) for m, c in zip(machines, cells, strict=True))
            assert (free == peer).all(), program
            assert not (scoped & ~peer).any(), program
            differences += bool((scoped != peer).any())
            cells = [m.advance(c, UNBOUNDED, None, token)[0] for m, c in zip(machines, cells, strict=True)]
            assert matcher.accept_token(token)
        assert all(cell.complete for cell in cells)
    assert differences
