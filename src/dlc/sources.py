"""The sources: what can be read. One entry each in SOURCES; a name stands there only when it works."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.grammar.errors import too_deep
from dlc.targets.rows import Dialogue, Note, TurnRow

from . import errors
from .errors import InputFailure
from .inputs import CHUNK, Document
from .json_documents import json_units
from .options import Options
from .row_files import row_units
from .schemas import Schemas
from .units import Broken, Part, Unit

if TYPE_CHECKING:
    from dlc.compiler.check import CheckedTurn, Checker
    from dlc.compiler.schema import Schema


@dataclass(frozen=True, slots=True)
class Read:
    """One unit, read. The other tuples run beside `dialogue.turns`; those left empty have nothing to say.

    parts: which program of a source's row this is, where a row has several. tokenized: whether ThingTalk was read in
    its tokenized syntax.
    """

    dialogue: Dialogue
    schemas: "tuple[Schema | None, ...]"
    diagnostics: tuple[tuple[Diagnostic, ...], ...] = ()
    checked: "tuple[CheckedTurn | None, ...]" = ()
    lines: tuple[int | None, ...] = ()
    parts: tuple[str | None, ...] = ()
    tokenized: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """One turn, type-checked in its own language: its type and its text with types, as far as it has them."""

    turn: int
    line: int | None
    type: str | None
    typed: str | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """How a source is cut and read.

    reader: called once a process, so that what it memoizes is shared by the run.
    sample: the document read if no path is given.
    check: type-checks the turns of a unit where a source has a typed form of its own; else they are checked as DL.
    """

    suffixes: tuple[str, ...]
    units: Callable[[Document], Iterator[Unit | Broken]]
    reader: Callable[[Options], Callable[[Unit], Read]]
    sample: Callable[[], Document] | None = None
    check: Callable[[Options], Callable[[Unit], Iterator[Judged]]] | None = None


def source(name: str) -> Source:
    """A source by name. Raises KeyError."""
    return SOURCES[name]()


# ---------------------------------------------------------------- MultiWOZ


def _multiwoz() -> Source:
    return Source((".json",), _multiwoz_units, _multiwoz_reader, _multiwoz_sample)


def _multiwoz_units(document: Document) -> Iterator[Unit | Broken]:
    first = True
    for unit in json_units(document, "log"):
        if first and isinstance(unit, Unit):
            value = unit.parts[0].value
            if unit.dialogue is None or not isinstance(value, dict) or not ("log" in value or "goal" in value):
                why = "this is no file of dialogues: an object {name: {goal, log}} is expected"
                raise InputFailure(errors.unknown_layout(Place(document.name), why))
            first = False
        yield unit


def _multiwoz_sample() -> Document:
    def chunks() -> Iterator[bytes]:
        with files("dlc").joinpath("data", "multiwoz_sample.json").open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    return Document("multiwoz_sample.json", chunks)


def _multiwoz_reader(options: Options) -> Callable[[Unit], Read]:
    from dlc.targets.slots.multiwoz import read_multiwoz
    from dlc.targets.slots.states import Memo

    schema = Schemas(options.schema).get(None, "multiwoz", "multiwoz")
    memo = Memo(schema)
    speakers = options.wanted_speakers("user")
    normalize = options.normalize == "trade@1"

    def read(unit: Unit) -> Read:
        part = unit.parts[0]
        name = unit.dialogue if unit.dialogue is not None else ""
        value = _trade_normalized(part.value) if normalize else part.value
        dialogue = read_multiwoz(name, value, schema, memo, speakers)
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


# ---------------------------------------------------------------- SGD


def _sgd() -> Source:
    from .sgd_sources import sgd

    return sgd()


# ---------------------------------------------------------------- slots


def _slots() -> Source:
    from .slots_source import slots

    return slots()


# ---------------------------------------------------------------- DL


def _dl() -> Source:
    return Source((".dl", ".jsonl"), lambda document: row_units(document, "--"), _dl_reader)


def _dl_reader(options: Options) -> Callable[[Unit], Read]:
    from dlc.compiler.check import Checker

    schemas = Schemas(options.schema)
    checkers: dict[int, Checker] = {}
    wanted = options.wanted_speakers("both")

    def checker_of(schema: "Schema") -> Checker:
        return checkers.setdefault(id(schema), Checker(schema))

    def read(unit: Unit) -> Read:
        rows: list[TurnRow] = []
        found: list[tuple[Diagnostic, ...]] = []
        used: list[Schema | None] = []
        checked: list[CheckedTurn | None] = []
        lines: list[int | None] = []
        which: list[str | None] = []
        following = 0
        for part in unit.parts:
            first = part.value.get("turn")
            first = following if first is None else first
            schema: Schema | None = None
            try:
                schema = schemas.get(part.value.get("schema"), None, "dl")
                made = _dl_row(unit, part, first, schema, checker_of(schema))
            except CompileError as error:
                made = [(_rejected(unit, part, first, error.diagnostics), None, error.diagnostics)]
            for row, turn, diagnostics in made:
                following = row.turn + 1
                if row.speaker in wanted:
                    rows.append(row)
                    used.append(schema)
                    checked.append(turn)
                    lines.append(part.line)
                    which.append(part.value.get("part"))
                    place = Place(unit.file, unit.dialogue, row.turn if unit.dialogue is not None else None, part.line)
                    program = part.value.get("program")
                    text = program if isinstance(program, str) else None
                    found.append(tuple(d if d.place.file is not None else d.at(place, text) for d in diagnostics))
        dialogue = Dialogue(unit.dialogue or "", tuple(rows))
        return Read(dialogue, tuple(used), tuple(found), tuple(checked), tuple(lines), tuple(which))

    return read


def _dl_row(
    unit: Unit, part: Part, first: int, schema: "Schema", checker: "Checker"
) -> "list[tuple[TurnRow, CheckedTurn | None, tuple[Diagnostic, ...]]]":
    """The turns of one row's program. Raises CompileError."""
    from dlc.compiler.pipeline import compile_program

    program = part.value["program"]
    if program is None:
        raise CompileError(errors.rejected_before(Place()))
    if not isinstance(program, str):
        raise CompileError(errors.bad_row(Place(), f"`program` is {type(program).__name__}, not text"))
    try:
        result = compile_program(program, checker)
    except RecursionError:
        raise CompileError(too_deep(errors.whole(program))) from None
    if not result.turns:
        raise CompileError(*(result.diagnostics or (errors.bad_row(Place(), "the program has no turn"),)))
    made: list[tuple[TurnRow, CheckedTurn | None, tuple[Diagnostic, ...]]] = []
    for i, turn in enumerate(result.turns):
        notes = tuple(_note(d) for d in turn.diagnostics)
        row = TurnRow(
            unit.dialogue or "",
            first + i,
            turn.turn.speaker,
            part.value.get("utterance"),
            schema.name,
            turn.turn if turn.ok else None,
            notes,
            part.text,
            part.value.get("heard"),
        )
        made.append((row, turn, turn.diagnostics))
    return made


