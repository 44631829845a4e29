"""Bad text ends in a diagnostic with a place, never in a crash."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlc.compiler.lower import lower_program
from dlc.grammar.diagnostic import CompileError
from dlc.grammar.lexer import lexicon
from dlc.grammar.parser import parse


def diagnostic(text: str):
    with pytest.raises(CompileError) as caught:
        lower_program(parse(text))
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("user: 'x';", "DLC001", "'", "unexpected character"),
        ('user: "x;', "DLC002", '"x;', "not closed"),
        ("user: `x;", "DLC002", "`x;", "back-quoted"),
        ('user: @"x;', "DLC002", '@"x;', "not closed"),
        ("user Hotel;", "DLC003", ";", "the acts of a turn end with `:`"),
        ("user: Hotel | were .a;", "DLC003", "were", "did you mean `where`"),
        ("user: Hotel | where .stars = 4", "DLC004", "", "expected"),
        ("user: where;", "DLC003", "where", "back quotes"),
        ("user: Hotel);", "DLC003", ")", "no open bracket"),
        ("user: f(a: 1, 2);", "DLC113", "2", "positional"),
        ('user: "a\\qb";', "DLC110", "\\q", "escape"),
        ("user: A | join B | where .x = 1;", "DLC112", ".x", "several rows"),
        ("user: A | join A;", "DLC111", "join A", "already names"),
        ("user: .x = 1;", "DLC112", ".x", "outside any row"),
    ],
)
def test_messages(text, code, place, words):
    found = diagnostic(text)
    assert found.code == code
    assert text[found.span.start : found.span.end] == place
    assert words in " ".join((found.message, *found.help))


@pytest.mark.parametrize(
    "text",
    [
        "user: " + "(" * 50_000,
        "user: " + "(" * 50_000 + "a" + ")" * 50_000 + ";",
        "user: " + "not " * 50_000 + "a;",
        "user: " + "- " * 50_000 + "a;",
        "user: " + "fn x => " * 50_000 + "a;",
        "user: " + "[" * 50_000,
        "user: a" + " + 1" * 50_000 + ";",
        "user: a" + ".b" * 50_000 + ";",
        "user: a" + " | distinct" * 50_000 + ";",
        "user: f[" + "List[" * 50_000,
    ],
)
def test_depth_is_bounded(text):
    assert diagnostic(text).code in ("DLC005", "DLC004")


def test_wide_programs_are_fine():
    text = "user: " + " and ".join([".a = 1"] * 5_000).join(("A | where ", ";"))
    (turn,), _ = lower_program(parse(text))
    assert len(turn.statements[0].term.args[1].body.args) == 5_000


@given(st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_parses_or_is_diagnosed(text):
    try:
        lower_program(parse(text))
    except CompileError as error:
        for found in error.diagnostics:
            assert found.span is not None
            assert 0 <= found.span.start <= found.span.end <= len(text)


words = st.sampled_from([*sorted(lexicon("program").keywords), *"();,|{}[]=<+-*/:", "a", ".b", "c:", "1", '"s"', "->"])


@given(st.lists(words, max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_tokens_parse_or_are_diagnosed(tokens):
    with contextlib.suppress(CompileError):
        lower_program(parse("user: " + " ".join(tokens)))
