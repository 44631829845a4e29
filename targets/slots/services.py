"""Where the state of a service (SGD, MultiWOZ 2.2) holds what a schema declares, read off the schema's facts.

Facts: `@accumulate "service"` on the schema, `@slot` on a table or action its service, on a column or parameter its
slot, on an act its annotated name; `@intent` on a table or action the intent it stands for. The table of a service
that has no `@intent` holds all its slots.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...compiler.schema import Function, Schema, Table, fact
from ...compiler.types import Type
from .values import Spelling

SGD = Spelling(
    absent=frozenset(),
    none="",
    any_like=frozenset(),
    true="True",
    false="False",
    alternatives="",
    odd="",
    negation=("", ""),
)
NO_INTENT = "NONE"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a slot stands in a table or action: the field's name and type."""

    name: str
    type: Type


@dataclass(frozen=True)
class Intent:
    """One head of statements: a search, an action, or (`name` is NO_INTENT) the service's table of all slots.

    slots: what a state's slots are called here; of an action, its arguments. results: what results' are called.
    """

    service: str
    name: str
    owner: Table | Function
    slots: Mapping[str, Place]
    results: Mapping[str, Place]

    @property
    def acts(self) -> bool:
        """Whether it is an action."""
        return isinstance(self.owner, Function)


@dataclass(frozen=True)
class Service:
    """A service: all its slots, and its intents by name."""

    name: str
    all: Intent
    intents: Mapping[str, Intent]


@dataclass(frozen=True)
class Services:
    """The services of a schema by name, the heads of their statements by DL name, and acts by annotated name."""

    schema: Schema
    services: Mapping[str, Service]
    by_owner: Mapping[str, Intent]
    acts: Mapping[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)


def has_services(schema: Schema) -> bool:
    """Whether states over this schema are kept by service, with intents and requested slots."""
    return fact(schema.facts, "accumulate") == "service"


def services_of(schema: Schema) -> Services:
    """The services a schema declares; tables and actions without `@slot` are no part of them."""
    heads: dict[str, list[Intent]] = {}
    declared: list[Table | Function] = [*schema.tables, *(f for f in schema.functions if f.action)]
    for owner in declared:
        service = fact(owner.facts, "slot")
        if service:
            heads.setdefault(service, []).append(_intent(service, owner))
    services: dict[str, Service] = {}
    for name, listed in heads.items():
        whole = next((head for head in listed if head.name == NO_INTENT), None)
        if whole is not None:
            services[name] = Service(name, whole, {head.name: head for head in listed if head.name != NO_INTENT})
    by_owner = {head.owner.name: head for listed in heads.values() for head in listed}
    acts: dict[tuple[str, str], tuple[str, bool]] = {
        (act.speaker, annotated): (act.name, bool(act.params))
        for act in schema.acts
        if (annotated := fact(act.facts, "slot"))
    }
    return Services(schema, services, by_owner, acts)


def _intent(service: str, owner: Table | Function) -> Intent:
    results = {fact(c.facts, "slot") or c.name: Place(c.name, c.type) for c in owner.columns}
    slots = results
    if isinstance(owner, Function):
        slots = {fact(p.facts, "slot") or label: Place(label, p.type) for label, p in owner.labelled.items()}
    return Intent(service, fact(owner.facts, "intent") or NO_INTENT, owner, slots, results)
