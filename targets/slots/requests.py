"""Slot states by flat names, turn by turn, as DL turns: what changed is asked for, the rest stands confirmed.

For states that come without dialogue acts, such as those a dataflow dialogue holds.
"""

from collections.abc import Mapping
from typing import Any

from ...compiler.terms import Turn
from ..rows import Note
from .decide import Talk, asked_for
from .multiwoz import statements_of, states_of
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
