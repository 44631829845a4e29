"""ConvLab's unified format, `[{dialogue_id, turns: [{speaker, utterance, state, dialogue_acts}]}]`, as MultiWOZ 2.1's log.

The state of a user's turn is `{domain: {slot: text}}` with slots in words (`book stay`), alternatives joined by `|`; what
has been booked stands with the agent's turn. Both, and the acts, are put where 2.1 has them, so one reader reads both.
"""

from collections.abc import Mapping
from typing import Any

from ..rows import Mention
from .layout import Domain, Layout
from .plain_names import own_names, plain, requested_field


def is_unified(dialogue: Any) -> bool:
    """Whether a dialogue has this layout."""
    turns = dialogue.get("turns") if isinstance(dialogue, dict) else None
    return isinstance(turns, list) and any(
        isinstance(t, dict) and ("utt_idx" in t or "dialogue_acts" in t) for t in turns
    )


def as_log(dialogue: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The dialogue as 2.1 has it. What is not as the layout documents it is handed on for the reader to reject."""
    names = own_names(layout)
    log: list[Any] = []
    state: Any = {}
    for turn in dialogue["turns"]:
        if not isinstance(turn, dict):
            log.append(turn)
            continue
        speaker = "user" if len(log) % 2 == 0 else "agent"
        if turn.get("speaker") != ("user" if speaker == "user" else "system"):
            # Speakers take turns; a turn out of its place is none.
            log.append(None)
            continue
        entry: dict[str, Any] = {"text": turn.get("utterance"), "metadata": {}}
        entry["dialog_act"] = _acts(turn.get("dialogue_acts"), speaker, layout)
        if speaker == "user":
            state = turn.get("state")
        else:
            entry["metadata"] = _metadata(state, turn.get("booked"), names)
        log.append(entry)
    if len(log) % 2:
        # The last turn of a user has its state too: it needs no reply to be read.
        log.append({"text": None, "metadata": _metadata(state, None, names)})
    return {"log": log}


def mentions(turn: Any) -> tuple[Mention, ...]:
    """The annotated spans of a turn, those inside its utterance."""
    utterance = turn.get("utterance") if isinstance(turn, dict) else None
    acts = turn.get("dialogue_acts") if isinstance(turn, dict) else None
    listed = acts.get("non-categorical") if isinstance(acts, dict) else None
    found = []
    for said in listed if isinstance(listed, list) else ():
        start, end, slot, domain = (
            said.get(k) if isinstance(said, dict) else None for k in ("start", "end", "slot", "domain")
        )
        if isinstance(start, int) and isinstance(end, int) and isinstance(slot, str) and isinstance(domain, str):
            if isinstance(utterance, str) and 0 <= start <= end <= len(utterance):
                found.append(Mention(domain, slot, start, end, utterance[start:end]))
    return tuple(found)


def _metadata(state: Any, booked: Any, names: Mapping[str, Mapping[str, tuple[str, str]]]) -> Any:
    if not isinstance(state, dict):
        return state
    metadata: dict[str, Any] = {}
    for domain, slots in state.items():
        if not isinstance(slots, dict):
            metadata[domain] = slots
            continue
        parts: dict[str, dict[str, Any]] = {"semi": {}, "book": {}}
        for slot, value in slots.items():
            part, own = names.get(domain, {}).get(plain(slot), ("semi", slot))
            parts[part][own] = value
        items = booked.get(domain) if isinstance(booked, dict) else None
        if items:
            parts["book"]["booked"] = items
        metadata[domain] = parts
    return metadata


def _acts(acts: Any, speaker: str, layout: Layout) -> dict[str, list[list[str]]]:
    """Acts as 2.1 has them: `{"Hotel-Inform": [["Area", "east"]]}`."""
    kinds = {annotated.lower(): annotated for who, annotated in layout.acts if who == speaker}
    found: dict[str, list[list[str]]] = {}
    groups = acts.values() if isinstance(acts, dict) else ()
    for said in (one for group in groups if isinstance(group, list) for one in group):
        if not isinstance(said, dict):
            continue
        domain, intent = said.get("domain"), said.get("intent")
        if not isinstance(domain, str) or not isinstance(intent, str):
            continue
        whole = f"{domain}-{intent}"
        name = kinds.get(whole.lower()) or f"{domain}-{kinds.get(intent.lower(), intent)}"
        slot = said.get("slot")
        field = _field(layout.domains.get(domain), slot) if isinstance(slot, str) and slot else "none"
        value = said.get("value")
        found.setdefault(name, []).append([field, value if isinstance(value, str) else "?" if slot else "none"])
    return found


def _field(domain: Domain | None, slot: str) -> str:
    """A slot's name in 2.1's acts."""
    target = requested_field(domain, slot) if domain is not None else None
    if domain is not None and target is not None:
        for name, known in domain.acts.items():
            if (known.owner, known.name) == (target.owner, target.name):
                return name
    return slot
