"""Schemas: what a domain declares. The compiler knows no domain but through one of these.

Facts (`@name value`) belong to the neighbours and are never read by the compiler's core; the targets look
them up with `fact`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from .types import BUILTIN_TYPES, Con, Type

FactValue: TypeAlias = str | tuple[str, ...] | None
Facts: TypeAlias = tuple[tuple[str, FactValue], ...]


def fact(facts: Facts, name: str) -> str | None:
    """The one value of a fact: its text, "" for a fact without value, None if it is not there."""
    for key, value in facts:
        if key == name:
            return "" if value is None else value if isinstance(value, str) else ", ".join(value)
    return None


def fact_list(facts: Facts, name: str) -> tuple[str, ...]:
    """The values of a list-valued fact."""
    for key, value in facts:
        if key == name:
            return value if isinstance(value, tuple) else () if value is None else (value,)
    return ()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enum, or an error code."""

    name: str
    facts: Facts = ()


@dataclass(frozen=True)
class EnumType:
    """`ordered open enum Area @fact = east | north`. Open enums accept members they do not list."""

    name: str
    members: tuple[Member, ...] = ()
    open: bool = False
    ordered: bool = False
    facts: Facts = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the members."""
        return frozenset(m.name for m in self.members)


@dataclass(frozen=True, slots=True)
class EntityType:
    """`entity Hotel < Place`: things known by name or identifier."""

    name: str
    supertype: str | None = None
    open: bool = False
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Wrapper:
    """`wrapper PersonName = Text`: a type of its own around another."""

    name: str
    type: Type
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a table or a result: optional means its value may be missing."""

    name: str
    type: Type
    optional: bool = False
    key: bool = False
    unique: bool = False
    minimum: str | None = None
    maximum: str | None = None
    references: tuple[str, str] | None = None
    facts: Facts = ()


