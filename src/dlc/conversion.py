"""From units to output rows: the same for every source and target, one process or many."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place, Severity
from dlc.targets.rows import Mention, Note, TurnRow, Written, status_of

from . import errors
from .errors import NOWHERE, InputFailure
from .inputs import Document, find
from .options import Options
from .requests import Requests
from .sinks import WITHOUT_REFERENCES, WITHOUT_TYPES, DialogueWriter, Writer, dialogue_writer, writer
from .sources import Read, Source, source
from .units import Broken, Unit

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

    from .entity_lookup import Lookup


class RowNote(TypedDict):
    """One note of an output row. `span`: characters [start, end) of the source's program text, or None."""

    code: str
    message: str
    span: list[int] | None


class Spanned(TypedDict):
    """A slot's value in the utterance, as the source annotates it: characters [start, exclusive_end)."""

    domain: str
    slot: str
    start: int
    exclusive_end: int
    value: str


class Provenance(TypedDict):
    """What a source annotates beside its programs."""

    spans: list[Spanned]


class OutputRow(TypedDict):
    """One line of `dlc convert`'s output. `dialogue_id` and `turn` are None only where the source has none.

    part: only where a row of the source holds several programs, "context" and "target".
    heard: what the agent said right before, in DL rows whose dialogue is without the agent's turns.
    provenance: only where the source annotates spans.
    """

    dialogue_id: str | None
    turn: int | None
    speaker: str | None
    utterance: str | None
    lang: str
    schema: str | None
    program: Any
    status: Literal["exact", "approximate", "rejected"]
    notes: list[RowNote]
    part: NotRequired[str]
    entities: NotRequired[dict[str, Any]]
    heard: NotRequired[str]
    provenance: NotRequired[Provenance]


@dataclass(frozen=True, slots=True)
class Converted:
    """One output row, what to tell the user about it, and the source's own text or object if it was rejected."""

    row: OutputRow
    diagnostics: tuple[Diagnostic, ...] = ()
    place: Place = NOWHERE
    source: Any = None


Made: TypeAlias = "tuple[Converted, TurnRow | None, Schema | None]"
"""A row with what it was made of; None for what could not be cut out of its file."""


class Converter:
    """Reads units of one source and writes their turns for one target. One a process; keeps the memos."""

    def __init__(self, source_name: str, target: str, options: Options) -> None:
        self.target = target
        opened = source(source_name)
        self._read = opened.reader(options)
        self._syntax = options.syntax
        self._dialect = options.dialect
        self._options = options
        self._requests = Requests(options)
        self._answers = opened.answers
        self._dialogues: dict[int, DialogueWriter | None] = {}
        self._writers: dict[tuple[int, bool], Writer] = {}
        self._names: Lookup | None = None

    def convert(self, unit: Unit | Broken) -> list[Converted]:
        """The rows of one unit, in order. Raises InputFailure for a fault of dlc itself, naming the dialogue."""
        return [converted for converted, _, _ in self.convert_turns(unit)]

    def convert_turns(self, unit: Unit | Broken) -> list[Made]:
        """`convert`, and what each row was made of."""
        if isinstance(unit, Broken):
            return [(self._broken(unit), None, None)]
        try:
            read = self._named(self._read(unit))
            if self.target in WITHOUT_REFERENCES:
                read = self._requests.plain(read)
            else:
                read = self._requests.untyped(read)
            written = self._as_dialogue(read)
            turns = zip(read.dialogue.turns, read.schemas, strict=True)
            return [(self._row(unit, read, i, written[i]), turn, schema) for i, (turn, schema) in enumerate(turns)]
        except (CompileError, InputFailure):
            raise
        except Exception as error:
            place = Place(unit.file, unit.dialogue, line=unit.parts[0].line)
            raise InputFailure(errors.internal(place, f"{type(error).__name__}: {error}")) from error

    def _named(self, read: Read) -> Read:
        """What was read, if there are rows to look in: entities with the keys of their rows, and where a source has
        what agents found, outcomes as the rows decide them.
        """
        if not self._options.data:
            return read
        if self._names is None:
            from .entity_lookup import Lookup

            self._names = Lookup(self._options.data)
        named = self._names.read(read)
        return self._names.decided(named) if self._answers else named

    def _as_dialogue(self, read: Read) -> list[Written | None]:
        """What a writer of whole dialogues makes of the turns; None where each is written by itself.

        Several programs of one row (`part`) are no dialogue: each is written as one of its own.
        """
        rows = read.dialogue.turns
        schemas = {id(schema): schema for schema in read.schemas if schema is not None}
        if len(schemas) != 1:
            return [None] * len(rows)
        schema = next(iter(schemas.values()))
        if id(schema) not in self._dialogues:
            self._dialogues[id(schema)] = dialogue_writer(self.target, schema, self._options)
        write = self._dialogues[id(schema)]
        if write is None:
            return [None] * len(rows)
        if any(part is not None for part in read.parts):
            return [made for row in rows for made in write((row,))]
        return write(rows)

    def _row(self, unit: Unit, read: Read, index: int, known: Written | None) -> Converted:
        turn, schema = read.dialogue.turns[index], read.schemas[index]
        line = read.lines[index] if read.lines else None
        place = Place(unit.file, read.dialogue.id or None, turn.turn if read.dialogue.id else None, line)
        text = read.texts[index] if read.texts else None
        told = read.diagnostics[index] if read.diagnostics else ()
        checked = read.checked[index] if read.checked else None
        if turn.program is None and checked is not None and self.target in WITHOUT_TYPES:
            # What does not fit the schema is told, and written nevertheless.
            turn = replace(turn, program=checked.turn, notes=tuple(replace(n, loss=False) for n in turn.notes))
        if known is not None:
            written = known
        elif turn.program is None or schema is None:
            written = Written(None, ())
        elif self.target == "slots" and turn.speaker == "agent" and not (read.parts and read.parts[index]):
            from dlc.targets.slots.write import without_state

            written = without_state(turn.program)
        else:
            as_read = bool(read.tokenized) and read.tokenized[index]
            tokenized = as_read if self._syntax is None else self._syntax == "tokenized"
            write = self._writers.get((id(schema), tokenized))
            if write is None:
                write = self._writers[id(schema), tokenized] = writer(
                    self.target, schema, tokenized, self._dialect, self._options.delexicalize
                )
            written = write(turn.program)
        status = status_of(written, turn.notes)
        notes = [*turn.notes, *written.notes]
        row: OutputRow = {
            "dialogue_id": read.dialogue.id or None,
            "turn": turn.turn,
            "speaker": turn.speaker,
            "utterance": turn.utterance,
            "lang": self.target,
            "schema": turn.schema or None,
            "program": written.program,
            "status": status,
            "notes": [_note_json(note) for note in notes],
        }
        if written.entities is not None:
            row["entities"] = dict(written.entities)
        part = read.parts[index] if read.parts else None
        if part is not None:
            row["part"] = part
        if turn.heard is not None and self.target == "dl":
            row["heard"] = turn.heard
        if turn.mentions:
            row["provenance"] = {"spans": [_spanned(mention) for mention in turn.mentions]}
        reports = (*told, *_reports(turn, written, status, place, told, text))
        return Converted(row, reports, place, turn.provenance if status == "rejected" else None)

    def _broken(self, broken: Broken) -> Converted:
        diagnostic = broken.diagnostic
        place = diagnostic.place
        dialogue = place.dialogue.removesuffix(".json") if place.dialogue is not None else None
        row: OutputRow = {
            "dialogue_id": dialogue,
            "turn": place.turn,
            "speaker": None,
            "utterance": None,
            "lang": self.target,
            "schema": None,
            "program": None,
            "status": "rejected",
            "notes": [{"code": diagnostic.code, "message": diagnostic.message, "span": None}],
        }
        return Converted(row, (diagnostic,), place, broken.text)


