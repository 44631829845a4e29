"""Class files as DL schemas, and back."""

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.schema import fact
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.targets.thingtalk.read_classes import schema_of_class_file
from dlc.targets.thingtalk.write_classes import schema_to_classes

CLASSES = """
class @org.example.Garden {
  entity Garden extends ^^org.example.Town:Place #_[name="Garden"];
  list query Garden(out id : Entity(org.example.Garden:Garden) #[unique=true],
                    out area : Enum(east, west), out fee : Currency, out walk : Measure(ms),
                    out opens : Time #[slot_operator=">="], out tags : Array(String),
                    out size : Measure(m), out beds : Number #[min_number=1] #[max_number=9],
                    out phone : Entity(tt:phone_number) #[filterable=false]);
  action visit(in req garden : Entity(org.example.Garden:Garden), in opt day : Enum(west, east), out ref : String)
  #_[on_error={ closed=["it is closed"] }];
}
class @org.example.Town {
  entity Place;
  action visit(in req place : Entity(org.example.Town:Place));
}
"""


def test_what_becomes_of_a_class_file():
    schema = schema_of_class_file(CLASSES, "garden")
    assert read_schema(print_schema(schema)) == schema
    columns = {
        c.name: print_schema(schema) and str(getattr(c.type, "name", "")) for c in schema.table["Garden"].columns
    }
    assert columns == {
        "id": "Garden", "area": "Area", "fee": "Money", "walk": "Duration", "opens": "Time", "tags": "List",
        "size": "Measure", "beds": "Number", "phone": "phone_number",
    }  # fmt: skip
    garden = schema.table["Garden"]
    assert (garden.by_name["id"].key, garden.by_name["beds"].minimum, garden.by_name["beds"].maximum) == (
        True,
        "1",
        "9",
    )
    assert fact(garden.by_name["phone"].facts, "filterable") == "no"
    assert fact(garden.by_name["opens"].facts, "op") == ">="
    assert set(schema.function) == {"Garden_visit", "Town_visit"}
    assert schema.function["Garden_visit"].labelled["day"].optional
    assert [e.name for e in schema.function["Garden_visit"].errors] == ["closed"]
    assert schema.entity["Garden"].supertype == "Place"
    assert len(schema.enums) == 1, "the order of members does not make another enum"


def test_names_come_back():
    schema = schema_of_class_file(CLASSES, "garden")
    again = schema_of_class_file(schema_to_classes(schema), "garden")
    assert {fact(f.facts, "thingtalk") for f in again.functions} == {
        fact(f.facts, "thingtalk") for f in schema.functions
    }


@pytest.mark.corpus
def test_the_corpus_is_well_typed_against_its_own_classes(corpora):
    schema = schema_of_class_file((corpora / "multiwoz30" / "schema.tt").read_text(encoding="utf-8"), "classes")
    reader, checker = ThingTalkReader(schema), Checker(schema)
    for side in ("user", "agent"):
        for line in (corpora / "multiwoz30" / f"train.{side}.tsv").read_text(encoding="utf-8").splitlines():
            _, context, _, target = line.split("\t")
            for text in (context, target):
                if text != "null":
                    assert checker.check_turn(reader.read(text, tokenized=True)).ok, text
