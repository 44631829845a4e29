"""What a native layout writes of a turn: its state, and as far as a layout has a place for them what the turn asks
for, its acts, calls and spans. The layouts themselves are `native_log` (MultiWOZ 2.1) and `native_frames` (2.2, SGD).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...compiler.schema import Schema, fact
from ...compiler.terms import App, Lit, Record, Statement, Term, Turn
from ..rows import Mention, TurnRow
from .layout import Layout, layout_of
from .multiwoz22 import BOOKING
from .opened import opened
from .plain_names import own_names, plain_slot, requested_field, requested_name
from .services import NO_INTENT, SGD, Services, has_services, services_of
from .values import MULTIWOZ, spelled


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service's state under the names of its layout.

    holds_intent: whether states of the schema hold the intent and requested slots; else a file's own are kept.
    results: what a booking gave, None where states do not hold it. known: the slots that could have been read, None
    for all; a file's others are kept.
    """

    values: Mapping[str, tuple[str, ...]]
    intent: str
    requested: tuple[str, ...]
    holds_intent: bool
    results: tuple[Mapping[str, str], ...] | None = None
    known: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An act under its annotated name, with the slot it is about and the value said, as far as the turn has it."""

    service: str
    act: str
    slot: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a service and what it gave."""

    service: str
    method: str
    arguments: Mapping[str, str]
    results: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class NativeTurn:
    """One turn. state: what `--to slots` gives, None if the turn was rejected. services: the same by service; a
    service that is not there has no state where `whole` is true, and was not read where it is not.
    """

    turn: int
    speaker: Literal["user", "agent"]
    utterance: str | None
    state: Mapping[str, Any] | None
    services: Mapping[str, ServiceState]
    acts: tuple[Said, ...] = ()
    calls: tuple[Called, ...] = ()
    mentions: tuple[Mention, ...] = ()
    whole: bool = False


