"""No byte of gold is lost: a sample of the printed DL of real corpora against the decoder's network (the whole, and token
by token, by `benchmarks/decoder_dl.py gold`). And what is lost on purpose is refused and has a reason."""

import sys
from pathlib import Path

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.neural.contract import outside
from dlc.schemas import load_schema

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

EVERY = {"multiwoz": 40, "thingtalk": 12, "sgd": 60, "spider": 25}


@pytest.mark.corpus
@pytest.mark.parametrize("name", EVERY)
def test_a_sample_of_gold_is_read(name: str, corpora: Path) -> None:
    from decoder_dl import Reader, Schemas, programs

    schemas, read = Schemas(corpora), 0
    for schema, texts in programs(name, corpora).items():
        chosen = list(texts)[:: EVERY[name]]
        reader = Reader(schemas.get(name, schema)) if chosen else None
        for text in chosen:
            assert reader is not None and reader.lost_at(text) is None, text
            read += 1
    assert read > 15


UNDECIDED = "a field of a result that nothing here declares, of a type that nothing shows"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("user: let f = fn x => [x, x]; f(1);", "a variable by another name, or one too many"),
        ("user: Hotel | show rating: .stars;", "a label that is not the one implied"),
        ("user: Hotel | where 4 = .stars;", "a left side of = that does not show its type"),
        ("user: ($0 : Hotel);", "a statement that is no query or call"),
        ("user: number_of[Text](\"a\");", "a type argument"),
        ("user: Hotel | take 4 + 1;", "a number of rows that is no number"),
        (f"user: Hotel | where .stars = 1{' + 1' * 33};", "a chain of more operators than there may be"),
        (f"user: Hotel | where .stars = 1{' * 2 - 1' * 17};", "a chain of more operators than there may be"),
        (f"user: Hotel | where {'not ' * 9}.parking;", "more negations than there may be"),
        ("user: Hotel | where not not (.parking and .internet);", "more negations than there may be"),
        ("user: Hotel | where pick(.area) = north;", "pick outside a group"),
        ("user: Hotel | sort .stars asc | show pick(.area);", "pick outside a group"),
        ("user: let x0 = Hotel; Train | show x0;", "a relation as a shown item"),
        ("user: Hotel | show book_taxi;", "a shown item that does not show its type"),
        ("user: Train -> [{ area: book_taxi }];", "a result that is no constant"),
        ('user: Hotel -> [{ id: @"TR1234" }];', UNDECIDED),
        ("user: Train -> [{ area: friday }];", UNDECIDED),
        ("user: Hotel | where .phone = book_taxi(leave_at: 09:00).phone;", "an action as a value"),
        ("user: let x0 = book_taxi(leave_at: 09:00); Hotel;", "an action that is bound"),
        ('user: book_taxi -> [{ colour: raw "black" }];', UNDECIDED),
    ],
)  # fmt: skip
def test_what_is_outside_has_a_reason_and_is_refused(text: str, reason: str) -> None:
    from decoder_dl import Reader

    schema = load_schema("multiwoz")
    checker = Checker(schema)
    checked = compile_program(text, checker)
    assert checked.ok and outside(checked.turns[0].turn, checker.schema) == reason
    assert Reader(schema).lost_at(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        'user: Hotel as h | join Hotel as T2 on h.area = T2.area and (h.stars + 1) * 2 > T2.stars | show h.name, name2: T2.name;',
        "user: let x0 = Hotel | where .stars >= 4; x0 | group .area | where count() > 1 | sort count() desc | show .area;",
        "user: Hotel | show .area | union (Train | join Hotel | show Hotel.area) | distinct -> [{ area: north }] of 4 more;",
        "user: Hotel | where not not .parking and (.stars in 2 .. 4 or exists (Train | where .price < 4)) | whole | show count();",
        f"user: Hotel | where .stars = 1{' * 2 - 1' * 16} and .stars = $0{' - 1' * 32} and {'not ' * 8}.parking;",
        f"user: Hotel | where .stars = (1{' + 1' * 32}) * 2 and not (.parking and .internet);",
        "user: let x0 = Hotel | show .area; Train | join x0 as a | where a.area in x0 | whole | show count();",
        "user: let x0 = Hotel; Hotel | union (x0) | where it in x0 and it not in Hotel;",
        "user: let x0 = Hotel; x0 | where .stars > 3 | whole | show it;",
        "user: Hotel | group .area | where pick(.stars) > 3 | sort pick(.stars) asc | show pick(.name);",
        "agent zz(.anything): (Hotel | show .stars) as a | where .stars > (Hotel | whole | show avg(.stars));",
    ],
)  # fmt: skip
def test_constructs_together(text: str) -> None:
    from decoder_dl import Reader

    schema = load_schema("multiwoz")
    checker = Checker(schema)
    checked = compile_program(text, checker)
    assert checked.ok, [d.message for d in checked.diagnostics]
    assert outside(checked.turns[0].turn, checker.schema) is None
    assert Reader(schema).lost_at(text) is None
