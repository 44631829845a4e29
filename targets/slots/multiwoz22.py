"""MultiWOZ 2.2, `[{dialogue_id, services, turns}]` in SGD's layout: states by service as DL turns over MultiWOZ's schema.

A state is the same as in 2.1 under other names (`plain_names`), each slot a list of the ways its value was said. What
the turn asks for is annotated: the active intent names the query (`find_hotel`) or the action (`book_hotel`), requested
slots are shown. Booked items, which 2.1 keeps in the state, are the `service_results` of the agent's next turn.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from ...compiler.terms import Act, Lit, Term, Turn
from ..rows import Dialogue, Mention, Note, TurnRow
from . import notes as say
from .decide import Asked
from .layout import Role
from .multiwoz import statements_of
from .plain_names import Names, own_names, plain, requested_field
from .services import NO_INTENT
from .states import DomainState, Memo, domain_state

Speaker: TypeAlias = Literal["user", "agent"]
_SPEAKERS: Final[Mapping[str, Speaker]] = {"USER": "user", "SYSTEM": "agent"}
BOOKING: Final = "book"
"""How the intents that act begin; the others search."""


def is_frames(dialogue: Any) -> bool:
    """Whether a dialogue has this layout: turns with frames or speakers of its names."""
    turns = dialogue.get("turns") if isinstance(dialogue, dict) else None
    return isinstance(turns, list) and any(isinstance(t, dict) and ("frames" in t or "turn_id" in t) for t in turns)


Change: TypeAlias = Callable[[str, str, str, str], str | None]
"""Domain, part, slot and value to the value to read in its place; None for the value as it is."""


def read_multiwoz22(dialogue: Any, memo: Memo, speakers: frozenset[str], change: Change | None = None) -> Dialogue:
    """Read one dialogue of the file, as parsed from JSON. A turn that cannot be read is rejected; nothing raises.

    change: normalizes values before anything else.
    """
    memo.trim()
    given = dialogue.get("dialogue_id")
    name = given.removesuffix(".json") if isinstance(given, str) else ""
    schema = memo.schema.name
    turns = dialogue.get("turns")
    if not name or not isinstance(turns, list):
        note = say.malformed("the dialogue has no text `dialogue_id` and list `turns`")
        return Dialogue(name, (TurnRow(name, 0, "user", None, schema, None, (note,), dialogue),))
    names = own_names(memo.layout)
    rows: list[TurnRow] = []
    for position, turn in enumerate(turns):
        try:
            speaker = _speaker(turn)
            if speaker not in speakers:
                continue
            utterance = turn.get("utterance")
            if not isinstance(utterance, str):
                raise _Malformed("the turn has no text `utterance`")
            frames = _frames(turn)
            notes: list[Note] = []
            if speaker == "user":
                reply = turns[position + 1] if position + 1 < len(turns) else None
                program = _user(frames, _booked(reply), memo, names, notes, change)
            else:
                program = Turn("agent", ())
            found = _mentions(frames, utterance, notes)
        except _Malformed as fault:
            speaker = "agent" if position % 2 else "user"
            text = turn.get("utterance") if isinstance(turn, dict) else None
            known = text if isinstance(text, str) else None
            rows.append(TurnRow(name, position, speaker, known, schema, None, (say.malformed(str(fault)),), turn))
        else:
            before = turns[position - 1] if position and "agent" not in speakers else None
            heard = before.get("utterance") if isinstance(before, dict) else None
            heard = heard if isinstance(heard, str) else None
            rows.append(TurnRow(name, position, speaker, utterance, schema, program, tuple(notes), turn, heard, found))
    return Dialogue(name, tuple(rows))


class _Malformed(Exception):
    """Raised inside the reader for a turn that is none; always caught there."""


def _speaker(turn: Any) -> Speaker:
    speaker = turn.get("speaker") if isinstance(turn, dict) else None
    if not isinstance(speaker, str) or speaker not in _SPEAKERS:
        raise _Malformed("the turn is no object whose `speaker` is USER or SYSTEM")
    return _SPEAKERS[speaker]


def _frames(turn: Mapping[str, Any]) -> list[dict[str, Any]]:
    frames = turn.get("frames")
    if not isinstance(frames, list) or not all(
        isinstance(f, dict) and isinstance(f.get("service"), str) for f in frames
    ):
        raise _Malformed("the turn has no list `frames` of objects with a `service`")
    return frames


def _user(
    frames: list[dict[str, Any]],
    booked: Mapping[str, Any],
    memo: Memo,
    names: Mapping[str, Names],
    notes: list[Note],
    change: Change | None,
) -> Turn:
    after: dict[str, DomainState] = {}
    asked: Asked = {}
    requested: list[Term] = []
    for frame in frames:
        service = frame["service"]
        state = frame.get("state")
        if not isinstance(state, dict):
            raise _Malformed(f"the frame of {service} has no object `state`")
        parts = _parts(service, state, names, notes, change)
        if service in booked:
            parts.setdefault("book", {})["booked"] = booked[service]
        made = domain_state(service, parts, memo)
        if made is not None:
            after[service] = made
            notes += made.notes
        _asked(service, state, memo, asked, requested, notes)
    if not frames:
        raise _Malformed("the turn has no frame, so no state")
    acts = (Act("request", tuple(requested)),) if requested else ()
    return Turn("user", acts, statements_of(after, asked, memo))


def _parts(
    service: str, state: Mapping[str, Any], names: Mapping[str, Names], notes: list[Note], change: Change | None
) -> dict[str, dict[str, Any]]:
    """The slots of a state where 2.1 has them; a list of one text is that text."""
    values = state.get("slot_values")
    if not isinstance(values, dict):
        raise _Malformed(f"the state of {service} has no object `slot_values`")
    known = names.get(service, {})
    parts: dict[str, dict[str, Any]] = {}
    for slot, listed in values.items():
        part, own = known.get(plain(slot.removeprefix(f"{service}-")), ("semi", slot))
        texts = listed if isinstance(listed, list) else [listed]
        if not texts or not all(isinstance(text, str) for text in texts):
            notes.append(say.not_text(f"{service}.{slot}", listed))
            continue
        if change is not None:
            texts = list(dict.fromkeys(change(service, part, own, text) or text for text in texts))
        parts.setdefault(part, {})[own] = texts[0] if len(texts) == 1 else tuple(texts)
    return parts


def _asked(
    service: str, state: Mapping[str, Any], memo: Memo, asked: Asked, requested: list[Term], notes: list[Note]
) -> None:
    domain = memo.layout.domains.get(service)
    intent, slots = state.get("active_intent", NO_INTENT), state.get("requested_slots", [])
    if not isinstance(intent, str) or not isinstance(slots, list) or not all(isinstance(s, str) for s in slots):
        raise _Malformed(f"the state of {service} has an `active_intent` or `requested_slots` that is none")
    if domain is None:
        return
    shown: list[str] = []
    for slot in slots:
        target = requested_field(domain, slot.removeprefix(f"{service}-"))
        if target is None:
            notes.append(say.unknown_slot(f"{service}.{slot}", [*domain.slots]))
            continue
        requested.append(Lit("path", target.path))
        if target.role == "query" and target.name not in shown:
            shown.append(target.name)
    role: Role = "action" if intent.startswith(BOOKING) else "query"
    if intent != NO_INTENT or slots:
        chosen: Role = role if domain.has(role) else "action" if role == "query" else "query"
        if intent != NO_INTENT:
            asked[service, chosen] = ()
        if shown and domain.has("query"):
            asked[service, "query"] = tuple(shown)


def _booked(reply: Any) -> dict[str, list[dict[str, Any]]]:
    """Booked items by service, in 2.1's names."""
    frames = reply.get("frames") if isinstance(reply, dict) else None
    found: dict[str, list[dict[str, Any]]] = {}
    for frame in frames if isinstance(frames, list) else ():
        results = frame.get("service_results") if isinstance(frame, dict) else None
        call = frame.get("service_call") if isinstance(frame, dict) else None
        method = call.get("method") if isinstance(call, dict) else None
        service = frame.get("service") if isinstance(frame, dict) else None
        if isinstance(results, list) and isinstance(service, str) and str(method).startswith(BOOKING):
            prefix = f"{service}-"
            found[service] = [
                {slot.removeprefix(prefix): value for slot, value in item.items()} if isinstance(item, dict) else item
                for item in results
            ]
    return found


def _mentions(frames: list[dict[str, Any]], utterance: str, notes: list[Note]) -> tuple[Mention, ...]:
    """The annotated spans; a value copied from another slot stands nowhere in the utterance."""
    found: list[Mention] = []
    for frame in frames:
        spans = frame.get("slots", [])
        for span in spans if isinstance(spans, list) else ():
            slot, start, end = (
                span.get(k) if isinstance(span, dict) else None for k in ("slot", "start", "exclusive_end")
            )
            if isinstance(slot, str) and isinstance(start, int) and isinstance(end, int) and 0 <= start <= end:
                if end <= len(utterance):
                    found.append(Mention(frame["service"], slot, start, end, utterance[start:end]))
                else:
                    notes.append(say.span_outside(f"{frame['service']}.{slot}", start, end, len(utterance)))
    return tuple(found)
