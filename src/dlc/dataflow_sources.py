"""The sources `smcalflow` (files of dialogues) and `dataflow` (rows of Lispress), read and type-checked."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.targets.rows import Dialogue, TurnRow

from .options import Options
from .row_files import object_units, row_units, text_of
from .row_texts import ReadText, losses, text_reader
from .schemas import Schemas
from .sources import Judged, Read, Source
from .units import Unit, numbered

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

DEFAULT = "smcalflow"


def smcalflow() -> Source:
    """Dialogues, one JSON object a line."""
    return Source(
        (".jsonl",), lambda document: object_units(document, "dialogue_id"), _dialogues, check=_checked_dialogues
    )


def dataflow() -> Source:
    """Lispress programs, one a line, or JSON rows."""
    return Source((".lispress", ".jsonl"), row_units, _rows, check=_checked_rows)


# ---------------------------------------------------------------- reading


def _dialogues(options: Options) -> Callable[[Unit], Read]:
    from dlc.targets.dataflow.read import LispressReader, read_dialogue, stored_turns

    reader = LispressReader(Schemas(options.schema).get(None, DEFAULT, "smcalflow"))
    wanted = "user" in options.wanted_speakers("user")

    def read(unit: Unit) -> Read:
        part = unit.parts[0]
        dialogue = read_dialogue(part.value, reader)
        turns = dialogue.turns if wanted else ()
        texts = tuple(text if isinstance(text, str) else None for text in stored_turns(part.value)[1]) if wanted else ()
        schemas, lines = (reader.schema,) * len(turns), (part.line,) * len(turns)
        return Read(Dialogue(dialogue.id, turns), schemas, lines=lines, texts=texts)

    def guarded(unit: Unit) -> Read:
        try:
            return read(unit)
        except CompileError as error:
            notes = losses(error.diagnostics)
            row = TurnRow(unit.dialogue or "", 0, "user", None, reader.schema.name, None, notes, unit.parts[0].value)
            return Read(Dialogue(unit.dialogue or "", (row,)), (None,), lines=(unit.parts[0].line,))

    return guarded


def _rows(options: Options) -> Callable[[Unit], Read]:
    from dlc.targets.dataflow.read import LispressReader

    schemas = Schemas(options.schema)
    readers: dict[int, LispressReader] = {}

    def opened(fields: dict[str, Any]) -> "tuple[Schema, ReadText]":
        schema = schemas.get(fields.get("schema"), DEFAULT, "dataflow")
        if id(schema) not in readers:
            readers[id(schema)] = LispressReader(schema)
        reader = readers[id(schema)]
        return schema, lambda text, _: reader.turn(text)

    return text_reader(opened, options.wanted_speakers("both"))


# ---------------------------------------------------------------- checking

_Programs = Iterator[tuple[int, int | None, str | None, str | Diagnostic]]


def _checked_rows(options: Options) -> Callable[[Unit], Iterator[Judged]]:
    return _checking(options, _row_programs)


def _checked_dialogues(options: Options) -> Callable[[Unit], Iterator[Judged]]:
    return _checking(options, _stored_programs)


def _row_programs(unit: Unit) -> _Programs:
    """Turn, line, schema and text of each row, or why it has no text."""
    for turn, part in numbered(unit):
        try:
            yield turn, part.line, part.value.get("schema"), text_of(part.value)
        except CompileError as error:
            yield turn, part.line, None, error.diagnostics[0]


def _stored_programs(unit: Unit) -> _Programs:
    """The same for the stored turns of a dialogue."""
    from dlc.targets.dataflow.read import stored_turns

    part = unit.parts[0]
    try:
        for index, text in enumerate(stored_turns(part.value)[1]):
            yield 2 * index, part.line, None, text
    except CompileError as error:
        yield 0, part.line, None, error.diagnostics[0]


def _checking(options: Options, programs: Callable[[Unit], _Programs]) -> Callable[[Unit], Iterator[Judged]]:
    from dlc.targets.dataflow.typed import Typist

    schemas = Schemas(options.schema)
    typists: dict[int, Typist] = {}

    def check(unit: Unit) -> Iterator[Judged]:
        for turn, line, named, text in programs(unit):
            place = Place(unit.file, unit.dialogue, turn if unit.dialogue is not None else None, line)
            if isinstance(text, Diagnostic):
                yield Judged(turn, line, None, None, (text.at(place),))
                continue
            try:
                schema = schemas.get(named, DEFAULT, "dataflow")
            except CompileError as error:
                yield Judged(turn, line, None, None, tuple(d.at(place, text) for d in error.diagnostics))
                continue
            if id(schema) not in typists:
                typists[id(schema)] = Typist(schema)
            result = typists[id(schema)].typed(text)
            found = tuple(d.at(place, text) for d in result.diagnostics)
            yield Judged(turn, line, result.type, result.text or None, found)

    return check
