"""The checker answers any sentence of the grammar with diagnostics, however little sense it makes."""

import random
from collections.abc import Iterator

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.grammar.lexer import tokenize
from dlc.grammar.parser import stack_after

SCHEMA = read_schema(
    "enum Area = north | south\nentity Place\ntable Hotel { id: Place key, area: Area?, stars: Number? }\n"
    "fun near(x: Place) -> Place\naction book(; hotel: Place, people: Number) error full\nact user ask"
)
CHECKER = Checker(SCHEMA)
WORDS = (
    *("north", "south", "Hotel", "near", "book", "people:", "ask", "it", "abs", "sum", "first_present", "if_else", "x0"),
    *(".area", ".stars", ".id", ".nothing", '"a"', "4", "10:00", "$0", "@\"a\"", "true", "any", "none", "missing"),
    *("|", ";", ":", "(", ")", "[", "]", "{", "}", ",", "=", "!=", "<", ">=", "~", "+", "-", "*", "..", "->"),
    *("where", "show", "sort", "asc", "group", "take", "join", "in", "not", "and", "or", "is", "let", "exists", "whole"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("term", "code"),
    [
        ("north < south", "DLC107"),
        ('north ~ "a"', "DLC107"),
        ("-north", "DLC107"),
        ("greatest(north, south)", "DLC107"),
        ("Hotel | where north < north", "DLC107"),
        ("Hotel | sort north asc", "DLC107"),
        ("abs(Hotel)", "DLC107"),
    ],
)
def test_a_name_whose_only_type_lacks_the_class_that_is_asked_for_is_told(term: str, code: str) -> None:
    checked = compile_program(f"user: {term};", CHECKER)
    assert not checked.ok and code in {d.code for d in checked.diagnostics}


def sentences(rng: random.Random) -> Iterator[str]:
    """Beginnings of one text, a random word at a time, as far as some sentence begins like them."""
    text = "user:"
    for _ in range(30):
        for word in rng.sample(WORDS, len(WORDS)):
            try:
                if stack_after(tokenize(f"{text} {word}")[:-1]):
                    break
            except CompileError:
                continue
        else:
            return
        text = f"{text} {word}"
        yield text


def test_no_sentence_makes_the_checker_crash() -> None:
    rng, checked = random.Random(3), 0
    for _ in range(100):
        for text in sentences(rng):
            for end in ("", ";"):
                try:
                    checked += bool(compile_program(text + end, CHECKER).turns)
                except CompileError:
                    continue
    assert checked > 250, checked
