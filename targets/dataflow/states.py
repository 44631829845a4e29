"""DL turns that carry slot states as dataflow programs, dialogue by dialogue.

A state accumulates, a program says what changed: so a dialogue is written as a whole, by the published recipe
(`multiwoz`). Slots go by the recipe's names, `hotel-book-day` for `book.day` of the domain `hotel`; a service (SGD) is a
domain, and several ways to say a value are one text.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...compiler.schema import Schema
from ...compiler.terms import App, Term, Turn
from ..rows import Note, TurnRow, Written
from ..slots.requests import flat_text
from ..slots.services import NO_INTENT, has_services
from ..slots.sgd import ServiceMemo
from ..slots.sgd_write import write_services
from ..slots.states import Memo
from ..slots.trade import normalize_text, slot_name
from ..slots.write import write_slots
from . import errors
from .multiwoz import DOMAINS, Options, dataflow_programs
from .writer import write_program

_ACTS_IN_SLOTS: Final = "DLC213"


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the recipe looks at: the two texts of a turn and its state."""

    system: str
    user: str
    belief: Mapping[str, str]


class StateWriter:
    """Dialogues over one schema, by one setting of the recipe.

    normalize: texts are normalized as TRADE does before they are searched for values; else lower-cased.
    """

    def __init__(self, schema: Schema, options: Options, normalize: bool = False) -> None:
        self._memo = Memo(schema)
        self._services = ServiceMemo(schema) if has_services(schema) else None
        self._schema = schema
        self._options = options
        self._text = normalize_text if normalize else str.lower

    def fits(self, rows: Sequence[TurnRow]) -> bool:
        """Whether the user's turns are states: every statement queries or calls a domain or service of the schema."""
        domains: Collection[str] = self._memo.layout.by_owner
        if self._services is not None:
            domains = self._services.services.by_owner
        turns = [row.program for row in rows if row.program is not None and row.speaker == "user"]
        heads = [_innermost(statement.term) for turn in turns for statement in turn.statements]
        return bool(domains) and bool(turns) and all(head in domains for head in heads)

    def write(self, rows: Sequence[TurnRow]) -> list[Written | None]:
        """What is written for each row of a dialogue; None for the rows that are no user's turn with a state.

        Such rows change nothing: the next state is compared with the last one that could be read.
        """
        (self._services or self._memo).trim()
        written: list[Written | None] = [None] * len(rows)
        places: list[int] = []
        heard: list[_Heard] = []
        notes: list[tuple[Note, ...]] = []
        for i, row in enumerate(rows):
            if row.program is None or row.speaker != "user":
                continue
            belief, said = self._belief(row.program) if self._services is None else self._held(row.program)
            places.append(i)
            notes.append(said)
            heard.append(_Heard(self._text(_before(rows, i)), self._text(row.utterance or ""), belief))
        for i, said, program in zip(places, notes, dataflow_programs(heard, self._options), strict=True):
            written[i] = Written(write_program(program), said)
        return written

    def _belief(self, turn: Turn) -> tuple[dict[str, str], tuple[Note, ...]]:
        state = write_slots(turn, self._schema, self._memo)
        notes = [note for note in state.notes if note.code != _ACTS_IN_SLOTS]
        belief: dict[str, str] = {}
        for domain, parts in state.program.items():
            if not self._options.keep_all_domains and domain not in DOMAINS:
                notes.append(errors.domain_left_out(domain))
            for part, slots in parts.items():
                for slot, value in slots.items():
                    if slot == "booked" and part == "book":
                        notes.append(errors.result_left_out(domain))
                    else:
                        belief[slot_name(domain, part, slot)] = value
        if turn.acts:
            notes.append(errors.acts_beside())
        return belief, tuple(notes)

    def _held(self, turn: Turn) -> tuple[dict[str, str], tuple[Note, ...]]:
        """The same for states of services: their slots are what the recipe is about."""
        assert self._services is not None
        state = write_services(turn, self._services)
        notes = [note for note in state.notes if note.code != _ACTS_IN_SLOTS]
        belief: dict[str, str] = {}
        for service, held in state.program.items():
            belief |= {f"{service}-{slot}": flat_text(texts) for slot, texts in held["slots"].items()}
            wanted = [held["intent"]] if held["intent"] != NO_INTENT else []
            if wanted or held["requested"]:
                notes.append(errors.only_slots(service, [*wanted, *held["requested"]]))
        if turn.acts:
            notes.append(errors.acts_beside())
        return belief, tuple(notes)


def _before(rows: Sequence[TurnRow], index: int) -> str:
    """What the agent said right before a turn: in a row of its own, or kept beside the turn."""
    row = rows[index]
    if index and rows[index - 1].speaker == "agent" and rows[index - 1].turn == row.turn - 1:
        return rows[index - 1].utterance or ""
    return row.heard or ""


def _innermost(term: Term) -> str:
    """The table or action that a statement begins with."""
    while isinstance(term, App) and term.args:
        inner: Any = term.args[0]
        if not isinstance(inner, App):
            break
        term = inner
    return term.fn if isinstance(term, App) else ""
