"""SGD's layout, which MultiWOZ 2.2 shares: `[{dialogue_id, services, turns}]`, a frame for each service of a turn.

2.2 has a frame for every service in every user turn, numbers its turns, and repeats the values of its spans; SGD has the
frames of services a turn is about.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .multiwoz22 import BOOKING
from .native import NativeTurn, Said, ServiceState
from .services import NO_INTENT
from .values import MULTIWOZ

_SPEAKERS = ("USER", "SYSTEM")
_NOTHING = ServiceState({}, NO_INTENT, (), True)


def fresh_frames(name: str, turns: Sequence[NativeTurn], every_service: bool) -> dict[str, Any]:
    """A dialogue of its own. every_service: as MultiWOZ 2.2 has it. A rejected turn has no frame."""
    said = {turn.turn: turn for turn in turns}
    made: list[dict[str, Any]] = []
    services: list[str] = []
    last = max(said, default=-1)
    # What a booking gave stands with the agent's turn, which therefore follows even where it is not among the rows.
    booked = last in said and any(state.results for state in said[last].services.values())
    for position in range(last + 1 + booked):
        turn = said.get(position)
        entry: dict[str, Any] = {
            "frames": [],
            "speaker": _SPEAKERS[position % 2],
            "utterance": (turn.utterance if turn is not None else None) or "",
        }
        if every_service:
            entry["turn_id"] = str(position)
        if turn is not None:
            # Thanks and goodbyes name no service: they belong to the one before.
            names = _services(turn, every_service) or services[-1:] * bool(turn.acts)
            entry["frames"] = [_frame(turn, service, every_service) for service in names]
            services += [s for s in names if s not in services and _is_active(turn, s)]
        made.append(entry)
    dialogue: dict[str, Any] = merged_frames({"dialogue_id": name, "services": services, "turns": made}, turns)[0]
    return dialogue


def _services(turn: NativeTurn, every_service: bool) -> list[str]:
    """The services of a turn's frames, each once, in the order they are met."""
    named = [s for s in turn.services if every_service or _is_active(turn, s)]
    named += [said.service for said in turn.acts if said.service]
    named += [call.service for call in turn.calls]
    named += [mention.domain for mention in turn.mentions]
    return list(dict.fromkeys(named))


def _is_active(turn: NativeTurn, service: str) -> bool:
    state = turn.services.get(service)
    return state is None or state.holds_intent or bool(state.values or state.requested or state.intent != NO_INTENT)


def _frame(turn: NativeTurn, service: str, with_values: bool = False) -> dict[str, Any]:
    spans = [
        {"exclusive_end": m.end, "slot": m.slot, "start": m.start} | ({"value": m.text} if with_values else {})
        for m in turn.mentions
        if m.domain == service
    ]
    frame: dict[str, Any] = {
        "actions": [_action(said) for said in turn.acts if said.service in (service, "")],
        "service": service,
        "slots": spans,
    }
    state = turn.services.get(service)
    if state is not None:
        frame["state"] = {
            "active_intent": state.intent,
            "requested_slots": list(state.requested),
            "slot_values": {},
        }
    for call in turn.calls:
        if call.service == service:
            frame["service_call"] = {"method": call.method, "parameters": dict(call.arguments)}
            frame["service_results"] = [dict(result) for result in call.results]
    return frame


def _action(said: Said) -> dict[str, Any]:
    values = [said.value] if said.value is not None and said.act != "REQUEST" else []
    return {"act": said.act, "canonical_values": values, "slot": said.slot, "values": values}


# ---------------------------------------------------------------- into an existing dialogue


def merged_frames(dialogue: Any, turns: Sequence[NativeTurn]) -> tuple[Any, tuple[int, ...]]:
    """The dialogue with the states of the turns put in, everything else as it was; and the turns it does not have."""
    listed = dialogue.get("turns") if isinstance(dialogue, dict) else None
    if not isinstance(listed, list):
        return dialogue, tuple(turn.turn for turn in turns)
    entries, missing = list(listed), []
    for turn in turns:
        if turn.speaker != "user" or turn.state is None:
            continue
        entry = entries[turn.turn] if turn.turn < len(entries) else None
        frames = entry.get("frames") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(frames, list):
            missing.append(turn.turn)
            continue
        made = _merged(frames, turn)
        if made != frames:
            entries[turn.turn] = {**entry, "frames": made}
        reply = entries[turn.turn + 1] if turn.turn + 1 < len(entries) else None
        if isinstance(reply, dict) and isinstance(reply.get("frames"), list):
            booked = _booked(reply["frames"], turn)
            if booked != reply["frames"]:
                entries[turn.turn + 1] = {**reply, "frames": booked}
    return {**dialogue, "turns": entries}, tuple(missing)


def _merged(frames: list[Any], turn: NativeTurn) -> list[Any]:
    made: list[Any] = []
    seen: set[str] = set()
    for frame in frames:
        service = frame.get("service") if isinstance(frame, dict) else None
        old = frame.get("state") if isinstance(frame, dict) else None
        if isinstance(service, str):
            seen.add(service)
        if isinstance(service, str) and isinstance(old, dict) and isinstance(old.get("slot_values"), dict):
            state = turn.services.get(service) or (_NOTHING if turn.whole else None)
            new = _state(old, state) if state is not None else old
            frame = frame if new == old else {**frame, "state": new}
        made.append(frame)
    for service, state in turn.services.items():
        if service not in seen and _is_active(turn, service):
            frame = _frame(turn, service)
            made.append({**frame, "state": _state(frame["state"], state)})
    return made


def _state(old: Mapping[str, Any], state: ServiceState) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for slot, texts in old["slot_values"].items():
        if slot in state.values:
            values[slot] = texts if _same(texts, state.values[slot]) else list(state.values[slot])
        elif state.known is not None and slot not in state.known:
            values[slot] = texts
    values.update({slot: list(texts) for slot, texts in state.values.items() if slot not in values})
    made = {**old, "slot_values": values}
    if state.holds_intent:
        made["active_intent"] = state.intent
        made["requested_slots"] = list(state.requested)
    return made


def _same(texts: Any, wanted: tuple[str, ...]) -> bool:
    """Whether a file's list says what is wanted; where values are joined to one text, so are both."""
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return False
    return MULTIWOZ.alternatives.join(texts) == MULTIWOZ.alternatives.join(wanted)


def _booked(frames: list[Any], turn: NativeTurn) -> list[Any]:
    """The agent's frames with what bookings gave, where states hold it."""
    made = list(frames)
    for service, state in turn.services.items():
        if state.results is None:
            continue
        at = next((i for i, f in enumerate(made) if isinstance(f, dict) and f.get("service") == service), None)
        call = {"method": f"{BOOKING}_{service}", "parameters": {}}
        results = [dict(result) for result in state.results]
        if at is None and results:
            made.append(
                {"actions": [], "service": service, "slots": [], "service_call": call, "service_results": results}
            )
        elif at is not None and made[at].get("service_results", []) != results:
            made[at] = {**made[at], "service_call": made[at].get("service_call", call), "service_results": results}
    return made