def _rejected(unit: Unit, part: Part, turn: int, diagnostics: tuple[Diagnostic, ...]) -> TurnRow:
    speaker = part.value.get("speaker")
    if speaker is None:
        program = part.value.get("program")
        speaker = "agent" if isinstance(program, str) and program.lstrip().startswith("agent") else "user"
    notes = tuple(_note(d) for d in diagnostics)
    utterance, schema = part.value.get("utterance"), part.value.get("schema")
    return TurnRow(unit.dialogue or "", turn, speaker, utterance, schema or "", None, notes, part.text)


def _note(diagnostic: Diagnostic) -> Note:
    return Note(diagnostic.code, diagnostic.message, diagnostic.span, loss=diagnostic.severity == "error")


# ---------------------------------------------------------------- Lispress


def _smcalflow() -> Source:
    from .dataflow_sources import smcalflow

    return smcalflow()


def _dataflow() -> Source:
    from .dataflow_sources import dataflow

    return dataflow()


# ---------------------------------------------------------------- ThingTalk


def _thingtalk() -> Source:
    from .thingtalk_sources import thingtalk

    return thingtalk()


def _multiwoz3() -> Source:
    from .thingtalk_sources import multiwoz3

    return multiwoz3()


# ---------------------------------------------------------------- SQL


def _cosql() -> Source:
    from .sql_sources import cosql

    return cosql()


def _sparc() -> Source:
    from .sql_sources import sparc

    return sparc()


def _spider() -> Source:
    from .sql_sources import spider

    return spider()


def _sql() -> Source:
    from .sql_sources import sql

    return sql()


# The names that docs/cli.md lists. A loader imports what it needs when it is called.
SOURCES: Mapping[str, Callable[[], Source]] = {
    "multiwoz": _multiwoz,
    "multiwoz3": _multiwoz3,
    "sgd": _sgd,
    "smcalflow": _smcalflow,
    "slots": _slots,
    "dl": _dl,
    "thingtalk": _thingtalk,
    "dataflow": _dataflow,
    "cosql": _cosql,
    "sparc": _sparc,
    "spider": _spider,
    "sql": _sql,
}
