"""The Python interface."""

import json

import pytest

import dlc

GOOD = "user inform: Hotel | where .stars = 4;"


def test_every_public_name_is_there():
    assert set(dlc.__all__) <= set(dir(dlc))
    for name in dlc.__all__:
        assert getattr(dlc, name).__doc__
    with pytest.raises(AttributeError):
        dlc.nothing_of_this_name  # noqa: B018


def test_parse_needs_no_schema():
    program = dlc.parse("user inform:  Anything|where .x=1 ;agent bye:")
    assert str(program) == "user inform: Anything | where .x = 1;\nagent bye:\n"
    assert dlc.parse(str(program)) == program


def test_parse_says_where():
    with pytest.raises(dlc.CompileError) as error:
        dlc.parse("user inform: Hotel |;")
    (found,) = error.value.diagnostics
    assert found.code == "DLC003" and found.span is not None and found.text == "user inform: Hotel |;"


def test_read_and_write():
    program = dlc.read("dl", GOOD, "multiwoz")
    (slots,) = dlc.write("slots", program)
    assert slots.program == {"hotel": {"semi": {"stars": "4"}, "book": {}}}
    (thingtalk,) = dlc.write("thingtalk", program)
    assert "stars == 4" in thingtalk.program
    assert dlc.write("dl", program)[0].program == GOOD


def test_read_refuses_what_is_ill_typed():
    with pytest.raises(dlc.CompileError) as error:
        dlc.read("dl", GOOD.replace("4", '"four"'), "multiwoz")
    assert error.value.diagnostics[0].code == "DLC104"


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("dl", "user: Hotel | where .stars = 4;"),
        ("slots", '{"hotel": {"semi": {"stars": "4"}}}'),
        ("thingtalk", "$dialogue @org.thingpedia.dialogue.transaction.execute; @uk.ac.cam.multiwoz.Hotel.Hotel() filter stars == 4;"),
        ("sql", "SELECT * FROM Hotel WHERE stars = 4"),
    ],
)  # fmt: skip
def test_every_language_is_read(lang, text):
    program = dlc.read(lang, text, "multiwoz")
    assert [str(dlc.Program((turn,))).split(": ")[1] for turn in program.turns] == ["Hotel | where .stars = 4;\n"]


def test_dataflow_is_read():
    text = "(Yield (Execute (ConfirmAndReturnAction)))"
    program = dlc.read("dataflow", text, "smcalflow")
    assert [w.program for w in dlc.write("dataflow", program)] == [text]


def test_what_a_reader_has_to_say_is_kept():
    program = dlc.read("slots", '{"hotel": {"semi": {"stars": "four"}}}', "multiwoz")
    assert [note.code for note in program.notes] == ["DLC302"]


@pytest.mark.parametrize(
    ("lang", "text", "code"),
    [
        ("slots", "{", "DLC355"),
        ("slots", "[" * 100_000, "DLC357"),
        ("slots", "[]", "DLC361"),
        ("thingtalk", "$dialogue", "DLC223"),
        ("dataflow", "(Yield", "DLC280"),
        ("sql", "SELECT", "DLC240"),
        ("sql", "SELECT nothing FROM Hotel", "DLC244"),
    ],
)
def test_what_cannot_be_read_is_raised(lang, text, code):
    with pytest.raises(dlc.CompileError) as error:
        dlc.read(lang, text, "smcalflow" if lang == "dataflow" else "multiwoz")
    assert error.value.diagnostics[0].code == code


def test_typecheck_takes_text_or_program():
    schema = dlc.load_schema("multiwoz")
    assert dlc.typecheck(GOOD, schema).ok
    assert dlc.typecheck(dlc.read("dl", GOOD, schema)).ok
    found = dlc.typecheck(GOOD.replace("stars", "starz"), "multiwoz")
    assert not found.ok and found.diagnostics[0].code == "DLC102"


def test_what_is_missing_is_said():
    with pytest.raises(dlc.CompileError, match="DLC364"):
        dlc.typecheck(GOOD)
    with pytest.raises(dlc.CompileError, match="DLC363"):
        dlc.load_schema("multiwos")
    with pytest.raises(ValueError, match="lang is one of"):
        dlc.read("klingon", GOOD, "multiwoz")
    with pytest.raises(ValueError, match="lang is one of"):
        dlc.write("klingon", dlc.parse(GOOD))
    with pytest.raises(ValueError, match="source is one of"):
        dlc.convert("klingon", to="dl")
    with pytest.raises(ValueError, match="target is one of"):
        dlc.convert("multiwoz", to="klingon")
    with pytest.raises(ValueError, match="needs a path"):
        dlc.convert("dl", to="slots")


def test_convert_is_an_iterator_in_order(tmp_path, corpus):
    (tmp_path / "val.json").write_text(json.dumps(corpus))
    rows = dlc.convert("multiwoz", tmp_path / "val.json", to="dl", schema=dlc.load_schema("multiwoz"))
    assert next(rows)["dialogue_id"] == "A1"
    assert [row["turn"] for row in rows] == [2, 0, 0]


def test_convert_gives_the_rows_before_a_failure(tmp_path, corpus):
    (tmp_path / "cut.json").write_text(json.dumps(corpus)[:-40])
    rows = dlc.convert("multiwoz", tmp_path / "cut.json", to="dl")
    assert next(rows)["dialogue_id"] == "A1"
    with pytest.raises(dlc.InputFailure):
        list(rows)


def test_convert_in_processes():
    assert list(dlc.convert("multiwoz", to="slots", jobs=2)) == list(dlc.convert("multiwoz", to="slots"))


def test_a_row_of_one_conversion_is_input_of_the_next(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in dlc.convert("multiwoz", to="dl")))
    again = [row["program"] for row in dlc.convert("dl", path, to="slots")]
    assert again == [row["program"] for row in dlc.convert("multiwoz", to="slots")]
