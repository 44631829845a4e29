"""The slots a ThingTalk state amounts to, by the published extraction, over a small neutral structure.

Whoever reads ThingTalk turns the state after a turn into `Statement`s; this module knows no syntax.
Source: stanford-oval/genie-toolkit, `lib/dataset-tools/evaluation/slot_extractor.ts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is, as far as its slot text depends on it."""

    TEXT = "text"
    BOOLEAN = "boolean"
    ENTITY = "entity"
    OTHER = "other"
    """Number, time, enum and the like: lower-cased text."""
    UNDEFINED = "undefined"
    """`$?`: asked for, not given."""
    VARIABLE = "variable"
    """Passed on from another statement."""
    DONTCARE = "dontcare"


@dataclass(frozen=True, slots=True)
class SlotValue:
    """`text`: what the value shows. A boolean is "true" or "false". An entity's `text` is its canonical name where a database gave
    one, else its display, else its id. A computation is the value of its first operand; a list the value of its first element."""

    kind: Kind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison of a filter; its operator does not matter here."""

    param: str
    value: SlotValue


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


Filter = Atom | And | Or | Not


@dataclass(frozen=True, slots=True)
class Invocation:
    """One function call with the filters that stand around it.

    `kind`: the device class (`com.example.Hotel` or `@…`-less), whose last segment names the domain. `arguments`: every argument the
    function declares, in and out. `params`: the input parameters given.
    """

    kind: str
    arguments: tuple[str, ...]
    params: tuple[tuple[str, SlotValue], ...] = ()
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One item of the dialogue's history. `proposed`: the agent's offer, invisible here."""

    invocations: tuple[Invocation, ...]
    proposed: bool = False


def slots_after(statements: Sequence[Statement]) -> dict[str, str]:
    """The slots of a state, by `domain-name`: its statements in order, later ones overriding what their function can say."""
    slots: dict[str, str] = {}
    for statement in statements:
        if not statement.proposed:
            for invocation in statement.invocations:
                _apply(slots, invocation)
    slots.pop("train-name", None)
    return slots


def _apply(slots: dict[str, str], invocation: Invocation) -> None:
    domain = invocation.kind.rpartition(".")[2].lower()
    for argument in invocation.arguments:
        # A booking takes the place it books as an argument named like the domain; that must not erase the name.
        if argument != domain:
            slots.pop(slot_name(domain, argument), None)
    for param, value in invocation.params:
        _fill(slots, domain, param, value)
    # An explicit stack: a filter can be nested deeper than the interpreter recurses.
    stack: list[Filter] = list(reversed(invocation.filters))
    while stack:
        part = stack.pop()
        if isinstance(part, Atom):
            _fill(slots, domain, part.param, part.value)
        elif isinstance(part, And) or (isinstance(part, Or) and len(part.parts) == 1):
            stack.extend(reversed(part.parts))


def _fill(slots: dict[str, str], domain: str, param: str, value: SlotValue) -> None:
    if value.kind not in (Kind.UNDEFINED, Kind.VARIABLE):
        slots[slot_name(domain, param)] = slot_text(value)


def slot_name(domain: str, param: str) -> str:
    """`id` and a parameter named like the domain are the domain's `name`; underscores become hyphens."""
    return f"{domain}-{'name' if param in ('id', domain) else param.replace('_', '-')}"


def slot_text(value: SlotValue) -> str:
    """A value as slot text: booleans yes and no, don't-care as `dontcare`, the rest in lower case."""
    if value.kind is Kind.DONTCARE:
        return "dontcare"
    if value.kind is Kind.BOOLEAN:
        return "yes" if value.text == "true" else "no"
    return value.text.lower()


RENAMED: Mapping[str, str] = {
    f"{domain}-{ours}": f"{domain}-{theirs}"
    for domain, ours, theirs in (
        *((d, "price-range", "pricerange") for d in ("hotel", "restaurant")),
        *((d, f"book-{x}", f"book {x}") for d in ("hotel", "restaurant") for x in ("day", "people", "stay", "time")),
        ("train", "book-people", "book people"),
        *(
            (d, ours, theirs)
            for d in ("train", "taxi")
            for ours, theirs in (("leave-at", "leaveat"), ("arrive-by", "arriveby"))
        ),
    )
}
"""Names of these slots in MultiWOZ 2.1's tracker inventory, where they differ."""


def multiwoz_names(slots: Mapping[str, str]) -> dict[str, str]:
    """`slots` under MultiWOZ 2.1's names, so that they can be compared with slot states."""
    return {RENAMED.get(slot, slot): value for slot, value in slots.items()}
