"""The Schema-Guided Dialogue corpus: lists of dialogues, with the schema of their services beside them."""

import os
from collections.abc import Callable, Iterator

from dlc.grammar.diagnostic import CompileError, Place

from . import errors
from .inputs import Document
from .json_documents import json_units
from .options import Options
from .schemas import Schemas
from .sources import Read, Source
from .units import OPENING, Broken, Unit, recognized

SCHEMA_FILE = "schema.json"
"""How the name of the schema beside the dialogues ends."""


def sgd() -> Source:
    """SGD's dialogue files."""
    return Source((".json",), _units, _reader, answers=True)


def _units(document: Document) -> Iterator[Unit | Broken]:
    why = "this is no file of dialogues: a list of objects with `dialogue_id` and `turns` is expected"
    otherwise = errors.unknown_layout(Place(document.name), why)
    if not document.sought and document.name.removesuffix(".gz").endswith(SCHEMA_FILE):
        # It lies in the folder of its dialogues.
        return iter(())
    return recognized(json_units(document, "turns", OPENING), _is_dialogue, otherwise)


def _is_dialogue(unit: Unit) -> bool:
    value = unit.parts[0].value
    return unit.dialogue is None and isinstance(value, dict) and ("turns" in value or "dialogue_id" in value)


def _reader(options: Options) -> Callable[[Unit], Read]:
    from dlc.targets.slots.services import has_services
    from dlc.targets.slots.sgd import ServiceMemo, read_sgd

    schemas = Schemas(options.schema)
    memos: dict[int, ServiceMemo] = {}
    beside: dict[str, str | None] = {}
    speakers = options.wanted_speakers("user")

    def memo_of(unit: Unit) -> ServiceMemo:
        folder = os.path.dirname(unit.file)
        if options.schema is None and folder not in beside:
            beside[folder] = schema_beside(folder)
        schema = schemas.get(None, beside.get(folder), "sgd")
        memo = memos.get(id(schema))
        if memo is None:
            if not has_services(schema):
                raise CompileError(errors.no_services(schema.name))
            memo = memos[id(schema)] = ServiceMemo(schema)
        return memo

    def read(unit: Unit) -> Read:
        memo = memo_of(unit)
        dialogue = read_sgd(unit.parts[0].value, memo.schema, memo, speakers)
        lines = (unit.parts[0].line,) * len(dialogue.turns)
        return Read(dialogue, (memo.schema,) * len(dialogue.turns), lines=lines)

    return read


def schema_beside(folder: str) -> str | None:
    """The schema file in a folder of dialogues: `schema.json`, or the one file whose name ends so."""
    try:
        names = [name for name in os.listdir(folder or ".") if name.endswith(SCHEMA_FILE)]
    except OSError:
        return None
    chosen = SCHEMA_FILE if SCHEMA_FILE in names else names[0] if len(names) == 1 else None
    return os.path.join(folder, chosen) if chosen is not None else None
