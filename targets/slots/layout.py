"""Where a slot state holds what a schema declares, read off the schema's facts and nothing else.

Facts: `@slot "semi.area"` on a column or parameter names its part and slot, on a table or action its domain,
on a result column the field of a booked item, on an act its annotated name; `@act` is a field's name in an act;
`@op` how a filter compares; `@key` ties an argument to a table's key. A schema that nobody wrote a `@slot` into, a database's
for one, has a domain for each table, named like it, and a `semi` slot for each column.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

from ...compiler.schema import Column, Function, Schema, Table, fact
from ...compiler.types import Type

Role: TypeAlias = Literal["query", "action"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a slot stands for: a column of the domain's table or an argument of its action.

    op: the comparison that a filter makes (`=` for arguments). result: a column of the action's outcome.
    """

    role: Role
    owner: str
    name: str
    type: Type
    op: str = "="
    slot: str = ""
    result: bool = False

    @property
    def path(self) -> str:
        """The field as an act names it: `Hotel.phone`."""
        return f"{self.owner}.{self.name}"


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain of a state.

    slots: by "part.slot", in schema order. acts: by the name a dialogue act gives the field, the table's
    field first. booked: fields of a booked item. key: the slot holding the table's key; key_argument:
    the action's argument that takes it.
    """

    name: str
    table: Table | None
    action: Function | None
    slots: Mapping[str, Target]
    acts: Mapping[str, Target]
    booked: Mapping[str, Column]
    key: str | None
    key_argument: str | None

    def has(self, role: Role) -> bool:
        """Whether the domain can be queried, or acted upon."""
        return (self.table if role == "query" else self.action) is not None


@dataclass(frozen=True)
class Layout:
    """The domains of a schema by their name in a state, and its acts by their annotated name."""

    schema: Schema
    domains: Mapping[str, Domain]

    @cached_property
    def by_owner(self) -> Mapping[str, Domain]:
        """Domains by the name of their table and of their action."""
        owned: dict[str, Domain] = {}
        for domain in self.domains.values():
            for owner in (domain.table, domain.action):
                if owner is not None:
                    owned[owner.name] = domain
        return owned

    @cached_property
    def acts(self) -> Mapping[tuple[str, str], tuple[str, bool]]:
        """DL act, and whether it takes fields, by speaker and annotated name."""
        found: dict[tuple[str, str], tuple[str, bool]] = {}
        for act in self.schema.acts:
            annotated = fact(act.facts, "slot")
            if annotated:
                found[act.speaker, annotated] = (act.name, bool(act.params))
        return found


def layout_of(schema: Schema) -> Layout:
    """The layout a schema declares; domains without `@slot` are not part of it, unless there is no `@slot` at all."""
    facts = (*(t.facts for t in schema.tables), *(f.facts for f in schema.functions))
    if not any(fact(f, "slot") is not None for f in facts):
        return Layout(schema, {t.name: _domain(t.name, _slotted(t), None) for t in schema.tables})
    tables = {name: t for t in schema.tables if (name := fact(t.facts, "slot")) is not None}
    actions = {name: f for f in schema.functions if f.action and (name := fact(f.facts, "slot")) is not None}
    names = [*tables, *(name for name in actions if name not in tables)]
    return Layout(schema, {name: _domain(name, tables.get(name), actions.get(name)) for name in names})


def _slotted(table: Table) -> Table:
    columns = (replace(c, facts=(*c.facts, ("slot", f"semi.{c.name}"))) for c in table.columns)
    return replace(table, columns=tuple(columns))


def _domain(name: str, table: Table | None, action: Function | None) -> Domain:
    slots: dict[str, Target] = {}
    acts: dict[str, Target] = {}
    booked: dict[str, Column] = {}
    key = key_argument = None

    def declare(target: Target, act: str | None) -> None:
        if target.slot and not target.result:
            slots[target.slot] = target
        if act:
            acts.setdefault(act, target)

    for column in table.columns if table is not None else ():
        assert table is not None
        slot = fact(column.facts, "slot") or ""
        declare(
            Target("query", table.name, column.name, column.type, fact(column.facts, "op") or "=", slot),
            fact(column.facts, "act"),
        )
        if column.key:
            key = slot or None
    for parameter in action.labelled.values() if action is not None else ():
        assert action is not None and parameter.name is not None
        slot = fact(parameter.facts, "slot") or ""
        declare(Target("action", action.name, parameter.name, parameter.type, "=", slot), fact(parameter.facts, "act"))
        if table is not None and fact(parameter.facts, "key") == table.name:
            key_argument = parameter.name
    for column in action.columns if action is not None else ():
        assert action is not None
        slot = fact(column.facts, "slot") or ""
        declare(Target("action", action.name, column.name, column.type, "=", slot, True), fact(column.facts, "act"))
        if slot.startswith("booked."):
            booked[slot.removeprefix("booked.")] = column
    return Domain(name, table, action, slots, acts, booked, key, key_argument)
