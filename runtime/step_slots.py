"""`step(state, turn)` for slots: what a turn says of a slot replaces what was said of it, the rest stays.

The schema says how (`@accumulate`). Overall, as in MultiWOZ, a state shows everything said so far; per service, as in SGD,
only the services that the turn is about, while what was said of the others is kept for when they come back. An intent and
what is requested are the turn's own. States are as the slots writer has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..compiler.schema import Schema
from ..compiler.terms import Turn
from ..targets.slots.services import NO_INTENT, has_services
from ..targets.slots.sgd import ServiceMemo
from ..targets.slots.sgd_write import write_services
from ..targets.slots.states import Memo
from ..targets.slots.write import write_slots

State: TypeAlias = Mapping[str, Mapping[str, Any]]
"""`{domain: {"semi": {slot: text}, "book": {slot: text}}}` or `{service: {"slots": {slot: [texts]}, "intent", "requested"}}`."""
_OF_THE_TURN = ("intent", "requested")


@dataclass(frozen=True, slots=True)
class SlotState:
    """Everything said so far, and which domains or services the state shows."""

    said: State
    shows: frozenset[str]

    @property
    def shown(self) -> State:
        """The state as annotators write it."""
        return {name: parts for name, parts in self.said.items() if name in self.shows}


def step_slots(
    state: SlotState | None, turn: Turn, schema: Schema, memo: "Memo | ServiceMemo | None" = None
) -> SlotState:
    """The state after a turn of the user; a turn that says nothing of a slot leaves it.

    memo: of the schema, kept from turn to turn. What a state has no place for does not count.
    """
    by_service = has_services(schema)
    if by_service:
        written = write_services(turn, memo if isinstance(memo, ServiceMemo) else ServiceMemo(schema)).program
    else:
        written = write_slots(turn, schema, memo if isinstance(memo, Memo) else None).program
    return stepped(state, written, by_service)


def stepped(state: SlotState | None, change: State, by_service: bool) -> SlotState:
    """The state after what a turn says, as a state of its own."""
    said: dict[str, Mapping[str, Any]] = dict(state.said) if state is not None else {}
    for name, parts in change.items():
        said[name] = {part: _joined(part, said.get(name, {}), new) for part, new in parts.items()}
    return SlotState(said, frozenset(change) if by_service else frozenset(said))


def _joined(part: str, before: Mapping[str, Any], new: Any) -> Any:
    return new if part in _OF_THE_TURN else {**before.get(part, {}), **new}


def change_between(before: SlotState | None, after: State, by_service: bool) -> State | None:
    """What a turn says that leads to a state: the least change for which `stepped` shows it.

    None if there is none: a slot that had a value has none, which no turn can say.
    """
    said = before.said if before is not None else {}
    change: dict[str, dict[str, Any]] = {}
    for name, parts in after.items():
        old = said.get(name, {})
        new = {p: _new(p, old.get(p, {}), value) for p, value in parts.items()}
        if by_service or any(new.values()):
            change[name] = new
    found = stepped(before, change, by_service).shown
    return change if _same(found, after) else None


def _new(part: str, old: Any, value: Any) -> Any:
    return value if part in _OF_THE_TURN else {slot: v for slot, v in value.items() if old.get(slot) != v}


def _same(a: State, b: State) -> bool:
    """Equal, a domain that holds nothing aside."""
    left, right = (
        {n: p for n, p in s.items() if any(v not in ({}, [], NO_INTENT) for v in p.values())} for s in (a, b)
    )
    return left == right
