"""What users do that a simulator does not, on one invented turn each, and on turns that only look alike."""

from importlib.resources import files

import pytest

from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import read_schema
from dlc.grammar.parser import parse
from dlc.runtime.user_moves import domain_of, user_moves

SCHEMA = read_schema((files("dlc") / "data" / "multiwoz.dl").read_text(encoding="utf-8"))
FOUND = 'agent sys_recommend_one: Hotel | where .area = north -> [{ name: @"elm house" }] of 3;'
ASKED = "agent sys_search_question: Hotel -> [] of 9;"
OFFERED = FOUND + ' proposed book_hotel(hotel: @"elm house");'
WAITING = FOUND + ' book_hotel(hotel: @"elm house", day: monday);'
BOOKED = 'agent sys_action_success: Hotel -> [] of 1; book_hotel(hotel: @"a", day: monday) -> [{ ref: "x" }];'


def turn(text):
    return lower_program(parse(text))[0][0] if text else None


@pytest.mark.parametrize(
    ("context", "said", "moves"),
    [
        ("", "user execute: Hotel;", ()),
        ("", "user execute: Hotel; Restaurant;", ("multidomain",)),
        (FOUND, "user execute: Hotel | where .area = south;", ()),
        (FOUND, "user execute: Train;", ("domain switch",)),
        (BOOKED, "user execute: Train;", ()),
        ("agent sys_recommend_one: Attraction -> [] of 4;", "user execute: Train;", ()),
        (FOUND, "user cancel:", ()),
        (ASKED, "user execute: Hotel | where .area = north;", ()),
        (ASKED, "user execute: Hotel | where .area = north; book_hotel(people: 2);", ("eager action parameters",)),
        (ASKED, 'user execute: book_hotel(hotel: @"elm house");', ()),
        (OFFERED, 'user execute: book_hotel(hotel: @"elm house", people: 2);', ()),
        (OFFERED, "user cancel:", ()),
        (WAITING, 'user execute: book_hotel(hotel: @"elm house", day: monday, people: 2, nights: 1);', ()),
        (WAITING, "user cancel:", ("abandoned transaction",)),
        (WAITING, "user execute: Train;", ("domain switch", "abandoned transaction")),
        (WAITING, 'user execute: book_hotel(hotel: @"elm house", day: monday); Train;', ()),
    ],
)  # fmt: skip
def test_moves(context, said, moves):
    assert user_moves(turn(context), turn(said), SCHEMA) == moves


def test_tables_and_actions_of_a_domain():
    assert domain_of(SCHEMA.table["Hotel"]) == domain_of(SCHEMA.function["book_hotel"]) == "hotel"
    plain = read_schema(
        'schema s\ntable Boat { id: Int key } @thingtalk "org.sea.Boat.Boat"\ntable Sail { id: Int key }\n'
    )
    assert [domain_of(t) for t in plain.tables] == ["org.sea.Boat", "Sail"]
