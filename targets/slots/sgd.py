"""SGD, `[{dialogue_id, services, turns}]`: a dialogue's states, acts and calls as DL turns.

The state of a service becomes one statement about its intent, and one about the service's own table for the rest:

* a search is a query with the slots it takes or gives as conjuncts, a transaction a call with its arguments;
* a slot lists ways to say its value: `.time in ["7 pm", "evening 7"]`. An argument is one value, so of several the
  first is given, and the service's table lists them all;
* requested slots are shown: by the search if it gives all of them, else by the service's table;
* without an intent there is only the service's table.

What the turn asks for is accepted, the rest confirmed and written first. A turn asks for its intent unless its acts
only thank, refuse or take leave; one that only requests slots asks for no transaction. Every turn is read by itself,
so that a damaged one costs no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from ...compiler.schema import Schema
from ...compiler.terms import Act, Lit, Statement, Term, Turn
from ...compiler.types import show
from ..rows import Dialogue, Note, TurnRow
from . import notes as say
from .frames import Checked, Fault, Frame, Said, State, checked_turn
from .service_terms import Values, call, query
from .services import SGD, Place, Service, Services, services_of
from .sgd_agent import agent_statements
from .values import typed

_NOT_ASKING: Final = frozenset(("THANK_YOU", "NEGATE", "NEGATE_INTENT"))
_ONLY_REQUESTING: Final = _NOT_ASKING | {"REQUEST"}
_LEAVING: Final = "GOODBYE"
Speaker: TypeAlias = Literal["user", "agent"]
_SPEAKERS: Final[Mapping[str, Speaker]] = {"USER": "user", "SYSTEM": "agent"}


@dataclass
class ServiceMemo:
    """What a reader or writer of services keeps from turn to turn. One for each schema."""

    schema: Schema
    services: Services = field(init=False)
    states: dict[object, "tuple[tuple[Statement, ...], tuple[Note, ...]]"] = field(default_factory=dict)
    written: dict[Statement, object] = field(default_factory=dict)
    limit: int = 200_000

    def __post_init__(self) -> None:
        self.services = services_of(self.schema)

    def trim(self) -> None:
        """Forget everything once a table is full, so that memory stays bounded on any stream."""
        for table in (self.states, self.written):
            if len(table) > self.limit:
                table.clear()


def read_sgd(dialogue: Any, schema: Schema, memo: ServiceMemo, speakers: frozenset[str]) -> Dialogue:
    """Read one dialogue of the file, as parsed from JSON.

    A turn that is not as the layout has it is rejected (`program` None, a note says why) whoever speaks; nothing
    raises for bad data.
    """
    memo.trim()
    given = dialogue.get("dialogue_id") if isinstance(dialogue, dict) else None
    name = given if isinstance(given, str) else ""
    fault = _dialogue_fault(dialogue, memo.services)
    if fault:
        note = say.malformed(fault)
        return Dialogue(name, (TurnRow(name, 0, "user", None, schema.name, None, (note,), dialogue),))
    rows = []
    heard: str | None = None
    for position, turn in enumerate(dialogue["turns"]):
        try:
            checked = checked_turn(turn, memo.services, position)
        except Fault as fault_in_turn:
            heard = None
            rows.append(_rejected(name, position, turn, schema.name, str(fault_in_turn)))
            continue
        speaker = _SPEAKERS[checked.speaker]
        if speaker in speakers:
            program, notes = _turn(checked, memo)
            rows.append(
                TurnRow(
                    name,
                    position,
                    speaker,
                    checked.utterance,
                    schema.name,
                    program,
                    notes,
                    turn,
                    heard if speaker == "user" and "agent" not in speakers else None,
                    checked.spans,
                )
            )
        heard = checked.utterance
    return Dialogue(name, tuple(rows))


def _dialogue_fault(dialogue: Any, services: Services) -> str:
    """What keeps an object from being a dialogue, or ""."""
    if not isinstance(dialogue, dict):
        return f"a dialogue is {type(dialogue).__name__}, not an object"
    if not isinstance(dialogue.get("dialogue_id"), str) or not dialogue["dialogue_id"]:
        return "the dialogue has no text `dialogue_id`"
    listed = dialogue.get("services")
    if not isinstance(listed, list):
        return "the dialogue has no list `services`"
    for service in listed:
        if not isinstance(service, str) or service not in services.services:
            return f"`services` names {service!r}, which the schema does not have"
    if not isinstance(dialogue.get("turns"), list) or not dialogue["turns"]:
        return "the dialogue has no list `turns` with turns in it"
    return ""


def _rejected(name: str, position: int, turn: Any, schema: str, why: str) -> TurnRow:
    text = turn.get("utterance") if isinstance(turn, dict) else None
    speaker: Speaker = "agent" if position % 2 else "user"
    utterance = text if isinstance(text, str) else None
    return TurnRow(name, position, speaker, utterance, schema, None, (say.malformed(why),), turn)


def _turn(checked: Checked, memo: ServiceMemo) -> tuple[Turn, tuple[Note, ...]]:
    speaker = _SPEAKERS[checked.speaker]
    acts, act_notes = _acts(checked.frames, speaker, memo.services)
    notes = list(act_notes)
    statements: list[Statement] = []
    for frame in checked.frames:
        if frame.state is not None:
            said, own = service_statements(frame.service, frame.state, frame.acts, memo)
        else:
            said, own = agent_statements(frame, memo.services.services[frame.service], memo.schema)
        statements += said
        notes += own
    # A stable sort: what stands before what is asked for keeps its order.
    statements.sort(key=lambda s: s.status != "confirmed")
    return Turn(speaker, acts, tuple(statements)), tuple(notes)


def _asks(acts: tuple[Said, ...], without: frozenset[str]) -> bool:
    names = {said.act for said in acts}
    return _LEAVING not in names and (not names or not names <= without)


def _acts(frames: tuple[Frame, ...], speaker: Speaker, services: Services) -> tuple[tuple[Act, ...], list[Note]]:
    """DL acts in the order annotated; one act for all the slots it is about."""
    fields: dict[str, list[Term]] = {}
    notes: list[Note] = []
    for frame in frames:
        service = services.services[frame.service]
        for said in frame.acts:
            declared = services.acts.get((speaker, said.act))
            if declared is None:
                known = [annotated for who, annotated in services.acts if who == speaker]
                notes.append(say.unknown_act(said.act, known))
                if not said.act or "`" in said.act or "\n" in said.act:
                    continue
            act, takes_fields = declared or (said.act, False)
            paths = fields.setdefault(act, [])
            place = service.all.slots.get(said.slot)
            if takes_fields and place is not None:
                path = Lit("path", f"{service.all.owner.name}.{place.name}")
                if path not in paths:
                    paths.append(path)
    return tuple(Act(act, tuple(paths)) for act, paths in fields.items()), notes


# ---------------------------------------------------------------- states


def service_statements(
    name: str, state: State, acts: tuple[Said, ...], memo: ServiceMemo
) -> tuple[tuple[Statement, ...], tuple[Note, ...]]:
    """The statements that say the state of one of the schema's services in a turn with these acts, and lints."""
    service = memo.services.services[name]
    intent = service.intents.get(state.intent)
    asks = _asks(acts, _NOT_ASKING)
    asks_intent = _asks(acts, _ONLY_REQUESTING) if intent is not None and intent.acts else asks
    key = (name, state, asks, asks_intent)
    made = memo.states.get(key)
    if made is None:
        made = memo.states[key] = _statements(service, state, asks, asks_intent, memo.schema)
    return made


