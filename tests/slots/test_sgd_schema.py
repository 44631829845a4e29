"""SGD's `schema.json` as a DL schema: what becomes of services, slots and intents, and what is refused."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from boats import BOATS as SERVICE

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.compiler.sugar import print_turn
from dlc.grammar.diagnostic import CompileError
from dlc.grammar.parser import parse
from dlc.targets.slots.sgd import ServiceMemo, read_sgd
from dlc.targets.slots.sgd_schema import sgd_schema
from dlc.targets.slots.sgd_write import write_services
from dlc.targets.thingtalk.write_classes import schema_to_classes

TEXT = """\
schema sgd @accumulate "service"
enum Boats_1_seats = n2 @slot "2" @sql "2" | n4_or_more @slot "4 or more" @sql "4 or more"
"""


def test_a_service_and_its_searches_are_tables_and_its_transactions_actions() -> None:
    schema = sgd_schema([SERVICE])
    assert print_schema(schema).startswith(TEXT)
    (table, search), (action,) = schema.tables, schema.functions
    assert [(c.name, str(getattr(c.type, "name", ""))) for c in table.columns] == [
        ("harbour", "Text"), ("seats", "Boats_1_seats"), ("sails", "Bool"),
        ("start", "Text"), ("phone", "Text"),
    ]  # fmt: skip
    assert (table.name, search.name) == ("Boats_1", "Boats_1_FindBoat")
    assert [c.name for c in search.columns] == ["harbour", "seats", "sails", "phone"]
    assert dict(search.facts) == {
        "slot": "Boats_1", "intent": "FindBoat", "thingtalk": "org.dlc.sgd.Boats_1.FindBoat"
    }  # fmt: skip
    assert [(name, p.optional) for name, p in action.labelled.items()] == [
        ("harbour", False), ("start", False), ("seats", True),
    ]  # fmt: skip
    assert action.name == "Boats_1_HireBoat" and dict(action.labelled["seats"].facts)["default"] == "2"
    assert read_schema(print_schema(schema)) == schema


def damaged(*path: Any, value: Any) -> list[Any]:
    services = [copy.deepcopy(SERVICE)]
    place: Any = services
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return services


@pytest.mark.parametrize(
    "services",
    [
        None, {}, [], [7], [SERVICE, SERVICE], [{"service_name": "x"}],
        damaged(0, "service_name", value="a b"), damaged(0, "slots", value={}), damaged(0, "slots", 1, value=None),
        damaged(0, "slots", 1, "possible_values", value=[2]), damaged(0, "intents", 0, "name", value=3),
        damaged(0, "intents", 1, "required_slots", value=["anchor"]),
        damaged(0, "intents", 1, "optional_slots", value=["seats"]),
        damaged(0, "intents", 1, "result_slots", value=[["harbour"]]),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused(services: Any) -> None:
    with pytest.raises(CompileError) as caught:
        sgd_schema(services)
    assert caught.value.diagnostics[0].code == "DLC308"


_WORDS = """
any none missing true it everything now list and or not in is where show take count as exists coerce refer Path
between like class new of enum Number True NONE dontcare 1a ü日 Boats_1 Boats_1_FindBoat a|b NOT(x)
"""
ODD = [*_WORDS.split(), "", "a b", "a_b", 'q"q', "back\\slash", "new\nline", "$0", "-- c", "5", "12:30", "`tick`"]
NAMES = [word for word in ODD if word.isidentifier() and word.isascii()]


@pytest.mark.parametrize("seed", range(20))
def test_any_names_and_values_come_back_well_typed(seed: int) -> None:
    """Values that are words of DL or ThingTalk, names of tables, or no words at all."""
    chance = random.Random(seed)
    slots = chance.sample([n for n in NAMES if n != "dontcare"], 6)
    service = chance.choice(NAMES)
    listed = [
        {"name": slot, "is_categorical": i < 4, "possible_values": chance.sample(ODD, 8) if i < 4 else []}
        for i, slot in enumerate(slots)
    ]
    intents = [
        {"name": name, "is_transactional": bool(i), "required_slots": slots[:2], "result_slots": slots[2:5],
         "optional_slots": {slots[2]: "dontcare"}}
        for i, name in enumerate(chance.sample(NAMES, 2))
    ]  # fmt: skip
    schema = sgd_schema([{"service_name": service, "slots": listed, "intents": intents}])
    assert read_schema(print_schema(schema)) == schema
    memo, checker = ServiceMemo(schema), Checker(schema)
    for _ in range(12):
        state = {
            "active_intent": chance.choice(["NONE", *(intent["name"] for intent in intents)]),
            "requested_slots": chance.sample(slots, chance.randrange(3)),
            "slot_values": {
                slot["name"]: chance.sample(slot["possible_values"] or ODD, chance.choice((1, 1, 2)))
                for slot in listed
                if chance.random() < 0.6
            },
        }
        frame = {"service": service, "actions": [], "slots": [], "state": state}
        turn = {"speaker": "USER", "utterance": "", "frames": [frame]}
        value = {"dialogue_id": "1", "services": [service], "turns": [turn]}
        (row,) = read_sgd(value, schema, memo, frozenset(("user",))).turns
        assert row.program is not None, row.notes
        (again,), _ = lower_program(parse(print_turn(row.program)))
        assert again == row.program and checker.check_turn(again).ok, print_turn(row.program)
        assert write_services(again, ServiceMemo(schema)).program == {
            service: {
                "slots": state["slot_values"],
                "intent": state["active_intent"],
                "requested": state["requested_slots"],
            }
        }


@pytest.mark.corpus
def test_the_published_schema(data: Path) -> None:
    services = json.loads((data / "sgd" / "train.schema.json").read_text(encoding="utf-8"))
    schema = sgd_schema(services)
    assert read_schema(print_schema(schema)) == schema
    assert [t.name for t in schema.tables if "intent" not in dict(t.facts)] == [s["service_name"] for s in services]
    intents = [(i["name"], i["is_transactional"]) for s in services for i in s["intents"]]
    assert [dict(f.facts)["intent"] for f in schema.functions] == [name for name, acts in intents if acts]
    searches = [dict(t.facts)["intent"] for t in schema.tables if "intent" in dict(t.facts)]
    assert searches == [name for name, acts in intents if not acts]
    classes = schema_to_classes(schema)
    assert all(f" {name}(" in classes for name, _ in intents)


@pytest.mark.corpus
def test_the_schema_of_multiwoz_in_the_same_layout(data: Path) -> None:
    services = json.loads((data / "multiwoz22" / "schema.json").read_text(encoding="utf-8"))
    schema = sgd_schema(services)
    assert read_schema(print_schema(schema)) == schema
    slots = {c.name: dict(c.facts)["slot"] for c in schema.table["hotel"].columns}
    assert slots["bookday"] == "hotel-bookday" and len(slots) == len(services[0]["slots"])
    # A service and an intent of one name are two declarations.
    assert dict(schema.table["police_police"].facts)["intent"] == "police"


def test_names_that_clash_or_are_no_identifiers() -> None:
    clash: dict[str, Any] = {
        "service_name": "A",
        "slots": [
            {"name": "A-b c", "is_categorical": False, "possible_values": []},
            {"name": "b-c", "is_categorical": False, "possible_values": []},
        ],
        "intents": [{"name": "A", "is_transactional": False, "required_slots": [], "result_slots": ["b-c"]}],
    }
    other = {"service_name": "A_A", "slots": [], "intents": []}
    schema = sgd_schema([clash, other])
    assert [t.name for t in schema.tables] == ["A", "A_A_2", "A_A"]
    assert [c.name for c in schema.tables[0].columns] == ["b_c", "b_c_2"]
    assert read_schema(print_schema(schema)) == schema


@pytest.mark.corpus
@pytest.mark.oracle
def test_the_reference_reads_its_class_file(data: Path, verdicts: Any) -> None:
    schema = sgd_schema(json.loads((data / "sgd" / "train.schema.json").read_text(encoding="utf-8")))
    calls = [f"@{dict(declared.facts)['thingtalk']}();" for declared in (*schema.tables, *schema.functions)]
    assert [
        (a["error"], calls[a["id"]]) for a in verdicts(calls, schema_to_classes(schema)) if not a["typecheck"]
    ] == []
