"""MultiWOZ in every layout: 2.0, 2.1, 2.3 and 2.4 as `{name: {goal, log}}`, 2.2 by frames, and ConvLab's unified format."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any

from dlc.grammar.diagnostic import Place

from . import errors
from .inputs import CHUNK, Document
from .json_documents import json_units
from .options import Options
from .schemas import Schemas
from .sources import Read, Source
from .units import OPENING, Broken, Unit, recognized


def multiwoz() -> Source:
    """MultiWOZ's dialogue files; without a path the invented corpus of the package."""
    return Source((".json",), _multiwoz_units, _multiwoz_reader, _multiwoz_sample, answers=True)


def _multiwoz_units(document: Document) -> Iterator[Unit | Broken]:
    why = "this is no file of dialogues: {name: {goal, log}}, or a list of objects with `turns`, is expected"
    otherwise = errors.unknown_layout(Place(document.name), why)
    return recognized(json_units(document, "log", OPENING), _is_dialogue, otherwise)


def _is_dialogue(unit: Unit) -> bool:
    from dlc.targets.slots.convlab import is_unified
    from dlc.targets.slots.multiwoz22 import is_frames

    value = unit.parts[0].value
    if unit.dialogue is None:
        return is_frames(value) or is_unified(value)
    return isinstance(value, dict) and ("log" in value or "goal" in value)


def _multiwoz_sample() -> Document:
    def chunks() -> Iterator[bytes]:
        with files("dlc").joinpath("data", "multiwoz_sample.json").open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    return Document("multiwoz_sample.json", chunks)


def _multiwoz_reader(options: Options) -> Callable[[Unit], Read]:
    from dlc.targets.slots.convlab import as_log, is_unified, mentions
    from dlc.targets.slots.multiwoz import read_multiwoz
    from dlc.targets.slots.multiwoz22 import is_frames, read_multiwoz22
    from dlc.targets.slots.states import Memo
    from dlc.targets.slots.trade import trade_value

    schema = Schemas(options.schema).get(None, "multiwoz", "multiwoz")
    memo = Memo(schema)
    speakers = options.wanted_speakers("user")
    normalize = options.normalize == "trade@1"

    def read(unit: Unit) -> Read:
        part = unit.parts[0]
        value, name = part.value, unit.dialogue
        if name is None and is_frames(value):
            dialogue = read_multiwoz22(value, memo, speakers, trade_value if normalize else None)
        else:
            unified = name is None and is_unified(value)
            turns = value["turns"] if unified else ()
            if name is None:
                given = value.get("dialogue_id") if isinstance(value, dict) else None
                name = given if isinstance(given, str) else ""
            log = as_log(value, memo.layout) if unified else value
            dialogue = read_multiwoz(name, _trade_normalized(log) if normalize else log, schema, memo, speakers)
            if unified:
                rows = tuple(
                    replace(row, mentions=mentions(turns[row.turn]), provenance=turns[row.turn])
                    for row in dialogue.turns
                    if row.turn < len(turns)
                )
                dialogue = replace(dialogue, turns=rows)
        return Read(dialogue, (schema,) * len(dialogue.turns))

    return read


def _trade_normalized(dialogue: Any) -> Any:
    """The dialogue with every value of its states as TRADE's published rules make it; absent values stay as they are."""
    from dlc.targets.slots.trade import trade_value

    if not isinstance(dialogue, dict) or not isinstance(dialogue.get("log"), list):
        return dialogue

    def slots(domain: str, group: str, stored: Any) -> Any:
        if not isinstance(stored, dict):
            return stored
        made = dict(stored)
        for slot, value in stored.items():
            if isinstance(value, str):
                normal = trade_value(domain, group, slot, value)
                made[slot] = value if normal is None else normal
        return made

    def turn(entry: Any) -> Any:
        metadata = entry.get("metadata") if isinstance(entry, dict) else None
        if not isinstance(metadata, dict) or not metadata:
            return entry
        states = {
            domain: {group: slots(domain, group, stored) for group, stored in parts.items()}
            if isinstance(parts, dict)
            else parts
            for domain, parts in metadata.items()
        }
        return {**entry, "metadata": states}

    return {**dialogue, "log": [turn(entry) for entry in dialogue["log"]]}