def _statements(
    service: Service, state: State, asks: bool, asks_intent: bool, schema: Schema
) -> tuple[tuple[Statement, ...], tuple[Note, ...]]:
    notes: list[Note] = []
    intent = service.intents.get(state.intent)
    own: Values = []
    rest: Values = []
    for slot, texts in state.values:
        everywhere = service.all.slots[slot]
        place = intent.slots.get(slot) if intent is not None else None
        # An argument is given or missing: one that may be anything is a condition, which every target has a word for.
        anything = intent is not None and intent.acts and texts[:1] == (SGD.any,)
        if place is not None and not anything:
            own.append((place, texts))
        if place is None or anything or (intent is not None and intent.acts and len(texts) > 1):
            rest.append((everywhere, texts))
        notes += _lints(service.name, slot, texts, everywhere, schema)
    shown_by_search = intent is not None and not intent.acts and all(slot in intent.slots for slot in state.requested)
    statements: list[Statement] = []
    if intent is None or rest or (state.requested and not shown_by_search):
        shown = () if shown_by_search else tuple(service.all.slots[slot].name for slot in state.requested)
        term = query(service.all, rest, shown, schema)
        statements.append(Statement(term, "accepted" if shown and asks else "confirmed"))
    if intent is not None:
        if intent.acts:
            term = call(intent, own, schema)
        else:
            shown = tuple(intent.slots[slot].name for slot in state.requested) if shown_by_search else ()
            term = query(intent, own, shown, schema)
        statements.append(Statement(term, "accepted" if asks_intent else "confirmed"))
    return tuple(statements), tuple(notes)


def _lints(service: str, slot: str, texts: tuple[str, ...], place: Place, schema: Schema) -> list[Note]:
    part = f"{service}.{slot}"
    return [
        say.kept_raw(part, text, show(place.type))
        for text in texts
        if texts != (SGD.any,) and typed(text, place.type, schema, SGD) is None
    ]
