"""What a database decides of an outcome: how many results there are, which is the first, what else a row has."""

from importlib.resources import files

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.grammar.parser import parse
from dlc.runtime.json_rows import rows_of_json
from dlc.runtime.results import PAGE, with_results

SCHEMA = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
ELM = {
    "name": "elm house", "type": "guesthouse", "area": "north", "pricerange": "cheap", "stars": "4", "parking": "yes",
    "internet": "no", "phone": "01", "address": "1 elm road", "postcode": "cb1",
}  # fmt: skip
TRAIN = {"trainID": "TR1", "departure": "ely", "destination": "cambridge", "day": "monday", "leaveAt": "09:05",
         "arriveBy": "24:10", "price": "9.50 pounds", "duration": "51 minutes"}  # fmt: skip
ROWS = {
    "Hotel": [ELM, {**ELM, "name": "oak house", "stars": "3"}],
    "Train": [{**TRAIN, "trainID": f"TR{i}"} for i in range(PAGE + 1)],
    "Attraction": [{"name": "old mill", "pricerange": "?", "area": "east", "type": "museum"}],
}
DATABASE = rows_of_json(SCHEMA, ROWS)
FIELDS = (
    "type: guesthouse, area: north, price_range: cheap, stars: 4, parking: true, internet: false, "
    'phone: @"01", address: "1 elm road", postcode: "cb1"'
)


@pytest.mark.parametrize(
    ("said", "decided"),
    [
        # Named: the rest of the row is added, and the number of all results.
        ('Hotel | where .area = north -> [{ name: @"Elm House" }];',
         f'Hotel | where .area = north -> [{{ name: @"Elm House", {FIELDS} }}] of 2;'),
        # What the agent says of a field stands, right or wrong.
        ('Hotel | where .stars = 4 -> [{ name: @"elm house", stars: 5 }] of 7;',
         'Hotel | where .stars = 4 -> [{ name: @"elm house", stars: 5, '
         f'{FIELDS.replace("stars: 4, ", "")} }}];'),
        # Nobody named: the first row.
        ("Hotel | where .stars = 4 -> [];", f'Hotel | where .stars = 4 -> [{{ name: @"elm house", {FIELDS} }}];'),
        ("Hotel | where .stars = 4 -> [] more;", f'Hotel | where .stars = 4 -> [{{ name: @"elm house", {FIELDS} }}];'),
        # None: what was said to be there stays.
        ("Hotel | where .stars = 1 -> [] of 3;", "Hotel | where .stars = 1 -> [];"),
        ('Hotel | where .stars = 1 -> [{ name: @"ash" }];', 'Hotel | where .stars = 1 -> [{ name: @"ash" }];'),
        # More than a page; times past midnight, amounts, durations; what is missing.
        ('Train | where .day = monday -> [{ id: @"TR7" }];',
         'Train | where .day = monday -> [{ id: @"TR7", departure: @"ely", destination: @"cambridge", day: monday, '
         f"leave_at: 09:05, arrive_by: 24:10, price: 9.5gbp, duration: 51min }}] of {PAGE} more;"),
        ("Attraction | where .area = east -> [];",
         'Attraction | where .area = east -> [{ name: @"old mill", type: @"museum", area: east }];'),
        # Not decided: a value kept raw, a mark, a table without rows, an action, a proposal.
        ('Hotel | where .area = raw "nearby" -> [];', 'Hotel | where .area = raw "nearby" -> [];'),
        ("Hotel | where .area is none -> [] of 3;", "Hotel | where .area is none -> [] of 3;"),
        ("Restaurant -> [];", "Restaurant -> [];"),
        ('book_hotel(day: monday) -> [{ ref: "X" }];', 'book_hotel(day: monday) -> [{ ref: "X" }];'),
        ("proposed Hotel | where .stars = 4;", "proposed Hotel | where .stars = 4;"),
        ("Hotel | where .area is any -> [] more;", f'Hotel | where .area is any -> [{{ name: @"elm house", {FIELDS} }}] of 2;'),
    ],
)  # fmt: skip
def test_decided(said: str, decided: str) -> None:
    (turn,), _ = lower_program(parse(f"agent: {said}"))
    made = with_results(turn, SCHEMA, DATABASE)
    assert print_turn(made) == f"agent: {decided}"
    assert Checker(SCHEMA).check_turn(made).ok
    known: dict = {}
    assert with_results(turn, SCHEMA, DATABASE, known) == with_results(turn, SCHEMA, DATABASE, known) == made
