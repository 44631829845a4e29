"""The sources `thingtalk` (rows of programs) and `multiwoz3` (four-column files of contexts and targets)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.grammar.errors import too_deep
from dlc.targets.rows import Dialogue, Note, TurnRow

from . import errors
from .errors import InputFailure
from .inputs import Document
from .options import Options
from .row_files import numbered_lines, row_units, text_of
from .schemas import Schemas
from .sources import Read, Source
from .units import Broken, Part, Unit

if TYPE_CHECKING:
    from dlc.compiler.check import CheckedTurn, Checker
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn
    from dlc.targets.thingtalk.beyond import Beyond
    from dlc.targets.thingtalk.read import ThingTalkReader

DEFAULT = "multiwoz"
NO_CONTEXT = "null"

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# Only the tokenized syntax has spaces around the dot between a class and what is in it.
_SPACED_CLASS = re.compile(r"@[A-Za-z_][A-Za-z0-9_.-]* \. [A-Za-z_]")
_ACT = re.compile(r"\s*\$dialogue\s+@[A-Za-z_][A-Za-z0-9_.-]*?\s*\.\s*([A-Za-z_]+)\s*[;(]")
_NAME = re.compile(r"(?P<dialogue>[^/\t]+)/(?P<turn>[0-9]{1,6})\Z", re.ASCII)

Speaker = Literal["user", "agent"]


def thingtalk() -> Source:
    """Programs, one a line (`//` starts a comment), or JSON rows; the syntax is told apart row by row."""
    return Source((".tt", ".jsonl"), lambda document: row_units(document, "//"), _rows)


def multiwoz3() -> Source:
    """Lines of name, context, utterance and target, separated by tabs, the programs tokenized."""
    return Source((".tsv",), _lines_of_four, _pairs)


def is_tokenized(text: str) -> bool:
    """Whether a program is written in the tokenized syntax; a text that shows neither counts as normal."""
    return bool(_SPACED_CLASS.search(_STRING.sub('""', text)))


# ---------------------------------------------------------------- one program


@dataclass
class _Programs:
    """Reads and checks programs; readers and checkers are kept for each schema of a run."""

    schemas: Schemas
    readers: "dict[int, tuple[ThingTalkReader, Checker]]" = field(default_factory=dict)

    def read(self, text: str, schema: "Schema", speaker: Speaker, tokenized: bool) -> "CheckedTurn":
        """The turn of a program with what the checker says of it. Raises CompileError."""
        from dlc.compiler.check import Checker
        from dlc.targets.thingtalk.read import ThingTalkReader

        known = self.readers.get(id(schema))
        if known is None:
            # ThingTalk's acts are its own: that a schema declares others says nothing about the row.
            known = self.readers[id(schema)] = ThingTalkReader(schema), Checker(schema, acts=False)
        reader, checker = known
        try:
            checked = checker.check_turn(reader.read(text, speaker, tokenized))
        except RecursionError:
            raise CompileError(too_deep(errors.whole(text))) from None
        if not checked.diagnostics:
            return checked
        from dlc.targets.thingtalk.locate import located
        from dlc.targets.thingtalk.read_text import Source as Text

        def check(turn: "Turn") -> tuple[Diagnostic, ...]:
            return checker.check_turn(turn).diagnostics

        return replace(checked, diagnostics=located(Text(text, tokenized), checked.diagnostics, reader, speaker, check))

    def outside(
        self, error: CompileError, text: str, schema: "Schema", speaker: Speaker, tokenized: bool
    ) -> CompileError:
        """What is said of a program; of one outside DL the type errors in it, too."""
        if not _outside(error):
            return error
        from dlc.targets.thingtalk.check_programs import check_thingtalk

        try:
            return CompileError(*error.diagnostics, *check_thingtalk(text, schema, speaker, tokenized))
        except RecursionError:
            return CompileError(*error.diagnostics, too_deep(errors.whole(text)))

    def beyond(self, text: str, schema: "Schema", speaker: Speaker, tokenized: bool) -> "tuple[CheckedTurn, Beyond]":
        """The turn of a program outside DL, in canonical form, with what the checker says of it. Raises CompileError."""
        from dlc.compiler.check import Checker
        from dlc.targets.thingtalk.beyond import read_beyond

        try:
            made = read_beyond(text, schema, speaker, tokenized)
            return replace(Checker(made.schema, acts=False).check_turn(made.read), turn=made.turn), made
        except RecursionError:
            raise CompileError(too_deep(errors.whole(text))) from None


@dataclass
class _Table:
    """The columns of a Read, filled row by row."""

    unit: Unit
    rows: list[TurnRow] = field(default_factory=list)
    schemas: "list[Schema | None]" = field(default_factory=list)
    found: list[tuple[Diagnostic, ...]] = field(default_factory=list)
    checked: "list[CheckedTurn | None]" = field(default_factory=list)
    lines: list[int | None] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    tokenized: list[bool] = field(default_factory=list)

    def add(
        self, turn: int, speaker: Speaker, utterance: str | None, schema: "Schema | None", line: int | None,
        text: str, source: object, part: str | None, tokenized: bool, result: "CheckedTurn | CompileError",
        beyond: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """One row. source: what a rejects file shows of it. beyond: what in it is outside DL."""
        ok = not isinstance(result, CompileError) and result.ok
        dialogue = self.unit.dialogue
        place = Place(self.unit.file, _bare(dialogue) or None, turn if dialogue is not None else None, line)
        found = result.diagnostics
        notes = tuple(Note(d.code, d.message, d.span, loss=d.severity == "error") for d in found)
        notes += tuple(Note("DLC225", f"{what} is outside DL: written as it is, in ThingTalk") for what in beyond)
        program = result.turn if ok and not isinstance(result, CompileError) else None
        name = schema.name if schema is not None else ""
        self.rows.append(TurnRow(_bare(dialogue), turn, speaker, utterance, name, program, notes, source))
        self.schemas.append(schema)
        self.found.append(tuple(d if d.place.file is not None else d.at(place, text) for d in found))
        self.checked.append(None if isinstance(result, CompileError) else result)
        self.lines.append(line)
        self.parts.append(part)
        self.tokenized.append(tokenized)

    def read(self) -> Read:
        """Everything added."""
        return Read(
            Dialogue(_bare(self.unit.dialogue), tuple(self.rows)),
            tuple(self.schemas),
            tuple(self.found),
            tuple(self.checked),
            tuple(self.lines),
            tuple(self.parts),
            tuple(self.tokenized),
        )


def _bare(dialogue: str | None) -> str:
    return dialogue.removesuffix(".json") if dialogue is not None else ""


# ---------------------------------------------------------------- rows


def _rows(options: Options) -> Callable[[Unit], Read]:
    programs = _Programs(Schemas(options.schema))
    wanted = options.wanted_speakers("both")

    def read(unit: Unit) -> Read:
        table = _Table(unit)
        following = 0
        for part in unit.parts:
            fields = part.value
            given, program = fields.get("turn"), fields["program"]
            turn = following if given is None else given
            following = turn + 1
            text = program if isinstance(program, str) else ""
            speaker: Speaker = fields.get("speaker") or _speaker(text)
            if speaker not in wanted:
                continue
            schema: Schema | None = None
            tokenized = is_tokenized(text)
            result: CheckedTurn | CompileError
            found: tuple[str, ...] = ()
            try:
                schema = programs.schemas.get(fields.get("schema"), DEFAULT, "thingtalk")
                # With its values filled in: what is found is shown in that text.
                text = _filled(text_of(fields), fields.get("entities"), tokenized)
                result = programs.read(text, schema, speaker, tokenized)
            except CompileError as error:
                result = error
            if not options.beyond and isinstance(result, CompileError) and schema is not None:
                result = programs.outside(result, text, schema, speaker, tokenized)
            elif isinstance(result, CompileError) and schema is not None and _outside(result):
                try:
                    result, made = programs.beyond(text, schema, speaker, tokenized)
                    schema, found = made.schema, made.found
                except CompileError as error:
                    result = error
            said, whence = fields.get("utterance"), fields.get("part")
            table.add(turn, speaker, said, schema, part.line, text, part.text, whence, tokenized, result, found)
        return table.read()

    return read


def _outside(error: CompileError) -> bool:
    return all(d.code == "DLC225" for d in error.diagnostics)


def _filled(text: str, entities: object, tokenized: bool) -> str:
    """A program with the values its row gives for its placeholders. Raises CompileError."""
    if entities is None or not tokenized:
        return text
    from dlc.targets.thingtalk.entities import ValueFault, filled
    from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError
    from dlc.targets.thingtalk.print_programs import to_text
    from dlc.targets.thingtalk.programs import parse

    if not isinstance(entities, dict):
        raise CompileError(errors.bad_row(Place(), f"`entities` is {type(entities).__name__}, not an object"))
    try:
        return to_text(filled(parse(text, True), entities), True)
    except ThingTalkSyntaxError:
        # Said where the program is read.
        return text
    except ValueFault as fault:
        raise CompileError(errors.bad_row(Place(), f"`entities`: {fault}")) from None


def _speaker(text: str) -> Speaker:
    """Whose program it is, by its act: those of an agent begin with `sys_`."""
    match = _ACT.match(text)
    return "agent" if match is not None and match.group(1).startswith("sys_") else "user"


# ---------------------------------------------------------------- contexts and targets


def _lines_of_four(document: Document) -> Iterator[Unit | Broken]:
    """Each line is a unit by itself: [context, utterance, target] under the dialogue's name. Raises InputFailure."""
    empty = True
    for line, raw in numbered_lines(document):
        if not raw.strip():
            continue
        empty = False
        place = Place(document.name, line=line)
        try:
            text = raw.decode("utf-8").rstrip("\r").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            yield Broken(
                errors.not_unicode(place, f"at byte {error.start + 1} of the line"), raw.decode("utf-8", "replace")
            )
            continue
        columns = text.split("\t")
        if len(columns) != 4:
            why = f"a row has four columns (name, context, utterance, target); this one has {len(columns)}"
            yield Broken(errors.bad_row(place, why), text)
            continue
        match = _NAME.match(columns[0])
        if match is None:
            yield Broken(errors.bad_row(place, "the first column is no name of a turn (DIALOGUE/NUMBER)"), text)
            continue
        value = {"row": int(match["turn"]), "columns": columns[1:]}
        yield Unit(document.name, match["dialogue"], (Part(line, value, text),))
    if empty:
        raise InputFailure(errors.empty_input(document.name))


