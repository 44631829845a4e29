"""Names looked up in rows: what matches, what is left alone, and what a turn becomes."""

from importlib.resources import files

import pytest

from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.grammar.parser import parse
from dlc.runtime.entity_names import NameBook, name_book, resolved, words

SCHEMA = read_schema((files("dlc") / "data" / "multiwoz.dl").read_text(encoding="utf-8"))
KEYS = ["elm house", "elm lodge", "the old mill", "clare's corner", "saint john hotel", "north", "north star"]


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("elm house", "elm house"),
        ("Elm  House.", "elm house"),
        ("the elm house", "elm house"),
        ("old mill", "the old mill"),
        ("clares corner", "clare's corner"),
        ("clare\u2019s corner", "clare's corner"),
        ("lodge", "elm lodge"),
        ("elm", None),
        ("north", "north"),
        ("star", "north star"),
        ("saint john hotel and bar", "saint john hotel"),
        ("somewhere", None),
        ("", None),
        ("!", None),
    ],
)  # fmt: skip
def test_matches(said, key):
    assert NameBook({"Hotel": KEYS}).best("Hotel", said) == key


def test_keys_that_read_alike_are_no_match():
    book = NameBook({"Hotel": ["the elm", "elm"], "Restaurant": ["elm"]})
    assert (book.best("Hotel", "elm"), book.best("Restaurant", "elm"), book.best("Boat", "elm")) == (None, "elm", None)
    assert words("The") == ("the",)


def turn(text):
    return lower_program(parse(text))[0][0]


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ('user: Hotel | where .name = @"the elm house";', 'user: Hotel | where .name = @"the elm house"#"elm house";'),
        (
            'user: Hotel | where not .name in [@"elm", @"old mill"] and .area = north;',
            'user: Hotel | where not .name in [@"elm", @"old mill"#"the old mill"] and .area = north;',
        ),
        ('user: book_hotel(hotel: @"lodge");', 'user: book_hotel(hotel: @"lodge"#"elm lodge");'),
        ('user: Hotel | where .name = @"elm house"#"x";', 'user: Hotel | where .name = @"elm house"#"x";'),
        ('user: Restaurant | where .food = @"elm house";', 'user: Restaurant | where .food = @"elm house";'),
        ('user: Hotel | where .name ~ "elm house";', 'user: Hotel | where .name ~ "elm house";'),
    ],
)  # fmt: skip
def test_turns(said, made):
    book = name_book(SCHEMA, {"Hotel": [{"name": key} for key in KEYS]})
    assert print_turn(resolved(turn(said), SCHEMA, book)) == made
