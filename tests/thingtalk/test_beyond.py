"""ThingTalk outside DL in canonical form: cases, the laws of streams by execution, the reference's own programs."""

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from thingtalk_oracle import Oracle

from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.compiler.terms import Abs, App, Term
from dlc.grammar.diagnostic import CompileError
from dlc.meaning import run_on
from dlc.schemas import load_schema
from dlc.targets.thingtalk.beyond import read_beyond, write_beyond
from dlc.targets.thingtalk.read import ThingTalkReader

CASES = (Path(__file__).parent / "streams.txt").read_text(encoding="utf-8").strip().split("\n\n")


def whole(code: str) -> str:
    """A case with the class names that it leaves out."""
    code = re.sub(r"@(Hotel|Train)\(\)", r"@uk.ac.cam.multiwoz.\1.\1()", code)
    return code.replace("@Hotel.make", "@uk.ac.cam.multiwoz.Hotel.make") + ";"


def form(code: str, schema: Schema, tokenized: bool = False) -> str:
    made = read_beyond(code, schema, "user", tokenized)
    text = write_beyond(made.turn, made.schema)
    again = read_beyond(text, schema, "user", tokenized)
    assert (again.turn, write_beyond(again.turn, again.schema)) == (made.turn, text), code
    return text


@pytest.mark.parametrize("case", CASES)
def test_a_case_and_its_form(case: str) -> None:
    before, after = case.split("\n  => ")
    schema = load_schema("multiwoz")
    assert form(whole(before), schema) == whole(after)
    made = read_beyond(whole(before), schema)
    assert Checker(made.schema).check_turn(made.read).ok and Checker(made.schema).check_turn(made.turn).ok


def test_the_tokenized_syntax_stays_and_its_placeholders_with_it() -> None:
    hotel = "@uk.ac.cam.multiwoz.Hotel . Hotel ( )"
    state = "$dialogue @org.thingpedia.dialogue.transaction . execute ;"
    code = f"{state} monitor ( {hotel} filter stars == NUMBER_0 && area == enum north ) #[ confirm = enum proposed ] ;"
    assert form(code, load_schema("multiwoz"), True) == code.replace(
        "stars == NUMBER_0 && area == enum north", "area == enum north && stars == NUMBER_0"
    )


def test_what_a_form_would_not_say_whole_stays_as_it_was() -> None:
    # A chain that passes a value on is no query of its own.
    hotel, taxi = "@uk.ac.cam.multiwoz.Hotel.Hotel()", "@uk.ac.cam.multiwoz.Restaurant.Restaurant"
    code = f"monitor({hotel}) => {taxi}(area=area);"
    assert form(code, load_schema("multiwoz")) == code


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("monitor(@uk.ac.cam.multiwoz.Hotel.Motel());", "DLC226"),
        ("monitor(fax of @uk.ac.cam.multiwoz.Hotel.Hotel());", "DLC227"),
        ("@uk.ac.cam.multiwoz.Hotel.Hotel() => monitor(@uk.ac.cam.multiwoz.Train.Train());", "DLC225"),
        ("class @x {}", "DLC225"),
        ("let x = @uk.ac.cam.multiwoz.Hotel.Hotel();", "DLC225"),
        ("f(x=3) => @uk.ac.cam.multiwoz.Hotel.Hotel();", "DLC225"),
        ("monitor(@uk.ac.cam.multiwoz.Hotel.Hotel() filter stars == $context.selection : Number", "DLC223"),
    ],
)
def test_what_is_not_read_even_so(code: str, why: str) -> None:
    with pytest.raises(CompileError) as caught:
        read_beyond(code, load_schema("multiwoz"))
    assert caught.value.diagnostics[0].code == why


def test_what_a_stream_monitors_is_checked_too() -> None:
    made = read_beyond("monitor(@uk.ac.cam.multiwoz.Hotel.Hotel() filter phone >= 3);", load_schema("multiwoz"))
    assert not Checker(made.schema).check_turn(made.read).ok


def test_one_stream_is_not_another() -> None:
    schema = load_schema("multiwoz")
    hotel = "@uk.ac.cam.multiwoz.Hotel.Hotel()"
    codes = (
        *(f"monitor({hotel});", f"monitor(stars of {hotel});", f"monitor(area of {hotel});", f"{hotel};"),
        *(f"monitor({hotel} filter stars == 3);", f"monitor({hotel} filter stars == $context.selection : Number);"),
        *(f'@uk.ac.cam.multiwoz.Hotel(id="{of}").Hotel();' for of in "ab"),
    )
    forms = [read_beyond(code, schema).turn for code in codes]
    assert len(set(forms)) == len(forms)


