"""What the ThingTalk reference rejects with a message without a place, and what it wrongly accepts.

Each program is written in DL against the built-in schema; the drawn diagnostics are kept in
`ill_typed.txt`, for a person to read. Regenerate with DLC_UPDATE=1.
"""

import os
from importlib.resources import files
from pathlib import Path

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import Place
from dlc.grammar.render import render

GOLDEN = Path(__file__).with_name("ill_typed.txt")

# (what is wrong, program, expected severity). The first part the reference rejects, the second it accepts.
REJECTED = [
    ("a number compared with text", 'user: Hotel | where .stars = "three";'),
    ("a member the enum does not have", "user: Hotel | where .area = downtown;"),
    ("a field of another table", 'user: Hotel | where .food = @"x"[Food];'),
    ("an entity compared with text", 'user: Restaurant | where .food = "italian";'),
    ("a time compared with a number", "user: Train | where .leave_at >= 5;"),
    ("a duration compared with a weight", "user: Train | where .duration >= 5kg;"),
    ("a list of two types", 'user: Hotel | where .stars in [3, "x"];'),
    ("an entity of another type as argument", 'user: book_hotel(hotel: @"a"#"a"[Restaurant]);'),
    ("an argument given twice", "user: book_hotel(people: 2, people: 3);"),
    ("an argument of another name", "user: book_hotel(persons: 2);"),
    ("a filter on an action", "user: book_hotel | where .people = 2;"),
    ("a projection of an unknown field", "user: Hotel | show .fax;"),
    ("a sort by something without order", "user: Hotel | sort .area asc;"),
    ("an index that is no number", 'user: Hotel | at "a";'),
    ("a maximum of something without order", "user: Hotel | whole | show max(.area);"),
    ("a query after an action", "user: book_hotel | then (Hotel);"),
    ("an unknown table", "user: Motel;"),
    ("an unknown action", "user: book_motel(people: 2);"),
    ("don't care about an unknown field", "user: Hotel | where .fax is any;"),
    ("a time plus a number", "user: book_restaurant(time: 18:00 + 5);"),
    ("two fields of different types", "user: Hotel | where .stars = .area;"),
    ("a result that is no constant", "user: Hotel -> [{ stars: area }];"),
]
ACCEPTED = [
    ("an entity with a supertype compared with a number", "user: Hotel | where .name = 5;"),
    ("with text", 'user: Hotel | where .name = "acorn";'),
    ("with a truth value", "user: Hotel | where .name = true;"),
    ("with a member of some enum", "user: Restaurant | where .name = north;"),
    ("with a time", "user: Restaurant | where .name = 03:00;"),
    ("with another field", "user: Hotel | where .name = .stars;"),
    ("with an entity of another type", 'user: Hotel | where .name = @"x"[Station];'),
    ("with an entity beside it under the same supertype", 'user: Restaurant | where .name = @"x"[Hotel];'),
    ("ill typed, folds to true", "user: Hotel | where .fax = .fax;"),
    ("ill typed beside true", "user: Hotel | where true or .fax = 3;"),
    ("ill typed beside false", "user: Hotel | where false and .fax = 3;"),
    ("constants of two types", 'user: Hotel | where 3 = "a";'),
    ("a projection under an aggregate", "user: Hotel | show .fax | whole | show count();"),
    ("a projection of what was projected away", "user: Hotel | show .nosuch, .phone | show .phone;"),
    ("a time that does not exist", "user: book_restaurant(time: 99:99);"),
    ("a date that does not exist", "user: Train | where .leave_at >= 2019-13-40;"),
    ("a number where money is compared", "user: Train | where .price = $0[Station];"),
    ("a result record with a wrong type", 'user: Hotel -> [{ stars: "four" }];'),
    ("a count that is text", 'user: Hotel -> [] of "x";'),
]
LINTED = [
    ("a result record with an unknown field", "user: Hotel -> [{ fax: 4 }];"),
    ("stars below the least", "user: Hotel | where .stars = -7;"),
    ("more people than allowed", "user: book_hotel(people: 100);"),
    ("an unknown act", "user executes: Hotel;"),
    ("an act about a field nobody has", "agent request(.arrival):"),
    ("an error code of another action", "user: book_hotel(people: 2) -> [] error invalid_destination;"),
    ("a value kept as it was annotated", 'user: Train | where .leave_at >= raw "after lunch";'),
]


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(read_schema((files("dlc") / "data" / "multiwoz.dl").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("what", "program"), REJECTED + ACCEPTED)
def test_is_an_error_with_its_place(checker, what, program):
    checked = compile_program(program, checker)
    assert not checked.ok
    first = next(d for d in checked.diagnostics if d.severity == "error")
    assert first.span is not None
    assert 0 < first.span.start < first.span.end <= len(program)


@pytest.mark.parametrize(("what", "program"), LINTED)
def test_is_a_lint(checker, what, program):
    checked = compile_program(program, checker)
    assert checked.ok
    assert checked.diagnostics
    assert all(d.span is not None for d in checked.diagnostics)


def test_messages_read_well(checker):
    """One screen a program; compared with what was last read by a person."""
    parts = []
    for title, group in (("rejected by both", REJECTED), ("accepted by the reference", ACCEPTED), ("lints", LINTED)):
        parts.append(f"{'=' * 20} {title}\n")
        for what, program in group:
            drawn = [
                render(d.at(Place("val.json", "SNG0073", 4), program))
                for d in compile_program(program, checker).diagnostics
            ]
            parts.append(f"-- {what}\n" + "\n".join(drawn) + "\n")
    text = "\n".join(parts)
    if os.environ.get("DLC_UPDATE"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
