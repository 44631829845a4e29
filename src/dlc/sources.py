"""The sources: what can be read. One entry each in SOURCES; a name stands there only when it works."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.grammar.errors import too_deep
from dlc.targets.rows import Dialogue, Mention, Note, TurnRow

from . import errors
from .inputs import Document
from .options import Options
from .row_files import row_units, text_of
from .schemas import Schemas
from .units import Broken, Part, Unit

if TYPE_CHECKING:
    from dlc.compiler.check import CheckedTurn, Checker
    from dlc.compiler.schema import Schema


@dataclass(frozen=True, slots=True)
class Read:
    """One unit, read. The other tuples run beside `dialogue.turns`; those left empty have nothing to say.

    parts: which program of a source's row this is, where a row has several. tokenized: whether ThingTalk was read in
    its tokenized syntax. texts: the programs that spans of the turns' notes count in.
    """

    dialogue: Dialogue
    schemas: "tuple[Schema | None, ...]"
    diagnostics: tuple[tuple[Diagnostic, ...], ...] = ()
    checked: "tuple[CheckedTurn | None, ...]" = ()
    lines: tuple[int | None, ...] = ()
    parts: tuple[str | None, ...] = ()
    tokenized: tuple[bool, ...] = ()
    texts: tuple[str | None, ...] = ()


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
    answers: whether its agents' turns say what was found, which rows at hand may decide.
    """

    suffixes: tuple[str, ...]
    units: Callable[[Document], Iterator[Unit | Broken]]
    reader: Callable[[Options], Callable[[Unit], Read]]
    sample: Callable[[], Document] | None = None
    check: Callable[[Options], Callable[[Unit], Iterator[Judged]]] | None = None
    answers: bool = False


def source(name: str) -> Source:
    """A source by name. Raises KeyError."""
    return SOURCES[name]()


# ---------------------------------------------------------------- MultiWOZ


def _multiwoz() -> Source:
    from .multiwoz_sources import multiwoz

    return multiwoz()


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

    program = text_of(part.value)
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
            spans_of(part) if len(result.turns) == 1 else (),
        )
        made.append((row, turn, turn.diagnostics))
    return made


def spans_of(part: Part) -> tuple[Mention, ...]:
    """The annotated spans that a row of `convert`'s output carries; what is none is passed over."""
    provenance = part.value.get("provenance")
    spans = provenance.get("spans") if isinstance(provenance, dict) else None
    found: list[Mention] = []
    for span in spans if isinstance(spans, list) else ():
        match span:
            case {
                "domain": str(of),
                "slot": str(slot),
                "start": int(start),
                "exclusive_end": int(end),
                "value": str(v),
            }:
                found.append(Mention(of, slot, start, end, v))
    return tuple(found)


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