@dataclass(frozen=True)
class Table:
    """A relation and the type of its rows. A table and an entity of one name are one type with fields."""

    name: str
    columns: tuple[Column, ...]
    facts: Facts = ()

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """Columns by name."""
        return {c.name: c for c in self.columns}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: positional ones are required and come first, labelled ones may be optional."""

    name: str | None
    type: Type
    positional: bool = False
    optional: bool = False
    minimum: str | None = None
    maximum: str | None = None
    facts: Facts = ()


@dataclass(frozen=True)
class Function:
    """A function or action. Actions have effects: a statement may leave any of their arguments out.

    `tparams` are (name, class) pairs; class is "" or one of Eq, Ord, Num, Match.
    `columns` are the named results of an action; `errors` its error codes.
    """

    name: str
    params: tuple[Parameter, ...]
    result: Type
    tparams: tuple[tuple[str, str], ...] = ()
    action: bool = False
    columns: tuple[Column, ...] = ()
    errors: tuple[Member, ...] = ()
    facts: Facts = ()

    @cached_property
    def positional(self) -> tuple[Parameter, ...]:
        """Parameters before `;`."""
        return tuple(p for p in self.params if p.positional)

    @cached_property
    def labelled(self) -> Mapping[str, Parameter]:
        """Parameters after `;`, by label, in order."""
        return {p.name: p for p in self.params if not p.positional and p.name is not None}


@dataclass(frozen=True, slots=True)
class FieldDecl:
    """`field Event.start: DateTime`: a field of a type that is no table."""

    owner: str
    name: str
    type: Type
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class ActDecl:
    """`act agent sys_slot_fill(fields)`: a dialogue act and what it takes."""

    speaker: Literal["user", "agent"]
    name: str
    params: tuple[Parameter, ...] = ()
    facts: Facts = ()


@dataclass(frozen=True)
class Schema:
    """Everything declared for one domain or dataset, in order. Lookups are computed once."""

    name: str
    enums: tuple[EnumType, ...] = ()
    entities: tuple[EntityType, ...] = ()
    wrappers: tuple[Wrapper, ...] = ()
    tables: tuple[Table, ...] = ()
    functions: tuple[Function, ...] = ()
    fields: tuple[FieldDecl, ...] = ()
    acts: tuple[ActDecl, ...] = ()
    facts: Facts = field(default=())

    @cached_property
    def enum(self) -> Mapping[str, EnumType]:
        """Enums by name."""
        return {e.name: e for e in self.enums}

    @cached_property
    def entity(self) -> Mapping[str, EntityType]:
        """Entities by name."""
        return {e.name: e for e in self.entities}

    @cached_property
    def wrapper(self) -> Mapping[str, Wrapper]:
        """Wrappers by name."""
        return {w.name: w for w in self.wrappers}

    @cached_property
    def table(self) -> Mapping[str, Table]:
        """Tables by name."""
        return {t.name: t for t in self.tables}

    @cached_property
    def function(self) -> Mapping[str, Function]:
        """Functions and actions by name."""
        return {f.name: f for f in self.functions}

    @cached_property
    def act(self) -> Mapping[tuple[str, str], ActDecl]:
        """Acts by speaker and name."""
        return {(a.speaker, a.name): a for a in self.acts}

    @cached_property
    def enums_of_member(self) -> Mapping[str, tuple[EnumType, ...]]:
        """The enums that list a member, by its name."""
        found: dict[str, tuple[EnumType, ...]] = {}
        for enum in self.enums:
            for member in enum.members:
                found[member.name] = (*found.get(member.name, ()), enum)
        return found

    @cached_property
    def own_fields(self) -> Mapping[tuple[str, str], FieldDecl]:
        """Fields of types that are no tables, by owner and name."""
        return {(f.owner, f.name): f for f in self.fields}

    @cached_property
    def type_arity(self) -> Mapping[str, int]:
        """Every type name with the number of arguments it takes (seen in use, for harvested types)."""
        arity = dict(BUILTIN_TYPES)
        for named in (self.enums, self.entities, self.wrappers, self.tables):
            arity.update({declared.name: 0 for declared in named})
        return arity

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Names of types that signatures and fields name, declared or not (harvested schemas declare few)."""
        names = {f.owner for f in self.fields}
        todo: list[Type] = [p.type for f in self.functions for p in f.params]
        todo += [f.result for f in self.functions] + [f.type for f in self.fields]
        while todo:
            type_ = todo.pop()
            if isinstance(type_, Con):
                names.add(type_.name)
                todo.extend(type_.args)
        return frozenset(names)

    def column(self, owner: str, name: str) -> Column | None:
        """A field's declaration with its optionality and bounds: of a table, else of another type."""
        table = self.table.get(owner)
        if table is not None and name in table.by_name:
            return table.by_name[name]
        declared = self.own_fields.get((owner, name))
        return Column(declared.name, declared.type, facts=declared.facts) if declared else None

    def fields_of(self, owner: str) -> tuple[str, ...]:
        """Names of a type's fields."""
        table = self.table.get(owner)
        own = tuple(f.name for f in self.fields if f.owner == owner)
        return (tuple(table.by_name) if table else ()) + own

    def supertypes(self, name: str) -> tuple[str, ...]:
        """Declared supertypes of an entity, nearest first."""
        chain: list[str] = []
        entity = self.entity.get(name)
        while entity is not None and entity.supertype is not None and entity.supertype not in chain:
            chain.append(entity.supertype)
            entity = self.entity.get(entity.supertype)
        return tuple(chain)

    def is_entity(self, type_: Type) -> bool:
        """Whether values of a type are known by name: declared entities, and tables (rows by their key)."""
        return isinstance(type_, Con) and not type_.args and (type_.name in self.entity or type_.name in self.table)


def merge(first: Schema, second: Schema) -> Schema:
    """Both schemas' declarations; where a name is declared twice the second wins."""

    def joined(a: tuple, b: tuple, key: object) -> tuple:  # type: ignore[type-arg]
        names = {key(x) for x in b}  # type: ignore[operator]
        return tuple(x for x in a if key(x) not in names) + b  # type: ignore[operator]

    def name(x: object) -> object:
        return x.name  # type: ignore[attr-defined]

    return Schema(
        second.name,
        joined(first.enums, second.enums, name),
        joined(first.entities, second.entities, name),
        joined(first.wrappers, second.wrappers, name),
        joined(first.tables, second.tables, name),
        joined(first.functions, second.functions, name),
        joined(first.fields, second.fields, lambda f: (f.owner, f.name)),
        joined(first.acts, second.acts, lambda a: (a.speaker, a.name)),
        second.facts,
    )