class NativeReader:
    """Makes native turns of rows over one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.services: Services | None = services_of(schema) if has_services(schema) else None
        self.layout: Layout = layout_of(schema)

    def turn(self, row: TurnRow, state: Mapping[str, Any] | None) -> NativeTurn:
        """A row with the state that the slots writer made of it."""
        if row.program is None or state is None:
            return NativeTurn(row.turn, row.speaker, row.utterance, None, {})
        by_service = row.speaker == "user"
        services: Mapping[str, ServiceState] = {}
        if self.services is not None:
            services = {name: _service_state(said) for name, said in state.items()} if by_service else {}
            acts, calls = tuple(_acts(row, row.program, self.services)), tuple(_calls(row.program, self.services))
            return NativeTurn(row.turn, row.speaker, row.utterance, state, services, acts, calls, row.mentions, True)
        if by_service:
            services = _domain_states(row.program, state, self.layout)
        spans = tuple(_named(row.mentions, self.layout))
        return NativeTurn(row.turn, row.speaker, row.utterance, state, services, mentions=spans)


def _service_state(said: Mapping[str, Any]) -> ServiceState:
    values = {slot: tuple(texts) for slot, texts in said["slots"].items()}
    return ServiceState(values, said["intent"], tuple(said["requested"]), True)


def _named(mentions: Sequence[Mention], layout: Layout) -> Iterator[Mention]:
    """Spans under the names of MultiWOZ 2.2, whichever layout they are of; those of no slot (`Choice`) are left out."""
    for mention in mentions:
        domain = layout.domains.get(mention.domain)
        if domain is None:
            continue
        slot = mention.slot.removeprefix(f"{domain.name}-")
        target = domain.acts.get(slot) or requested_field(domain, slot)
        name = requested_name(domain, target.owner, target.name) if target is not None else None
        if name is not None:
            yield replace(mention, slot=f"{domain.name}-{name}")


def listed(text: str) -> tuple[str, ...]:
    """The ways to say a value that 2.1 joins to one text; what is excluded stays one."""
    if text.startswith(MULTIWOZ.negation[0]):
        return (text,)
    return tuple(text.split(MULTIWOZ.alternatives))


def _domain_states(turn: Turn, state: Mapping[str, Any], layout: Layout) -> dict[str, ServiceState]:
    """The state of every domain of the schema, as MultiWOZ 2.2 has one frame for each."""
    intents: dict[str, str] = {}
    requested: dict[str, list[str]] = {}

    def request(owner: str, field: str) -> None:
        domain = layout.by_owner.get(owner)
        slot = requested_name(domain, owner, field) if domain is not None else None
        if domain is not None and slot is not None:
            names = requested.setdefault(domain.name, [])
            if f"{domain.name}-{slot}" not in names:
                names.append(f"{domain.name}-{slot}")

    for act in turn.acts:
        for argument in act.args:
            if act.name == "request" and isinstance(argument, Lit) and argument.kind == "path":
                owner, _, name = argument.value.rpartition(".")
                request(owner, name)
    for statement in turn.statements:
        parts = opened(statement)
        domain = layout.by_owner.get(parts.head.fn) if parts.head is not None else None
        if statement.status == "accepted" and domain is not None and parts.head is not None:
            acts = domain.action is not None and parts.head.fn == domain.action.name
            if acts or domain.name not in intents:
                intents[domain.name] = f"{BOOKING if acts else 'find'}_{domain.name}"
            for path in parts.shown:
                owner, _, name = path.rpartition(".")
                request(owner, name)
    states: dict[str, ServiceState] = {}
    names = own_names(layout)
    for name in (*layout.domains, *(name for name in state if name not in layout.domains)):
        parts_of = state.get(name, {})
        values = {
            f"{name}-{plain_slot(part, slot)}": listed(text)
            for part, slots in parts_of.items()
            for slot, text in slots.items()
            if isinstance(text, str)
        }
        booked = parts_of.get("book", {}).get("booked", ())
        results = tuple({f"{name}-{slot}": text for slot, text in item.items()} for item in booked)
        states[name] = ServiceState(
            values,
            intents.get(name, NO_INTENT),
            tuple(requested.get(name, ())),
            False,
            results,
            frozenset(f"{name}-{slot}" for slot in names.get(name, {})),
        )
    return states


# ---------------------------------------------------------------- services: acts and calls


def _acts(row: TurnRow, turn: Turn, services: Services) -> list[Said]:
    annotated = {(act.speaker, act.name): fact(act.facts, "slot") for act in services.schema.acts}
    values = {**_values(turn, services), **{(m.domain, m.slot): m.text for m in row.mentions}}
    said: list[Said] = []
    for act in turn.acts:
        name = annotated.get((turn.speaker, act.name)) or act.name
        paths = [a.value.rpartition(".") for a in act.args if isinstance(a, Lit) and a.kind == "path"]
        for owner, _, field in paths or [("", "", "")]:
            head = services.by_owner.get(owner)
            slot = next((s for s, p in head.slots.items() if p.name == field), "") if head is not None else ""
            service = head.service if head is not None else ""
            said.append(Said(service, name, slot, values.get((service, slot))))
    return said


def _values(turn: Turn, services: Services) -> dict[tuple[str, str], str]:
    """A value of each slot that the turn's statements speak of: of what is proposed, else found, else asked for."""
    found: dict[tuple[str, str], str] = {}
    for statement in sorted(turn.statements, key=lambda s: s.status == "proposed"):
        parts = opened(replace(statement, status="accepted"))
        head = services.by_owner.get(parts.head.fn) if parts.head is not None else None
        if head is None or parts.head is None:
            continue
        held = {**_equal(parts.conjuncts), **dict(parts.head.named)}
        places = [*head.slots.items(), *head.results.items()]
        if statement.outcome is not None and statement.outcome.results:
            held.update(statement.outcome.results[0].fields)
        for slot, place in places:
            if place.name in held:
                text = spelled(held[place.name], place.type, services.schema, SGD)
                if text is not None:
                    found[head.service, slot] = text
    return found


def _calls(turn: Turn, services: Services) -> list[Called]:
    calls: list[Called] = []
    for statement in turn.statements:
        parts = opened(statement)
        head = services.by_owner.get(parts.head.fn) if parts.head is not None else None
        if statement.outcome is None or head is None or head.name == NO_INTENT or parts.head is None:
            continue
        given = dict(parts.head.named) if head.acts else _equal(parts.conjuncts)
        arguments = {
            slot: text
            for slot, place in head.slots.items()
            if place.name in given
            and (text := spelled(given[place.name], place.type, services.schema, SGD)) is not None
        }
        calls.append(Called(head.service, head.name, arguments, _results(statement, head.results, services.schema)))
    return calls


def _equal(conjuncts: tuple[Term, ...]) -> dict[str, Term]:
    """The fields that are compared with one value."""
    found: dict[str, Term] = {}
    for conjunct in conjuncts:
        if isinstance(conjunct, App) and conjunct.args:
            name = getattr(conjunct.args[0], "name", "")
            if conjunct.fn == "is_any":
                found[name] = App("any")
            elif conjunct.fn == "=":
                found[name] = conjunct.args[1]
    return found


def _results(statement: Statement, places: Mapping[str, Any], schema: Schema) -> tuple[Mapping[str, str], ...]:
    def record(result: Record) -> dict[str, str]:
        held = dict(result.fields)
        return {
            slot: text
            for slot, place in places.items()
            if place.name in held and (text := spelled(held[place.name], place.type, schema, SGD)) is not None
        }

    assert statement.outcome is not None
    return tuple(record(result) for result in statement.outcome.results)
