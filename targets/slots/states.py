"""One domain's state as DL statements, built once for each state that occurs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Entity, Outcome, Record, Statement, Term, Var, subterms
from ...compiler.terms import Field as FieldTerm
from ...compiler.types import show
from ..rows import Note
from . import notes as say
from .layout import Domain, Layout, Role, layout_of
from .values import MULTIWOZ, Spelling, read_argument, read_filter, read_listed


@dataclass(slots=True)
class DomainState:
    """What a state says about one domain.

    query, action: the terms, None where the state says nothing. fields: by role, what was annotated, the
    action's key left out: what a change is measured by. outcome: the booked items.
    key_known: the state names one entity of the domain's table.
    """

    domain: Domain
    query: App | None
    action: App | None
    fields: Mapping[Role, Mapping[str, str]]
    outcome: Outcome | None
    key_known: bool
    notes: tuple[Note, ...]
    statements: dict[object, Statement] = field(default_factory=dict)

    def statement(self, role: Role, accepted: bool, shown: tuple[str, ...] = ()) -> Statement | None:
        """The statement of a role, or what the user asks for if the state has none; None if neither.

        Accepted, an action stands apart from what an earlier booking gave (`booked`): the outcome belongs
        to a call that has run.
        """
        key = (role, accepted, shown)
        made = self.statements.get(key)
        if made is None:
            term = self._term(role, accepted, shown)
            if term is None:
                return None
            outcome = self.outcome if role == "action" and not accepted else None
            made = Statement(term, "accepted" if accepted else "confirmed", None, outcome)
            self.statements[key] = made
        return made

    def booked(self) -> Statement | None:
        """The outcome of an earlier booking, on a call of which nothing else is known."""
        if self.outcome is None or self.domain.action is None:
            return None
        made = self.statements.get("booked")
        if made is None:
            made = Statement(App(self.domain.action.name), "confirmed", None, self.outcome)
            self.statements["booked"] = made
        return made

    def _term(self, role: Role, accepted: bool, shown: tuple[str, ...]) -> Term | None:
        term = self.query if role == "query" else self.action
        if term is None:
            owner = self.domain.table if role == "query" else self.domain.action
            if owner is None or not (accepted or (role == "action" and self.outcome is not None)):
                return None
            term = App(owner.name)
        if shown and self.domain.table is not None:
            row = self.domain.table.name
            items = tuple((name, Abs("row", (row,), FieldTerm(Var(row), name))) for name in shown)
            return App("show", (term,), items)
        return term


@dataclass
class Memo:
    """What a reader or writer of slots keeps from turn to turn. One for each schema, made by the caller."""

    schema: Schema
    spelling: Spelling = MULTIWOZ
    layout: Layout = field(init=False)
    states: dict[object, DomainState | None] = field(default_factory=dict)
    values: dict[tuple[str, str, str | tuple[str, ...]], Term] = field(default_factory=dict)
    acts: dict[object, object] = field(default_factory=dict)
    written: dict[Statement, object] = field(default_factory=dict)
    limit: int = 200_000

    def __post_init__(self) -> None:
        self.layout = layout_of(self.schema)

    def trim(self) -> None:
        """Forget everything once a table is full, so that memory stays bounded on any stream."""
        for table in (self.states, self.values, self.acts, self.written):
            if len(table) > self.limit:
                table.clear()


def domain_state(name: str, parts: Mapping[str, Any], memo: Memo) -> DomainState | None:
    """The state of one domain; None if it says nothing.

    parts: `{"semi": {slot: text}, "book": {slot: text, "booked": [item]}}`; a tuple of texts in the place of one
    lists several values. Unknown names and values of other kinds are left out with a note that tells of the loss.
    """
    try:
        semi, book = parts.get("semi") or {}, parts.get("book") or {}
        booked = book.get("booked")
        key = (name, tuple(semi.items()), tuple(item for item in book.items() if item[0] != "booked"), _frozen(booked))
        if key in memo.states:
            return memo.states[key]
    except (AttributeError, TypeError):
        return _state(name, parts, memo)
    made = memo.states[key] = _state(name, parts, memo)
    return made


def _frozen(booked: Any) -> object:
    return tuple(tuple(item.items()) for item in booked) if booked else None


def _state(name: str, parts: Any, memo: Memo) -> DomainState | None:
    schema, spelling, layout = memo.schema, memo.spelling, memo.layout
    domain = layout.domains.get(name)
    notes: list[Note] = []
    conjuncts: list[Term] = []
    arguments: dict[str, Term] = {}
    fields: dict[Role, dict[str, str]] = {"query": {}, "action": {}}
    known: list[str] = []
    results: tuple[Record, ...] = ()
    key: Entity | None = None
    if not isinstance(parts, dict):
        return DomainState(_nowhere(name), None, None, fields, None, False, (say.not_text(name, parts),))
    for part, slots in parts.items():
        if not isinstance(slots, dict):
            notes.append(say.not_text(f"{name}.{part}", slots))
            continue
        for slot, value in slots.items():
            if slot == "booked" and part == "book":
                results = _booked(name, domain, value, notes, memo)
                continue
            if isinstance(value, str) and value in spelling.absent:
                continue
            target = domain.slots.get(f"{part}.{slot}") if domain is not None else None
            if target is None:
                known = known or [f"{d}.{s}" for d, found in layout.domains.items() for s in found.slots]
                notes.append(say.unknown_slot(f"{name}.{part}.{slot}", known))
                continue
            if not isinstance(value, str | tuple):
                notes.append(say.not_text(f"{name}.{part}.{slot}", value))
                continue
            term = memo.values.get((target.owner, target.name, value))
            if term is None:
                if isinstance(value, tuple):
                    term = read_listed(value, target, schema, spelling)
                elif target.role == "query":
                    term = read_filter(value, target, schema, spelling)
                else:
                    term = read_argument(value, target.type, schema, spelling)
                memo.values[target.owner, target.name, value] = term
            shown = value if isinstance(value, str) else spelling.alternatives.join(value)
            if target.role == "query":
                conjuncts.append(term)
                if domain is not None and target.slot == domain.key and isinstance(term, App) and term.fn == "=":
                    key = term.args[1] if isinstance(term.args[1], Entity) else None
            else:
                arguments[target.name] = term
            fields[target.role][target.name] = shown
            if any(_is_raw(inner) for inner in subterms(term)):
                notes.append(say.kept_raw(f"{name}.{part}.{slot}", shown, show(target.type)))
    if domain is None:
        return DomainState(_nowhere(name), None, None, fields, None, False, tuple(notes)) if notes else None
    outcome = Outcome(results) if results else None
    if not (conjuncts or arguments or outcome or notes):
        return None
    if key is not None and arguments and domain.key_argument is not None:
        arguments[domain.key_argument] = key
    return DomainState(
        domain,
        _query(domain, conjuncts),
        _action(domain, arguments),
        fields,
        outcome,
        key is not None,
        tuple(notes),
    )


def _nowhere(name: str) -> Domain:
    return Domain(name, None, None, {}, {}, {}, None, None)


def _is_raw(term: Term) -> bool:
    return getattr(term, "kind", None) == "raw"


def _query(domain: Domain, conjuncts: list[Term]) -> App | None:
    if not conjuncts or domain.table is None:
        return None
    body = conjuncts[0] if len(conjuncts) == 1 else App("and", tuple(conjuncts))
    return App("where", (App(domain.table.name), Abs("spec", (domain.table.name,), body)))


def _action(domain: Domain, arguments: dict[str, Term]) -> App | None:
    if not arguments or domain.action is None:
        return None
    ordered = tuple((label, arguments[label]) for label in domain.action.labelled if label in arguments)
    return App(domain.action.name, (), ordered)


def _booked(name: str, domain: Domain | None, booked: Any, notes: list[Note], memo: Memo) -> tuple[Record, ...]:
    if not isinstance(booked, list):
        if booked not in (None, ""):
            notes.append(say.not_text(f"{name}.book.booked", booked))
        return ()
    records = []
    for item in booked:
        if not isinstance(item, dict):
            notes.append(say.not_text(f"{name}.book.booked", item))
            continue
        fields: list[tuple[str, Term]] = []
        for slot, value in item.items():
            column = domain.booked.get(slot) if domain is not None else None
            part = f"{name}.book.booked.{slot}"
            if column is None:
                notes.append(
                    say.unknown_slot(part, [f"{name}.book.booked.{s}" for s in (domain.booked if domain else ())])
                )
            elif not isinstance(value, str):
                notes.append(say.not_text(part, value))
            else:
                fields.append((column.name, read_argument(value, column.type, memo.schema, memo.spelling)))
        records.append(Record(tuple(fields)))
    return tuple(records)
