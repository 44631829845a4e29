"""Law 1: parsing what was printed gives the tree back, and lexing never depends on what follows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import random_program

from dlc.compiler.lower import lower_program
from dlc.compiler.sugar import print_turn, turn_tree
from dlc.grammar.lexer import comments, tokenize
from dlc.grammar.parser import parse
from dlc.grammar.printer import print_tree
from dlc.grammar.rules import END
from dlc.grammar.syntax import Node, same_shape

seeds = st.integers(0, 10**9)


@given(seeds)
@settings(max_examples=300, deadline=None)
def test_parse_after_print_is_the_identity(seed):
    _, turn = random_program(seed)
    text = print_turn(turn)
    tree = parse(text)
    assert same_shape(tree.children[0], turn_tree(turn))
    assert lower_program(tree)[0] == (turn,)
    assert print_tree(tree) == text + "\n"


@given(seeds, st.sampled_from((" ", "\n", "  -- a comment\n", "\t")))
@settings(max_examples=150, deadline=None)
def test_spacing_and_comments_mean_nothing(seed, gap):
    _, turn = random_program(seed)
    tokens = tokenize(print_turn(turn))
    spaced = gap.join(t.text for t in tokens[:-1])
    assert [(t.kind, t.text) for t in tokenize(spaced)] == [(t.kind, t.text) for t in tokens]


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_a_token_never_depends_on_what_follows(seed):
    """Cut canonical text after any token (and its separator): what came before lexes as before."""
    _, turn = random_program(seed)
    text = print_turn(turn)
    tokens = tokenize(text)
    for i, token in enumerate(tokens[:-1]):
        head = tokenize(text[: token.end])
        assert [(t.kind, t.text) for t in head[:-1]] == [(t.kind, t.text) for t in tokens[: i + 1]]


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_every_node_has_its_span(seed):
    _, turn = random_program(seed)
    text = print_turn(turn)
    for node in parse(text).walk():
        assert 0 <= node.start <= node.end <= len(text)
        inner = [c for c in node.children if isinstance(c, Node) or c.kind != END]
        starts = [c.start for c in inner]
        assert starts == sorted(starts)
        assert all(node.start <= c.start and c.end <= node.end for c in inner if c.end > c.start)


def test_comments_are_found_and_strings_are_not():
    text = 'user: A; -- one\n-- two\nuser: f("-- no");'
    assert [text[c.start : c.end] for c in comments(text)] == ["-- one", "-- two"]


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("user execute:Hotel|where .stars=4;", "user execute: Hotel | where .stars = 4;"),
        ("user : Hotel;", "user: Hotel;"),
        ("user a,b(.c),d: ;", None),
        ("user a, b(.c), d:", "user a, b(.c), d:"),
        ("user: (((a)));", "user: (((a)));"),
        ("user: 3-1;", "user: 3 - 1;"),
        ("user: 3 -1;", "user: 3 - 1;"),
        ("user: f(-1, - x);", "user: f(-1, - x);"),
        ("user: Hotel | sort .stars;", "user: Hotel | sort .stars;"),
        ('user: @"a"#"b"[T];', 'user: @"a"#"b"[T];'),
        ("user: `guest house`;", "user: `guest house`;"),
        ("agent: x -> [] of 3 more error e;", "agent: x -> [] of 3 more error e;"),
    ],
)
def test_spellings(text, printed):
    if printed is None:
        with pytest.raises(Exception, match="DLC003"):
            parse(text)
    else:
        assert print_tree(parse(text)).strip() == printed
