"""Law 8 by brute force: on small vocabularies a token is allowed exactly when some program goes on that way."""

import itertools

import numpy as np
import pytest
from exact_masks import going_on

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.neural.contract import outside
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.vocabulary import Vocabulary

LODGING = """
enum Area = a | b
entity Place
entity Inn < Place
table T { x: Area, n: Number, ok: Bool, p: Place, i: Inn }
table U { n: Number }
action book(; x: Area, n?: Number) error full
act user ask
"""

# Each vocabulary keeps a few constructs within reach of eight tokens, with tokens that straddle brackets and words.
VOCABULARIES = {
    "filters": ["user: T", " | where ", ".n = ", ".x", " = ", "4", "a", ";", " and ", " in [", ", ", "]", "];", "c"],
    "arguments": [
        "user ask: ",
        "book",
        "(",
        "x: ",
        "n: ",
        "b",
        "4",
        "any",
        ", ",
        ")",
        ");",
        ") -> []",
        " error full",
        ";",
    ],
    "parentheses": ["user: T | where ", ".ok", " and ", " or ", "not ", "(", ")", "));", ");", ";", ".n = 1"],
    "entities": [
        "user: T | where .",
        "p",
        "i",
        " = ",
        '@"',
        '"',
        "z",
        '";',
        "$0",
        "[Inn]",
        "[Place]",
        "];",
        ";",
        " ~ ",
    ],
    "strings": ["user: T | where .i ", "~ ", '"', "\\", "n", "é", '";', '"', ";", "\xff", "u00", "1f", "like"],
    "queries": [
        "user:",
        " T",
        " U",
        " | show",
        " .n",
        " .x",
        ", ",
        " | whole",
        " count()",
        " | where",
        " in (",
        "n: ",
        ");",
        ";",
    ],
    "joins": ["user: T", " | join ", "U", "T", " as ", "T2", " on ", ".n = ", "1;", ";", "2"],
    "sums": ["user: T | where .n = ", "1", "L", " + ", ";"],
    "lets": ["user:", " let x0 = ", "T", ";", " let x1 = x0", " x0", " x1", " | show .n"],
    "exists": ["user: T | where ", "exists (", "U", "not ", ".ok", " | where .n = T.n", ")", ");", " and ", ";"],
    "sets": ["user: T", " | show .n", " | show .x", " | union (", " | except all (", "U", ")", ");", ";"],
    "derived": ["user: (", "T", " | show .n", ") as ", "c", " | join (", " | take 1", ";", ");"],
    "times": ["user: ", "T | where .n", " = ", " + ", " - ", "1", "-", ".", "e", "0", "L", ";", "$"],
}


# Five tokens do not reach the end of a sum, of a variable's scope, of a query inside a query.
BUDGETS = {"sums": 7, "lets": 8, "exists": 6, "sets": 6, "derived": 7}


def vocabulary(words: list[str]) -> Vocabulary:
    spelled = [w.encode("latin-1") if w == "\xff" else w.encode() for w in dict.fromkeys(words)]
    return Vocabulary((*spelled, None), (len(spelled),))


def programs(tokens: Vocabulary, schema: Schema, budget: int) -> set[tuple[int, ...]]:
    """Token sequences of at most `budget` that spell a program: well typed, and printed as it stands.

    Grown from sequences that some program begins with; what no parser can go on from is dropped early.
    """
    from dlc.grammar.diagnostic import CompileError
    from dlc.grammar.lexer import tokenize
    from dlc.grammar.parser import stack_after

    checker = Checker(schema)
    found: set[tuple[int, ...]] = set()
    alive: list[tuple[int, ...]] = [()]
    for _ in range(budget):
        longer = []
        for sequence, token in itertools.product(alive, range(tokens.size - 1)):
            new = (*sequence, token)
            text = b"".join(tokens.tokens[t] for t in new)
            if accepted(text, checker):
                found.add(new)
            if may_go_on(text, tokenize, stack_after, CompileError):
                longer.append(new)
        alive = longer
    return found


def may_go_on(text: bytes, tokenize, stack_after, failure) -> bool:
    """Whether the complete tokens of a text (all but the last two) begin some sentence."""
    try:
        words = tokenize(text.decode())[:-1]
    except (failure, UnicodeDecodeError):
        return True
    words = words[:-2]
    return not words or bool(stack_after(words))


def accepted(text: bytes, checker: Checker) -> bool:
    try:
        said = text.decode()
    except UnicodeDecodeError:
        return False
    checked = compile_program(said, checker)
    if not checked.ok or len(checked.turns) != 1:
        return False
    turn = checked.turns[0].turn
    return print_turn(turn) == said and outside(turn, checker.schema) is None


@pytest.mark.parametrize("name", VOCABULARIES)
def test_masks_are_exact(name: str) -> None:
    schema = read_schema(LODGING)
    tokens = vocabulary(VOCABULARIES[name])
    decoder = ConstrainedDecoder(schema=schema, tokenizer=tokens, budgets="exact")
    budget = BUDGETS.get(name, 5)
    whole = programs(tokens, schema, budget)
    assert whole
    nexts = going_on(whole)
    states = [((), decoder.start(1, budget=budget))]
    checked = 0
    while states:
        prefix, state = states.pop()
        for left in range(budget - len(prefix) + 1):
            tight = decoder.with_budget(state, left)
            allowed = set(np.flatnonzero(decoder.mask(tight)[0]).tolist())
            expected = {t for t, least in nexts.get(prefix, {}).items() if least <= left}
            if prefix in whole:
                expected |= set(tokens.ends)
            assert allowed == expected, (name, b"".join(tokens.tokens[t] for t in prefix), left)
            checked += 1
        for token in nexts.get(prefix, {}):
            states.append(((*prefix, token), decoder.advance(state, [token])))
    assert checked > 10
