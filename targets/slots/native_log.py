"""MultiWOZ 2.1's layout: `{name: {goal, log}}`, the state of a user's turn with the agent's turn after it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...compiler.schema import fact
from .layout import Domain, Layout
from .native import NativeTurn
from .values import MULTIWOZ


def fresh_log(turns: Sequence[NativeTurn], layout: Layout) -> dict[str, Any]:
    """A dialogue of its own. A turn that is not among the rows has no text; a rejected one leaves no state."""
    said = {turn.turn: turn for turn in turns}
    log: list[dict[str, Any]] = []
    for position in range((max(said, default=-1) // 2 + 1) * 2):
        turn, before = said.get(position), said.get(position - 1)
        entry: dict[str, Any] = {"text": (turn.utterance if turn is not None else None) or "", "metadata": {}}
        if position % 2:
            if before is not None and before.state is not None:
                entry["metadata"] = {name: _empty(domain) for name, domain in layout.domains.items()}
            else:
                del entry["metadata"]
        log.append({**entry, "dialog_act": {}, "span_info": []})
    dialogue: dict[str, Any] = merged_log({"goal": {}, "log": log}, turns, layout)[0]
    return dialogue


def _empty(domain: Domain) -> dict[str, Any]:
    """A domain of which nothing has been said. Fields that nobody filters by are not listed until they have a value."""
    hidden = {c.name for c in domain.table.columns if fact(c.facts, "filterable") == "no"} if domain.table else set()
    parts: dict[str, Any] = {"book": {"booked": []}, "semi": {}}
    for key, target in domain.slots.items():
        part, _, slot = key.partition(".")
        if target.role == "action" or target.name not in hidden:
            parts.setdefault(part, {})[slot] = ""
    return parts


def merged_log(dialogue: Any, turns: Sequence[NativeTurn], layout: Layout) -> tuple[Any, tuple[int, ...]]:
    """The dialogue with the states of the turns put in, everything else as it was; and the turns it does not have."""
    log = dialogue.get("log") if isinstance(dialogue, dict) else None
    if not isinstance(log, list):
        return dialogue, tuple(turn.turn for turn in turns)
    entries, missing = list(log), []
    for turn in turns:
        if turn.speaker != "user" or turn.state is None:
            continue
        at = turn.turn + 1
        entry = entries[at] if at < len(entries) else None
        if not isinstance(entry, dict) or not isinstance(entry.get("metadata"), dict):
            missing.append(turn.turn)
            continue
        metadata = _merged(entry["metadata"], turn.state, layout)
        if metadata != entry["metadata"]:
            entries[at] = {**entry, "metadata": metadata}
    return {**dialogue, "log": entries}, tuple(missing)


def _merged(metadata: Mapping[str, Any], state: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    made = dict(metadata)
    for name in (*metadata, *(name for name in state if name not in metadata)):
        parts = metadata.get(name, {})
        if not isinstance(parts, dict):
            continue
        said = state.get(name, {})
        domain = layout.domains.get(name)
        new = {part: _slots(part, slots, said.get(part, {}), domain) for part, slots in parts.items()}
        for part, slots in said.items():
            if part not in parts and slots:
                new[part] = dict(slots)
        if new or name in metadata:
            made[name] = new
    return made


def _slots(part: str, slots: Any, said: Mapping[str, Any], domain: Domain | None) -> Any:
    if not isinstance(slots, dict):
        return slots
    made = dict(slots)
    for slot, value in slots.items():
        if slot == "booked" and part == "book":
            if (value or []) != said.get(slot, []):
                made[slot] = said.get(slot, [])
        elif slot in said:
            made[slot] = said[slot]
        elif domain is not None and f"{part}.{slot}" in domain.slots and isinstance(value, str):
            # What the schema does not know, or what is no text, was never read: it stays.
            if value not in MULTIWOZ.absent:
                made[slot] = ""
    made.update({slot: value for slot, value in said.items() if slot not in slots})
    return made
