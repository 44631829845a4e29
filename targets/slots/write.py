"""DL turns as slot states: `{domain: {"semi": {slot: text}, "book": {slot: text, "booked": [item]}}}`."""

from dataclasses import dataclass
from typing import Any

from ...compiler.schema import Schema, Table
from ...compiler.terms import App, Lit, Outcome, Statement, Term, Turn
from ..rows import Note, Written
from . import notes as say
from .layout import Domain
from .opened import no_domain, opened, subject_of
from .states import Memo
from .values import spelled, write_filter


@dataclass(frozen=True, slots=True)
class Assigned:
    """What one statement puts into a state: (domain, part, slot, text or items), notes, and fields shown."""

    slots: tuple[tuple[str, str, str, Any], ...]
    notes: tuple[Note, ...]
    shown: tuple[str, ...] = ()


def write_slots(turn: Turn, schema: Schema, memo: Memo | None = None) -> Written:
    """The state a turn carries. Statuses are not said: a state holds all that is wanted.

    What slots cannot say is noted, the rest kept. A field shown because an act of the turn requests it is no
    loss: the act says it, and acts stand beside states.
    """
    memo = memo if memo is not None else Memo(schema)
    state: dict[str, dict[str, Any]] = {}
    notes: list[Note] = []
    requested = {a.value for act in turn.acts for a in act.args if isinstance(a, Lit) and a.kind == "path"}
    for statement in turn.statements:
        assigned = memo.written.get(statement)
        if not isinstance(assigned, Assigned):
            assigned = memo.written[statement] = _statement(statement, memo)
        notes += assigned.notes
        for path in assigned.shown:
            if path not in requested and "." + path.rpartition(".")[2] not in requested:
                notes.append(say.no_slot(path, f"that the turn shows {path}"))
        for domain, part, slot, value in assigned.slots:
            parts = state.setdefault(domain, {"semi": {}, "book": {}})
            if parts[part].get(slot, value) != value:
                notes.append(say.said_twice(f"{domain}.{part}.{slot}"))
            parts[part][slot] = value
    if turn.acts:
        notes.append(say.acts_elsewhere())
    return Written(state, tuple(notes))


def without_state(turn: Turn) -> Written:
    """The state of an agent's turn, which has none: what it says of results and proposals has no place in one."""
    notes = (say.acts_elsewhere(),) if turn.acts else ()
    return Written({}, (say.no_slot("agent", "what the agent says"), *notes) if turn.statements else notes)


def _statement(statement: Statement, memo: Memo) -> Assigned:
    parts = opened(statement)
    notes = list(parts.notes)
    if parts.head is None:
        return Assigned((), tuple(notes))
    domain = memo.layout.by_owner.get(parts.head.fn)
    if domain is None:
        return Assigned((), (*notes, no_domain(parts.head.fn)))
    if domain.table is not None and parts.head.fn == domain.table.name:
        slots = _query(domain, domain.table, parts.conjuncts, notes, memo)
    else:
        slots = _action(domain, parts.head, notes, memo)
    if statement.outcome is not None:
        slots += _outcome(domain, parts.head.fn, statement.outcome, notes, memo)
    return Assigned(tuple(slots), tuple(notes), parts.shown)


Slots = list[tuple[str, str, str, Any]]


def _query(domain: Domain, table: Table, conjuncts: tuple[Term, ...], notes: list[Note], memo: Memo) -> Slots:
    targets = {t.name: t for t in domain.slots.values() if t.role == "query"}
    slots: Slots = []
    for conjunct in conjuncts:
        spoken = write_filter(conjunct, table.name, targets, memo.schema, memo.spelling)
        if spoken is None:
            notes.append(say.no_slot(subject_of(conjunct), "this condition"))
            continue
        part, _, slot = targets[spoken.field].slot.partition(".")
        if spoken.lost:
            notes.append(say.no_slot(f"{domain.name}.{part}.{slot}", spoken.lost))
        slots.append((domain.name, part, slot, spoken.text))
    return slots


def _action(domain: Domain, call: App, notes: list[Note], memo: Memo) -> Slots:
    targets = {t.name: t for t in domain.slots.values() if t.role == "action"}
    slots: Slots = []
    for label, value in call.named:
        target = targets.get(label)
        if label == domain.key_argument and domain.key is not None:
            target = domain.slots[domain.key]
        text = spelled(value, target.type, memo.schema, memo.spelling) if target is not None else None
        if target is None or text is None:
            notes.append(say.no_slot(label, f"the argument `{label}`"))
            continue
        part, _, slot = target.slot.partition(".")
        slots.append((domain.name, part, slot, text))
    return slots


def _outcome(domain: Domain, owner: str, outcome: Outcome, notes: list[Note], memo: Memo) -> Slots:
    if domain.action is None or owner != domain.action.name:
        notes.append(say.no_slot(owner, "what a query found"))
        return []
    slot_of = {column.name: slot for slot, column in domain.booked.items()}
    items: list[dict[str, str]] = []
    for record in outcome.results:
        item: dict[str, str] = {}
        for label, value in record.fields:
            slot = slot_of.get(label)
            text = spelled(value, domain.booked[slot].type, memo.schema, memo.spelling) if slot is not None else None
            if slot is None or text is None:
                notes.append(say.no_slot(label, f"the result `{label}`"))
            else:
                item[slot] = text
        items.append(item)
    if outcome.count is not None or outcome.more or outcome.error is not None:
        notes.append(say.no_slot(owner, "a count, `more` or an error"))
    return [(domain.name, "book", "booked", items)] if items else []