def _pairs(options: Options) -> Callable[[Unit], Read]:
    programs = _Programs(Schemas(options.schema))
    schema = programs.schemas.get(None, DEFAULT, "multiwoz3")
    wanted = options.wanted_speakers("both")

    def tried(text: str, speaker: Speaker, what: str) -> "CheckedTurn | CompileError":
        try:
            if _ACT.match(text) and _speaker(text) != speaker and (speaker == "user" or _is_users(text, schema)):
                raise CompileError(errors.bad_row(Place(), f"the {what} is not a turn of the {speaker}"))
            return programs.read(text, schema, speaker, True)
        except CompileError as error:
            return programs.outside(error, text, schema, speaker, True)

    def read(unit: Unit) -> Read:
        part = unit.parts[0]
        context, utterance, target = part.value["columns"]
        speaker = _side(unit.file) or _speaker(target)
        other: Speaker = "agent" if speaker == "user" else "user"
        # The k-th row of either side of a dialogue; an agent's first turn is number 1, after the user's number 0.
        turn = max(2 * part.value["row"] - (speaker == "agent"), 0)
        table = _Table(unit)
        if speaker in wanted:
            if context != NO_CONTEXT:
                result = tried(context, other, "context")
                table.add(turn, other, None, schema, part.line, context, part.text, "context", True, result)
            result = tried(target, speaker, "target")
            table.add(turn, speaker, utterance, schema, part.line, target, part.text, "target", True, result)
        return table.read()

    return read


def _side(file: str) -> Speaker | None:
    """Whose turns a file holds, if its name says so: `train.user.tsv`."""
    for part in reversed(re.split(r"[./:\\]", file)):
        if part in ("user", "agent"):
            return "user" if part == "user" else "agent"
    return None


def _is_users(text: str, schema: "Schema") -> bool:
    """Whether only users say the act of a program."""
    from dlc.compiler.schema import fact

    match = _ACT.match(text)
    said = match.group(1) if match is not None else ""
    by = {speaker for (speaker, _), act in schema.act.items() if fact(act.facts, "thingtalk") == said}
    return by == {"user"}
