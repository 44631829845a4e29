"""Law 8 for Lispress by brute force: on small vocabularies a token is allowed exactly when some program goes on that
way within the budget, the judge being `dlc typecheck` and the contract of the decoder's language."""

from dataclasses import replace

import numpy as np
import pytest
from exact_masks import going_on
from lispress_prefix import Prefix

from dlc.compiler.schema_text import read_schema
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_contract import FlowContract
from dlc.neural.vocabulary import Vocabulary

# `Void` has no value, so `lost` and `gone` cannot be called, and `either` only on a type that has values. `twin` needs
# one type twice, `box` and `unbox` nest it, `tag` says it, `some` leaves arguments out, `pass` hides it in its result.
SCHEMA = read_schema(
    """
open enum Color = Red
field A.at: B @accessor "obj" @lift "obj"
fun a() -> A
fun Bl() -> A
fun b() -> B
fun lost(x: Void) -> A
fun gone[T](x: List[T], y: Void) -> T
fun either[T](x: Spec[T], y: T) -> Bool
fun twin[T](x: T, y: T) -> Bool
fun box[T](x: T) -> Ref[T]
fun unbox[T](x: Ref[T]) -> T
fun tag[T]() -> Spec[T] @targs
fun both[T, U](x: Ref[T], y: U) -> U @targs
fun pass[T](x: T) -> Unit
fun some(; p?: A, q?: B, r: A) -> B @leading "1"
fun few(r: A; s?: Void, t?: Text) -> A
fun map[T, U](f: Fn[T, U], x: T) -> U
fun g() -> Fn[A, B]
"""
)

VOCABULARIES = {
    "twins": ["(twin", " (a)", " (b)", " (box", ")", "))", " ", "(unbox", "(", "a", "b", ") "],
    "lets": ["(let (x0 ", "(a)", "(b)", " x1 ", ")", ") ", "x", "0", "1", "(twin ", " x0", " x1", "(pass ", ") x", "0)"],
    "names": ["(let (x0 (a", ") x1 (b))", ")) ", "(twin x", "0 x", "1 x", "0", "1", "2", ")", "0)", "(A.at x"],
    "type arguments": ["(^(", "A", "B", "(List ", "(Constraint ", ") ", "tag)", "tag", "both", ")", " (box", " 1L", " (b)"],
    "sets": ["(either ", "(^(", "Void", "A", ") tag) ", "(a)", "(b)", ")", "(tag", "(twin ", "(gone", "(lost"],
    "optional": ["(some", " :r ", " :q ", " (a)", " (b)", " :p ", ")", " ", ":q", " (few", '"', ' "', ":t", "(few", " :s"],
    "literals": ["-", "0", "1", "7", ".", "L", '"', "\\", "u00", "e9", "1f", "true", "n", "\u00e9", "\xc3", "(pass ", ")"],
    "strings": ['"', '\\"', "a", "\n", "\x7f", "\\u", "d83d", "\\ude00", "0", "9", "f", "b", "\\", "/", "(pass "],
    "fields": ["(A.at", "_?", " (a)", " (^(B", ") tag)", ")", "(", "A.at ", "(a)", "lost", "(map", " (g)", " (b)"],
    "members": ["(Color.", "Red", "B", "l", "_", "9", ")", "r", "(pass (Color.", "))", "(Color"],
}  # fmt: skip
BUDGETS = {
    "twins": 7,
    "lets": 7,
    "names": 7,
    "type arguments": 8,
    "sets": 7,
    "optional": 4,
    "literals": 4,
    "strings": 4,
}
_TYPES = frozenset(
    ("A", "B", "Void", "List", "Constraint", "CalflowIntension", "Lambda", "Boolean", "Long", "String", "Number",
     "Unit", "Dynamic", "Color")
)  # fmt: skip


@pytest.fixture(scope="module")
def contract() -> FlowContract:
    return FlowContract(SCHEMA)


def vocabulary(words: list[str]) -> Vocabulary:
    spelled = [w.encode("latin-1") if w == "\xc3" else w.encode() for w in dict.fromkeys(words)]
    return Vocabulary((*spelled, None), (len(spelled),))


def programs(tokens: Vocabulary, contract: FlowContract, budget: int) -> set[tuple[int, ...]]:
    """Token sequences of at most `budget` that spell a program of the language."""
    prefix = Prefix(contract, _TYPES)
    found: set[tuple[int, ...]] = set()
    alive: list[tuple[int, ...]] = [()]
    known: dict[bytes, tuple[bool, bool]] = {}
    for _ in range(budget):
        longer = []
        for sequence in alive:
            for token in range(tokens.size - 1):
                new = (*sequence, token)
                text = b"".join(tokens.tokens[t] or b"" for t in new)
                if text not in known:
                    known[text] = judged(text, contract, prefix)
                if known[text][0]:
                    found.add(new)
                if known[text][1]:
                    longer.append(new)
        alive = longer
    return found


def judged(text: bytes, contract: FlowContract, prefix: Prefix) -> tuple[bool, bool]:
    """Whether a text is a program, and whether it might begin one."""
    try:
        said = text.decode()
    except UnicodeDecodeError:
        return False, text.count(b'"') == 1
    may = prefix.plausible(said)
    return may and contract.outside(said) is None, may


@pytest.mark.parametrize("name", VOCABULARIES)
def test_masks_are_exact(name: str, contract: FlowContract) -> None:
    tokens, budget = vocabulary(VOCABULARIES[name]), BUDGETS.get(name, 5)
    decoder = ConstrainedDecoder(surface="dataflow", schema=SCHEMA, tokenizer=tokens, budgets="exact")
    whole = programs(tokens, contract, budget)
    assert whole
    nexts = going_on(whole)
    states = [((), decoder.start(1, budget=budget))]
    checked = 0
    while states:
        prefix, state = states.pop()
        for left in range(budget - len(prefix) + 1):
            allowed = set(np.flatnonzero(decoder.mask(replace(state, budgets=(left,)))[0]).tolist())
            expected = {t for t, least in nexts.get(prefix, {}).items() if least <= left}
            if prefix in whole:
                expected |= set(tokens.ends)
            spelled = b"".join(tokens.tokens[t] or b"" for t in prefix)
            differ = {tokens.tokens[t] for t in allowed ^ expected}
            assert allowed == expected, (name, spelled, left, differ, "allowed" if allowed - expected else "lost")
            checked += 1
        for token in nexts.get(prefix, {}):
            states.append(((*prefix, token), decoder.advance(state, [token])))
    assert checked > 10
