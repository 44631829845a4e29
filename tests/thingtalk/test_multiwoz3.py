"""MultiWOZ 3.0's contexts and targets: tokenized ThingTalk to DL, through printed text, and back."""

from importlib.resources import files
from pathlib import Path

import pytest

import dlc
from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.grammar.diagnostic import CompileError
from dlc.grammar.parser import parse
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.programs import parse as parse_thingtalk
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.targets.thingtalk.write import ThingTalkMemo, write_thingtalk

SCHEMA = read_schema((files("dlc") / "data" / "multiwoz.dl").read_text(encoding="utf-8"))
CLASS = "@uk.ac.cam.multiwoz.Hotel . Hotel"
STATE = "$dialogue @org.thingpedia.dialogue.transaction . "


@pytest.fixture(scope="module")
def reader() -> ThingTalkReader:
    return ThingTalkReader(SCHEMA)


def programs(folder: Path):
    for side in ("user", "agent"):
        for line in (folder / "multiwoz30" / f"train.{side}.tsv").read_text(encoding="utf-8").splitlines():
            _, context, _, target = line.split("\t")
            yield side, target
            if context != "null":
                yield ("agent" if side == "user" else "user"), context


@pytest.mark.corpus
def test_every_program_survives_the_round_trip_and_is_well_typed(corpora, reader):
    checker, memo = Checker(SCHEMA), ThingTalkMemo(SCHEMA, placeholders=True)
    count = 0
    for speaker, text in programs(corpora):
        turn = reader.read(text, speaker, tokenized=True)
        assert checker.check_turn(turn).ok, text
        (again,), _ = lower_program(parse(print_turn(turn)))
        assert again == turn
        written = write_thingtalk(again, SCHEMA, memo)
        assert to_text(parse_thingtalk(written.program), tokenized=True) == text
        assert not [note for note in written.notes if note.loss]
        count += 1
    assert count > 3000


@pytest.mark.parametrize(
    ("text", "dl"),
    [
        ("execute ; " + CLASS + " ( ) ;", "user execute: Hotel;"),
        (
            "execute ; " + CLASS + " ( ) filter ! ( stars == 3 ) && true ( area ) ;",
            "user execute: Hotel | where not .stars = 3 and .area is any;",
        ),
        (
            "execute ; [ phone ] of ( sort ( stars desc of " + CLASS + " ( ) ) filter area == enum north ) [ 1 ] ;",
            "user execute: Hotel | sort .stars desc | where .area = north | at 1 | show .phone;",
        ),
        (
            'execute ; @uk.ac.cam.multiwoz.Hotel . make_booking ( hotel = null ^^uk.ac.cam.multiwoz.Hotel:Hotel ( " the acorn " ) ) ;',
            'user execute: book_hotel(hotel: @"the acorn");',
        ),
        ("cancel ;", "user cancel:"),
        (
            "execute ; @uk.ac.cam.multiwoz.Taxi . make_booking ( leave_at = $? , arrive_by = TIME_0 - 1 h ) ;",
            "user execute: book_taxi(leave_at: missing, arrive_by: $0 - 1h);",
        ),
    ],
)
def test_constructs(reader, text, dl):
    turn = reader.read(STATE + text, tokenized=True)
    assert print_turn(turn) == dl
    assert Checker(SCHEMA).check_turn(turn).ok


NORMAL = "$dialogue @org.thingpedia.dialogue.transaction.execute; "


@pytest.mark.parametrize(
    ("text", "dl"),
    [
        ("@uk.ac.cam.multiwoz.Hotel.Hotel(), stars >= 3;", "user execute: Hotel | where .stars >= 3;"),
        (
            "@uk.ac.cam.multiwoz.Hotel.Hotel() filter in_array(stars, [3, 4]) || (area == enum east && !(parking == true));",
            "user execute: Hotel | where .stars in [3, 4] or .area = east and not .parking = true;",
        ),
        (
            'count(@uk.ac.cam.multiwoz.Hotel.Hotel(), id =~ "acorn");',
            'user execute: Hotel | where .name ~ "acorn" | whole | show count();',
        ),
        (
            "(sort(stars desc of @uk.ac.cam.multiwoz.Hotel.Hotel()))[1 : 3];",
            "user execute: Hotel | sort .stars desc | take 3;",
        ),
        (
            "@uk.ac.cam.multiwoz.Hotel.Hotel()[1] => @uk.ac.cam.multiwoz.Hotel.make_booking(hotel=id, book_people=2);",
            "user execute: Hotel | at 1 | then book_hotel(hotel: .name, people: 2);",
        ),
        (
            "@uk.ac.cam.multiwoz.Restaurant.make_reservation(book_time=new Time(18, 5)) #[confirm=enum proposed];",
            "user execute: proposed book_restaurant(time: 18:05);",
        ),
    ],
)
def test_the_normal_syntax(reader, text, dl):
    assert print_turn(reader.read(NORMAL + text)) == dl


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (NORMAL + "@uk.ac.cam.multiwoz.Hotel.Motel();", "DLC226"),
        (NORMAL + "@uk.ac.cam.multiwoz.Hotel.Hotel(), fax == 3;", "DLC227"),
        (NORMAL + "monitor(@uk.ac.cam.multiwoz.Hotel.Hotel());", "DLC225"),
        (NORMAL + "@uk.ac.cam.multiwoz.Hotel.Hotel(", "DLC223"),
        (NORMAL + "@uk.ac.cam.multiwoz.Hotel.Hotel(), " + "(" * 50_000, "DLC223"),
        (NORMAL + "@uk.ac.cam.multiwoz.Hotel.Hotel(), " + "!" * 50_000, "DLC223"),
        ("class @x {}", "DLC225"),
        ("\x00", "DLC223"),
    ],
)
def test_what_cannot_be_read_says_why_and_where(reader, text, code):
    with pytest.raises(CompileError) as caught:
        reader.read(text)
    found = caught.value.diagnostics[0]
    assert found.code == code
    assert found.span is not None


def test_cut_and_damaged_programs_are_diagnosed(reader):
    whole = STATE + "execute ; " + CLASS + ' ( ) filter area == enum north && id =~ " a ; b " ;'
    assert len(reader.read(whole, tokenized=True).statements) == 1
    words = whole.split(" ")
    for i in range(len(words)):
        try:
            reader.read(" ".join(words[:i]), tokenized=True)
        except CompileError as error:
            assert error.diagnostics[0].span is not None


@pytest.mark.parametrize("field", ['price: raw "17.6 GBP"', 'duration: raw "79 minutes"', 'day: raw "any day"'])
def test_what_a_result_holds_as_annotated_comes_back(field: str) -> None:
    """The reference takes any text for any field of a result."""
    program = dlc.read("dl", f"agent: Train -> [{{ {field}, leave_at: 05:21 }}];", SCHEMA)
    (written,) = dlc.write("thingtalk", program)
    assert written.program is not None and not written.notes
    again = dlc.read("thingtalk", written.program, SCHEMA)
    assert again.turns[0].statements == program.turns[0].statements
