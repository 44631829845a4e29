"""SGD's `schema.json` as a DL schema: what becomes of services, slots and intents, and what is refused."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from dlc.compiler.schema_text import print_schema, read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.targets.slots.sgd_schema import sgd_schema
from dlc.targets.thingtalk.write_classes import schema_to_classes

SERVICE: dict[str, Any] = {
    "service_name": "Boats_1",
    "description": "Hire a boat",
    "slots": [
        {"name": "harbour", "description": "", "is_categorical": False, "possible_values": ["Ely"]},
        {"name": "seats", "description": "", "is_categorical": True, "possible_values": ["2", "4 or more"]},
        {"name": "sails", "description": "", "is_categorical": True, "possible_values": ["True", "False"]},
    ],
    "intents": [
        {
            "name": "FindBoat", "is_transactional": False, "required_slots": ["harbour"],
            "optional_slots": {"seats": "dontcare"}, "result_slots": ["harbour", "seats", "sails"],
        },
        {
            "name": "HireBoat", "is_transactional": True, "required_slots": ["harbour"],
            "optional_slots": {"seats": "2"}, "result_slots": ["harbour"],
        },
    ],
}  # fmt: skip

TEXT = """\
schema sgd
enum Boats_1_seats = n2 @slot "2" | n4_or_more @slot "4 or more"
"""


def test_a_service_is_a_table_and_its_transactions_are_actions() -> None:
    schema = sgd_schema([SERVICE])
    assert print_schema(schema).startswith(TEXT)
    (table,), (action,) = schema.tables, schema.functions
    assert [(c.name, str(getattr(c.type, "name", ""))) for c in table.columns] == [
        ("harbour", "Text"), ("seats", "Boats_1_seats"), ("sails", "Bool"),
    ]  # fmt: skip
    assert dict(table.facts)["intent"] == ("FindBoat",)
    assert [(name, p.optional) for name, p in action.labelled.items()] == [("harbour", False), ("seats", True)]
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


@pytest.mark.corpus
def test_the_published_schema(data: Path) -> None:
    services = json.loads((data / "sgd" / "train.schema.json").read_text(encoding="utf-8"))
    schema = sgd_schema(services)
    assert read_schema(print_schema(schema)) == schema
    assert [t.name for t in schema.tables] == [s["service_name"] for s in services]
    transactional = [i["name"] for s in services for i in s["intents"] if i["is_transactional"]]
    assert [dict(f.facts)["intent"] for f in schema.functions] == transactional
    classes = schema_to_classes(schema)
    assert all(f" {f.name}(" in classes for f in schema.functions)


@pytest.mark.corpus
@pytest.mark.oracle
def test_the_reference_reads_its_class_file(data: Path, verdicts: Any) -> None:
    schema = sgd_schema(json.loads((data / "sgd" / "train.schema.json").read_text(encoding="utf-8")))
    calls = [f"@org.dlc.sgd.{t.name}();" for t in schema.tables] + [
        f"@org.dlc.sgd.{f.name}();" for f in schema.functions
    ]
    assert [
        (a["error"], calls[a["id"]]) for a in verdicts(calls, schema_to_classes(schema)) if not a["typecheck"]
    ] == []
