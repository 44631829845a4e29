"""What passes between readers and writers: turns with their notes, and what a conversion says it did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..compiler.terms import Turn
from ..grammar.span import Span

Status = Literal["exact", "approximate", "rejected"]


@dataclass(frozen=True, slots=True)
class Note:
    """One thing a reader or writer has to say about a turn.

    code: DLC2xx (conversion) or DLC3xx (data). `loss` notes make the row `approximate`; the others
    (a kept raw value, say) are lints. `part` names what it is about, in the source's own words.
    """

    code: str
    message: str
    span: Span | None = None
    loss: bool = False
    part: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a corpus says that a slot's value stands in the utterance: characters [start, end), and the text there."""

    domain: str
    slot: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn of a corpus, read into DL. `program` is None if the reader had to reject the turn.

    turn: 0-based position of the utterance, both speakers counted. `schema` names the schema (the
    database, for SQL). `provenance` is the source's own row, for the rejects. mentions: annotated spans.
    heard: what the other speaker said right before, where that turn is not among the dialogue's rows.
    """

    dialogue_id: str
    turn: int
    speaker: Literal["user", "agent"]
    utterance: str | None
    schema: str
    program: Turn | None
    notes: tuple[Note, ...] = ()
    provenance: Any = None
    heard: str | None = None
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One dialogue of a corpus."""

    id: str
    turns: tuple[TurnRow, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer made of a turn: text (an object for `slots`), or None with a rejecting note.

    entities: what the program's placeholders stand for, where constants were taken out of it.
    """

    program: Any
    notes: tuple[Note, ...] = ()
    entities: Mapping[str, Any] | None = None


def status_of(written: Written, read_notes: tuple[Note, ...] = ()) -> Status:
    """`rejected` without a program, `approximate` if any note tells of a loss, else `exact`."""
    if written.program is None:
        return "rejected"
    return "approximate" if any(n.loss for n in (*read_notes, *written.notes)) else "exact"
