"""DL turns as states of services: `{service: {"slots": {slot: [values]}, "intent": name, "requested": [slots]}}`."""

from dataclasses import dataclass, field

from ...compiler.terms import App, Statement, Term, Turn
from ...compiler.terms import Field as FieldTerm
from ..rows import Note, Written
from . import notes as say
from .opened import no_domain, opened, subject_of
from .services import NO_INTENT, SGD, Intent
from .sgd import ServiceMemo
from .values import spelled, write_alternatives


@dataclass(frozen=True, slots=True)
class _Said:
    """What one statement says of a service. An argument is one way to say a value that a conjunct may list in full."""

    intent: Intent | None
    accepted: bool
    slots: tuple[tuple[str, tuple[str, ...], bool], ...] = ()
    requested: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass
class _State:
    slots: dict[str, tuple[str, ...]] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    intent: Intent | None = None
    accepted: bool = False
    requested: list[str] = field(default_factory=list)


def write_services(turn: Turn, memo: ServiceMemo) -> Written:
    """The states of the services a turn speaks of. What they cannot say is noted, the rest kept."""
    states: dict[str, _State] = {}
    notes: list[Note] = []
    for statement in turn.statements:
        said = memo.written.get(statement)
        if not isinstance(said, _Said):
            said = memo.written[statement] = _said(statement, memo)
        notes += said.notes
        if said.intent is not None:
            _add(said, said.intent, states.setdefault(said.intent.service, _State()), notes)
    if turn.acts:
        notes.append(say.acts_elsewhere())
    program = {
        name: {
            "slots": {slot: list(texts) for slot, texts in state.slots.items()},
            "intent": state.intent.name if state.intent is not None else NO_INTENT,
            "requested": state.requested,
        }
        for name, state in states.items()
    }
    return Written(program, tuple(notes))


def _add(said: _Said, head: Intent, state: _State, notes: list[Note]) -> None:
    for slot, texts, lists in said.slots:
        old = state.slots.get(slot)
        if old is not None and texts != old and not lists and set(texts) <= set(old):
            continue
        full = old is not None and lists and slot not in state.listed and set(old) <= set(texts)
        if old is not None and texts != old and not full:
            notes.append(say.said_twice(f"{head.service}.{slot}"))
        state.slots[slot] = texts
        if lists:
            state.listed.add(slot)
    state.requested += said.requested
    if head.name != NO_INTENT and (said.accepted or not state.accepted):
        if state.intent is not None and state.intent != head and state.accepted == said.accepted:
            notes.append(say.said_twice(f"{head.service}, its intent"))
        state.intent, state.accepted = head, said.accepted


def _said(statement: Statement, memo: ServiceMemo) -> _Said:
    parts = opened(statement)
    notes = list(parts.notes)
    if parts.head is None:
        return _Said(None, False, notes=tuple(notes))
    head = memo.services.by_owner.get(parts.head.fn)
    if head is None:
        return _Said(None, False, notes=(*notes, no_domain(parts.head.fn)))
    slots = _arguments(head, parts.head, memo, notes) if head.acts else _conjuncts(head, parts.conjuncts, memo, notes)
    slot_of = {place.name: slot for slot, place in head.slots.items()}
    requested = []
    for path in parts.shown:
        slot = slot_of.get(path.rpartition(".")[2])
        if slot is None:
            notes.append(say.no_slot(path, f"that the turn shows {path}"))
        else:
            requested.append(slot)
    if statement.outcome is not None:
        notes.append(say.no_slot(head.owner.name, "what a call gave"))
    accepted = statement.status == "accepted"
    return _Said(head, accepted, tuple(slots), tuple(requested), tuple(notes))


def _conjuncts(
    head: Intent, conjuncts: tuple[Term, ...], memo: ServiceMemo, notes: list[Note]
) -> list[tuple[str, tuple[str, ...], bool]]:
    places = {place.name: (slot, place) for slot, place in head.slots.items()}
    slots: list[tuple[str, tuple[str, ...], bool]] = []
    for conjunct in conjuncts:
        subject = conjunct.args[0] if isinstance(conjunct, App) and conjunct.args else None
        found = places.get(subject.name) if isinstance(subject, FieldTerm) else None
        texts = write_alternatives(conjunct, found[1].type, memo.schema, SGD) if found is not None else None
        if found is None or texts is None:
            notes.append(say.no_slot(subject_of(conjunct), "this condition"))
        else:
            slots.append((found[0], texts, True))
    return slots


def _arguments(
    head: Intent, call: App, memo: ServiceMemo, notes: list[Note]
) -> list[tuple[str, tuple[str, ...], bool]]:
    places = {place.name: (slot, place) for slot, place in head.slots.items()}
    slots: list[tuple[str, tuple[str, ...], bool]] = []
    for label, value in call.named:
        found = places.get(label)
        text = spelled(value, found[1].type, memo.schema, SGD) if found is not None else None
        if found is None or text is None:
            notes.append(say.no_slot(label, f"the argument `{label}`"))
        else:
            slots.append((found[0], (text,), False))
    return slots
