"""Slot states by flat names, turn by turn, as DL turns: what changed is asked for, the rest stands confirmed.

For states that come without dialogue acts, such as those a dataflow dialogue holds.
"""

from collections.abc import Mapping
from typing import Any

from ...compiler.terms import Statement, Turn
from ..rows import Note
from . import notes as say
from .decide import Talk, asked_for
from .frames import State
from .multiwoz import statements_of, states_of
from .services import NO_INTENT
from .sgd import ServiceMemo, service_statements
from .states import DomainState, Memo

BOOK = "book-"


class StateReader:
    """The user's turns of one dialogue."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._talk = Talk()
        self._before: dict[str, DomainState] = {}
        self._metadata: dict[str, Any] = {}

    def turn(self, state: Mapping[str, Mapping[str, str]]) -> tuple[Turn, tuple[Note, ...]]:
        """The turn after which the state is `{domain: {slot: text}}`, slots named in lower case (`book-day`)."""
        metadata = nested(state, self._memo)
        after = states_of(metadata, self._metadata, self._before, self._memo)
        asked = asked_for(self._before, after, (), (), self._talk, self._memo.layout)
        self._before, self._metadata = after, metadata
        notes = tuple(note for domain in after.values() for note in domain.notes)
        return Turn("user", (), statements_of(after, asked, self._memo)), notes


class ServiceReader:
    """The user's turns of one dialogue over services: their slots, with no intent and nothing requested."""

    def __init__(self, memo: ServiceMemo) -> None:
        self._memo = memo
        self._names = {
            name.lower(): (name, {slot.lower(): slot for slot in service.all.slots})
            for name, service in memo.services.services.items()
        }

    def turn(self, state: Mapping[str, Mapping[str, str]]) -> tuple[Turn, tuple[Note, ...]]:
        """The turn after which the state is `{service: {slot: text}}`, services and slots named in lower case."""
        statements: list[Statement] = []
        notes: list[Note] = []
        for flat, slots in state.items():
            name, named = self._names.get(flat, (flat, {}))
            known = [f"{flat}.{slot}" for slot in named] or list(self._names)
            notes += [say.unknown_slot(f"{flat}.{slot}", known) for slot in slots if slot not in named]
            values = tuple((named[slot], texts_of(text)) for slot, text in slots.items() if slot in named)
            if values:
                said, own = service_statements(name, State(NO_INTENT, (), values), (), self._memo)
                statements += said
                notes += own
        return Turn("user", (), tuple(statements)), tuple(notes)


def flat_text(texts: tuple[str, ...] | list[str]) -> str:
    """Several ways to say a value as one text, `7 pm|evening 7`, as MultiWOZ has it; a bar in one is escaped."""
    return "|".join([text.replace("\\", "\\\\").replace("|", "\\|") for text in texts])


def texts_of(text: str) -> tuple[str, ...]:
    """Inverse of `flat_text`."""
    texts, escaped = [""], False
    for char in text:
        if escaped or char not in "\\|":
            texts[-1] += char
            escaped = False
        elif char == "|":
            texts.append("")
        else:
            escaped = True
    return (*texts[:-1], texts[-1] + "\\" * escaped)


def nested(state: Mapping[str, Mapping[str, str]], memo: Memo) -> dict[str, Any]:
    """A state under the layout's own names, in the layout's order: `{domain: {"semi": {…}, "book": {…}}}`.

    A slot or domain that the layout does not have keeps its flat name, for the reader to complain of.
    """
    made: dict[str, Any] = {}
    for name, slots in state.items():
        domain = memo.layout.domains.get(name)
        rest = dict(slots)
        parts: dict[str, dict[str, str]] = {"semi": {}, "book": {}}
        for path in domain.slots if domain is not None else ():
            part, _, slot = path.partition(".")
            value = rest.pop((BOOK if part == "book" else "") + slot.lower(), None)
            if value is not None:
                parts[part][slot] = value
        for flat, value in rest.items():
            part = "book" if flat.startswith(BOOK) else "semi"
            parts[part][flat.removeprefix(BOOK)] = value
        made[name] = parts
    return made