# ---------------------------------------------------------------- the laws, by execution


def events(query: Term, fields: tuple[str, ...] | None, days: list[Any], run: Any) -> list[list[dict[str, Any]]]:
    """What a stream gives, day by day: rows of which the day before had none with the same values of the fields."""

    def told(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[f] for f in fields if f in row) if fields is not None else tuple(row.items())

    given, before = [], None
    for day in days:
        rows = [dict(row) for row in run(query, day)]
        if before is not None:
            given.append([row for row in rows if told(row) not in before])
        before = {told(row) for row in rows}
    return given


def test_laws_of_streams_on_random_days() -> None:
    schema = load_schema("multiwoz")
    full = Checker(schema).schema
    run, dice, reader = run_on(full), random.Random(20261128), ThingTalkReader(schema)
    hotel = "@uk.ac.cam.multiwoz.Hotel.Hotel()"
    columns = [c.name for c in full.table["Hotel"].columns]
    tests = ("stars >= 3", "!(stars == 3)", "parking == true", "stars == 4 || parking == false", "!(parking == true)")

    def query(code: str) -> Term:
        return reader.read(code + ";").statements[0].term

    moved = unlike = 0
    for _ in range(300):
        row = dict.fromkeys(columns)
        days = [
            {"Hotel": [{**row, "stars": dice.choice((None, 3, 4)), "parking": dice.choice((None, True, False))}
             for _ in range(dice.randrange(4))]}
            for _ in range(4)
        ]  # fmt: skip
        test = dice.choice(tests)
        used = tuple(name for name in ("stars", "parking") if name in test)
        inner = query(f"{hotel} filter {test}")
        assert isinstance(inner, App) and isinstance(inner.args[1], Abs)

        def passing(given: list[list[dict[str, Any]]], condition: Term = inner) -> list[list[dict[str, Any]]]:
            source = App("where", (App("Hotel"), condition.args[1]))  # type: ignore[union-attr]
            return [[dict(r) for r in run(source, {"Hotel": rows})] for rows in given]

        # A filter over a stream of all fields, and over one of the fields that it looks at.
        for fields in (None, used):
            assert passing(events(query(hotel), fields, days, run)) == events(inner, fields, days, run)
        # Over a stream of other fields it may be otherwise: the condition of the law is needed.
        others = tuple(name for name in ("stars", "parking") if name not in used)
        unlike += passing(events(query(hotel), others, days, run)) != events(inner, others, days, run)
        # A projection over a stream that is told apart by its fields, and a stream of the projection.
        shown = dice.choice((("stars",), ("parking",), ("parking", "stars")))
        projected = events(query(f"[{', '.join(shown)}] of {hotel}"), None, days, run)
        below = events(query(hotel), shown, days, run)
        assert projected == [[{f: r[f] for f in shown} for r in rows] for rows in below]
        moved += any(below)
    assert moved > 200 and unlike > 20


# ---------------------------------------------------------------- the reference's programs


@pytest.mark.oracle
def test_forms_of_the_references_programs_are_forms_and_programs(oracle: Oracle) -> None:
    """What it accepts of its own tests: the form is its own form, and the reference accepts it too."""
    classes = oracle.tests / "thingpedia.tt"
    schema = load_schema(str(classes))
    codes = (oracle.tests / "test_syntax.tt").read_text("utf-8").split("====")
    codes += [code for pair in oracle.cases("test_optimize.js", "TEST_CASES") for code in pair]
    answers = oracle.judge([(code, "normal") for code in codes], classes)
    forms: list[str] = []
    found: Counter[str] = Counter()
    for code, answer in zip(codes, answers, strict=True):
        if not answer["typecheck"]:
            continue
        try:
            forms.append(form(code, schema))
            found["beyond" if read_beyond(code, schema).found else "within"] += 1
        except CompileError as error:
            # Declarations and commands are no statements.
            found[error.diagnostics[0].code] += 1
    assert found["beyond"] >= 100 and found["within"] >= 100 and set(found) == {"beyond", "within", "DLC225"}
    for text, answer in zip(forms, oracle.judge([(text, "normal") for text in forms], classes), strict=True):
        assert answer["typecheck"], (text, answer["error"])
