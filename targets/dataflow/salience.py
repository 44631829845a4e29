"""Which earlier value a bare `(refer (Constraint[Slot]))` means, for MultiWOZ as dataflow.

Source: section 6 of the dataflow paper and its conversion script, `multiwoz/salience_model.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeAlias

Trace: TypeAlias = Mapping[str, Sequence[str | None]]
"""For each slot name without its domain ("book-day"): the values set so far, oldest first; None is a deletion."""

SLOT_GROUPS: Final[tuple[tuple[str, ...], ...]] = (
    ("name", "destination", "departure"),
    ("day", "book-day"),
    ("book-time", "arriveby", "leaveat"),
    ("book-people", "stars", "book-stay"),
)
"""Slots that can stand in for one another: places, days, times, numbers. A slot is in at most one group."""

NEVER_MEANT: Final = ("none", "dontcare", None)


class Salience(Protocol):
    """A model of salience; the recipe and the runtime take any."""

    def salient(self, slot: str, trace: Trace) -> str | None:
        """The value meant by a reference to `slot`, given what came before this turn; None if there is none."""
        ...


class VanillaSalience:
    """The published heuristic: the last value of the slot itself; else of the first slot in its group that has one.

    The group is searched in its fixed order, not by recency. "none" and "dontcare" are never meant.
    """

    def salient(self, slot: str, trace: Trace) -> str | None:
        """See `Salience`."""
        own = _last(trace.get(slot, ()))
        if own is not None:
            return own
        for group in SLOT_GROUPS:
            if slot in group:
                return next((value for name in group if (value := _last(trace.get(name, ()))) is not None), None)
        return None


class NoSalience:
    """Nothing is ever meant, so the recipe never refers (`--no-refer`)."""

    def salient(self, slot: str, trace: Trace) -> str | None:
        """See `Salience`."""
        return None


def _last(values: Sequence[str | None]) -> str | None:
    return next((value for value in reversed(values) if value not in NEVER_MEANT), None)
