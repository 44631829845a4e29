"""Dialogues run on the graph, whatever language they are written in."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn
    from dlc.runtime.dialogue import Dialogue
    from dlc.runtime.requests import Requests


@dataclass(slots=True)
class Talk:
    """A dialogue on the graph. requests: the state it holds, for one made of MultiWOZ's requests."""

    dialogue: "Dialogue"
    requests: "Requests | None" = None


@dataclass(frozen=True, slots=True)
class World:
    """What a dialogue runs on: functions, and rows by table as JSON has them. now: the moment it is."""

    library: str
    tables: "Mapping[str, Any]"
    now: datetime


def talk_in(world: World, schema: "Schema") -> Talk:
    """A dialogue over given data, about to begin. Raises CompileError for rows that do not fit the schema."""
    from dlc.canon.filters.decide import specification
    from dlc.compiler.check import Checker
    from dlc.runtime.assistant import assistant
    from dlc.runtime.dialogue import Dialogue
    from dlc.runtime.json_rows import rows_of_json

    named = {
        table.name: world.tables[table.name.lower()] for table in schema.tables if table.name.lower() in world.tables
    }
    rows = rows_of_json(schema, named)
    checker = Checker(schema)
    return Talk(Dialogue(checker, assistant(rows, world.now), rows, satisfiable=specification(checker.schema)))


def talk_of(turns: "Iterable[Turn]", schema: "Schema", whole: bool = False) -> Talk:
    """A dialogue about to begin. turns: what it will say, by which its kind is told.

    Without data or functions: a call that nothing implements stands for itself. whole: each turn of requests says its
    whole state.
    """
    from dlc.canon.filters.decide import specification
    from dlc.compiler.check import Checker
    from dlc.runtime.dialogue import Dialogue
    from dlc.runtime.requests import Requests, is_request, requests_dialogue
    from dlc.runtime.smcalflow import OPERATORS, SYMBOLIC

    statements = [statement.term for turn in turns for statement in turn.statements]
    if statements and all(map(is_request, statements)):
        return Talk(requests_dialogue(Checker(schema)), Requests(whole))
    checker = Checker(schema)
    return Talk(Dialogue(checker, SYMBOLIC, satisfiable=specification(checker.schema), operators=OPERATORS))
