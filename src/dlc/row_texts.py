"""Rows of a neighbour's language that is text, one program each, read the same way whatever the language."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Literal

from dlc.grammar.diagnostic import CompileError, Diagnostic
from dlc.targets.rows import Dialogue, Note, TurnRow

from .row_files import text_of
from .sources import Read
from .units import Unit, numbered

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn

Speaker = Literal["user", "agent"]
ReadText = Callable[[str, Speaker], "tuple[Turn | None, tuple[Note, ...]]"]
"""A program's turn and its notes. Raises CompileError."""


def text_reader(
    opened: "Callable[[dict[str, Any]], tuple[Schema, ReadText]]", wanted: Collection[str]
) -> Callable[[Unit], Read]:
    """Reads the rows of a unit. opened: the schema that a row's fields name, and what reads programs over it; raises
    CompileError. wanted: the speakers whose rows are given."""

    def read(unit: Unit) -> Read:
        rows: list[TurnRow] = []
        used: list[Schema | None] = []
        lines: list[int | None] = []
        texts: list[str | None] = []
        for turn, part in numbered(unit):
            fields = part.value
            speaker: Speaker = fields.get("speaker") or "user"
            schema: Schema | None = None
            try:
                schema, read_text = opened(fields)
                program, notes = read_text(text_of(fields), speaker)
            except CompileError as error:
                program, notes = None, losses(error.diagnostics)
            if speaker in wanted:
                name = schema.name if schema is not None else ""
                said = fields.get("utterance")
                rows.append(TurnRow(unit.dialogue or "", turn, speaker, said, name, program, notes, part.text))
                used.append(schema)
                lines.append(part.line)
                texts.append(fields["program"] if isinstance(fields["program"], str) else None)
        dialogue = Dialogue(unit.dialogue or "", tuple(rows))
        return Read(dialogue, tuple(used), lines=tuple(lines), texts=tuple(texts))

    return read


def losses(diagnostics: tuple[Diagnostic, ...]) -> tuple[Note, ...]:
    """What is wrong with a program, as the notes of a row that lost it."""
    return tuple(Note(d.code, d.message, d.span, loss=True) for d in diagnostics)