def _spanned(mention: Mention) -> Spanned:
    return {
        "domain": mention.domain,
        "slot": mention.slot,
        "start": mention.start,
        "exclusive_end": mention.end,
        "value": mention.text,
    }


def _note_json(note: Note) -> RowNote:
    span = [note.span.start, note.span.end] if note.span is not None else None
    return {"code": note.code, "message": note.message, "span": span}


def _reports(
    turn: TurnRow, written: Written, status: str, place: Place, told: tuple[Diagnostic, ...], text: str | None
) -> Iterator[Diagnostic]:
    """What the user hears beside the row: why it was rejected, and data that contradicts the schema.

    What a target cannot say is in the row's notes only: it is a property of the pair of languages.
    """
    known = {(d.code, d.message) for d in told}
    for note in turn.notes if status != "rejected" else (*turn.notes, *written.notes):
        if (note.code, note.message) not in known and (note.loss or status == "rejected"):
            # A lint of a turn that was read well is not why its target rejects it.
            lint = turn.program is not None and not note.loss and note in turn.notes
            severity: Severity = "warning" if lint else "error"
            shown = text if note in turn.notes else None
            yield Diagnostic(note.code, note.message, note.span, severity=severity, place=place, text=shown)


def read_diagnostics(read: Read) -> Iterator[Diagnostic]:
    """Why turns of a unit could not be read."""
    for i, turn in enumerate(read.dialogue.turns):
        if turn.program is None:
            told = read.diagnostics[i] if read.diagnostics else ()
            text = read.texts[i] if read.texts else None
            yield from told
            yield from _reports(turn, Written(None, ()), "rejected", NOWHERE, told, text)


def units(opened: Source, paths: list[str], on_failure: Callable[[Diagnostic], None]) -> Iterator[Unit | Broken]:
    """The units of all inputs in order. A file that cannot be read goes to `on_failure`; the others follow.

    A file of another layout that was found in a folder or archive is passed over with a warning; if nothing else is found
    there either, that is a failure.
    """
    passed, empty = False, True
    sample = opened.sample
    documents: Iterator[Document | Diagnostic]
    documents = iter((sample(),)) if not paths and sample is not None else find(paths, opened.suffixes)
    for document in documents:
        if isinstance(document, Diagnostic):
            on_failure(document)
            continue
        try:
            for unit in opened.units(document):
                empty = False
                yield unit
        except InputFailure as failure:
            found = failure.diagnostic
            passed_over = found.code == "DLC360" and not document.sought
            passed = passed or passed_over
            on_failure(replace(found, severity="warning") if passed_over else found)
    if passed and empty:
        on_failure(errors.no_data_file(paths[0], opened.suffixes))
