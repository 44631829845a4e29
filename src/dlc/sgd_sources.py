"""The Schema-Guided Dialogue corpus: lists of dialogues, with the schema of their services beside them."""

import os
from collections.abc import Callable, Iterator

from dlc.grammar.diagnostic import CompileError, Place

from . import errors
from .errors import InputFailure
from .inputs import Document
from .json_documents import json_units
from .options import Options
from .schemas import Schemas
from .sources import Read, Source
from .units import OPENING, Broken, Unit


def sgd() -> Source:
    """SGD's dialogue files."""
    return Source((".json",), _units, _reader)


def _units(document: Document) -> Iterator[Unit | Broken]:
    first = True
    for unit in json_units(document, "turns", OPENING):
        if first and isinstance(unit, Unit):
            value = unit.parts[0].value
            if not document.sought and isinstance(value, dict) and "service_name" in value:
                # The schema, which lies in the folder of its dialogues.
                return
            if (
                unit.dialogue is not None
                or not isinstance(value, dict)
                or not ("turns" in value or "services" in value)
            ):
                why = "this is no file of dialogues: a list of objects with `dialogue_id` and `turns` is expected"
                raise InputFailure(errors.unknown_layout(Place(document.name), why))
            first = False
        yield unit


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
        names = [name for name in os.listdir(folder or ".") if name.endswith("schema.json")]
    except OSError:
        return None
    chosen = "schema.json" if "schema.json" in names else names[0] if len(names) == 1 else None
    return os.path.join(folder, chosen) if chosen is not None else None
