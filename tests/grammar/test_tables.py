"""The predictive table is computed from the rules lark loads, has no conflict, and lark agrees with the parser."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark
from lark import Token as LarkToken
from lark.exceptions import UnexpectedInput
from lark.lexer import Lexer
from programs import random_program

from dlc.compiler.sugar import print_turn
from dlc.grammar.diagnostic import CompileError
from dlc.grammar.lexer import Token, tokenize
from dlc.grammar.ll1 import build_table, load_table
from dlc.grammar.parser import parse_tokens
from dlc.grammar.rules import END, STARTS, Grammar, Production, Symbol, grammar_text, load_grammar


class OwnTokens(Lexer):
    """Hands lark the tokens of our lexer."""

    def __init__(self, lexer_conf):
        pass

    def lex(self, tokens):
        for token in tokens:
            if token.kind != END:
                yield LarkToken(token.kind, token.text)


@pytest.fixture(scope="module")
def oracle() -> Lark:
    return Lark(grammar_text(), parser="lalr", lexer=OwnTokens, start=list(STARTS), keep_all_tokens=True)


def test_no_conflict():
    assert load_table().conflicts == ()


def test_a_conflict_is_found():
    def production(*names: str) -> Production:
        return Production("s", tuple(Symbol(n, n.isupper(), True) for n in names), "s", False, False)

    both = (production("A", "B"), production("A", "C"))
    table = build_table(Grammar(both, {"s": both}, (), {}), ("s",))
    assert [(origin, terminal) for origin, terminal, _, _ in table.conflicts] == [("s", "A")]


def test_every_rule_is_reachable():
    grammar = load_grammar()
    seen = set(STARTS)
    todo = list(STARTS)
    while todo:
        for production in grammar.of[todo.pop()]:
            for symbol in production.symbols:
                if not symbol.terminal and symbol.name not in seen:
                    seen.add(symbol.name)
                    todo.append(symbol.name)
    assert seen == set(grammar.of)


def lark_accepts(oracle: Lark, tokens: list[Token]) -> bool:
    try:
        oracle.parse(tokens, start="program")
    except UnexpectedInput:
        return False
    return True


def we_accept(tokens: list[Token]) -> bool:
    try:
        parse_tokens(tokens)
    except CompileError:
        return False
    return True


def shape(tree) -> object:
    """A lark tree's rules and tokens, punctuation and keywords left out."""
    if isinstance(tree, LarkToken):
        return str(tree)
    fixed = load_grammar().fixed
    kept = ("EQ", "LT", "PLUS", "MINUS", "STAR", "SLASH", "PERCENT")
    inner = [c for c in tree.children if not (isinstance(c, LarkToken) and c.type in fixed and c.type not in kept)]
    return (str(tree.data), tuple(shape(c) for c in inner))


def our_shape(tree) -> object:
    return tree.text if isinstance(tree, Token) else (tree.rule, tuple(our_shape(c) for c in tree.children))


@given(st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_lark_builds_the_same_tree(oracle, seed):
    _, turn = random_program(seed)
    tokens = tokenize(print_turn(turn))
    assert unary_free(shape(oracle.parse(tokens, start="program"))) == unary_free(our_shape(parse_tokens(tokens)))


def unary_free(tree: object) -> object:
    """lark keeps a thin rule's node when a dropped token stood beside its child; compare without those."""
    if isinstance(tree, str):
        return tree
    rule, children = tree
    children = tuple(unary_free(c) for c in children)
    thin = {p.origin for p in load_grammar().productions if p.thin}
    return children[0] if rule in thin and len(children) == 1 else (rule, children)


@given(st.integers(0, 10**6))
@settings(max_examples=300, deadline=None)
def test_lark_accepts_and_rejects_the_same(oracle, seed):
    """Token sequences with one token dropped, doubled or replaced by another kind."""
    rng = random.Random(seed)
    _, turn = random_program(seed)
    tokens = tokenize(print_turn(turn))
    kinds = sorted({t.kind for t in tokens} | {"NAME", "SEMICOLON", "LPAR", "NOT", "AND", "FIELD", "PIPE"})
    at = rng.randrange(len(tokens))
    change = rng.choice(("drop", "double", "replace"))
    if tokens[at].kind != END:
        if change == "drop":
            tokens = tokens[:at] + tokens[at + 1 :]
        elif change == "double":
            tokens = tokens[: at + 1] + tokens[at:]
        else:
            kind = rng.choice([k for k in kinds if k != END])
            tokens = [*tokens[:at], tokens[at]._replace(kind=kind), *tokens[at + 1 :]]
    assert we_accept(tokens) == lark_accepts(oracle, tokens)
