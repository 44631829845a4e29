"""What a schema's names are called in ThingTalk: by their `@thingtalk` fact, else by rule.

Without facts a schema becomes one class `@org.dlc.NAME`, and a name becomes the identifier nearest to it. The
reference tells classes, functions, parameters and entity types apart by place, so only clashes within one list
of parameters need care.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ...compiler.schema import EnumType, Facts, Function, Schema, Table, fact
from ...compiler.types import Con, Type

# Words the reference's lexer keeps for itself, wherever they stand.
_RESERVED_WORDS: Final = """
class enum extends import in let new null of true false return abstract all any as dataset filter function mixin
monitor notify now out opt req sort on await break case catch const continue debugger delete do export finally
for if implements instanceof interface package private protected public static super switch this throw try
typeof var void while with yield aggregate bookkeeping compute edge join oninput Any ArgMap Array Boolean
Compound Currency Date Entity Enum Location Measure Number Object RecurrentTimeSpecification String Time eval
"""
RESERVED: Final = frozenset(_RESERVED_WORDS.split())

ANSWER: Final = "__answer"
"""The column of a question for a truth, `[condition] of query`."""
NOT_SAID: Final = "no"
"""`@thingtalk no`: the neighbour has nothing for it."""

_BASE_TYPES: Final = {
    "Bool": "Boolean",
    "Int": "Number",
    "Number": "Number",
    "Text": "String",
    "Time": "Time",
    "Date": "Date",
    "DateTime": "Date",
    "Duration": "Measure(ms)",
    "Money": "Currency",
    "Location": "Location",
}


def identifier(name: str) -> str:
    """The identifier nearest to a name."""
    made = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not made or made[0].isdigit():
        made = "_" + made
    return made + "_" if made in RESERVED or made.startswith("__") else made


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names with a number after each that came before."""
    taken: set[str] = set()
    out: list[str] = []
    for name in names:
        made, count = name, 2
        while made in taken:
            made, count = f"{name}_{count}", count + 1
        taken.add(made)
        out.append(made)
    return tuple(out)


@dataclass(frozen=True, slots=True)
class Called:
    """A function's ThingTalk name: its class (`uk.ac.cam.multiwoz.Hotel`) and its name in it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"@{self.kind}.{self.name}"


@dataclass(frozen=True)
class Names:
    """Names of one schema. `fields` and `params` give None for what ThingTalk cannot say."""

    schema: Schema
    _fields: dict[str, dict[str, str | None]] = field(default_factory=dict)
    _members: dict[str, dict[str, str]] = field(default_factory=dict)
    _anywhere: dict[str, str] = field(default_factory=dict)

    @property
    def default_kind(self) -> str:
        """The class of everything without a fact."""
        return f"org.dlc.{identifier(self.schema.name)}"

    def called(self, declared: Table | Function) -> Called | None:
        """Class and name of a table or action; None if ThingTalk has none."""
        said = fact(declared.facts, "thingtalk")
        if said == NOT_SAID:
            return None
        if said:
            kind, _, name = said.rpartition(".")
            return Called(kind, name)
        return Called(self.default_kind, identifier(declared.name))

    def fields(self, declared: Table | Function) -> dict[str, str | None]:
        """ThingTalk names of a table's columns, or of an action's parameters and results, by DL name.

        Parameters come before results; a result of a parameter's ThingTalk name is that parameter given back.
        """
        found = self._fields.get(declared.name)
        if found is None:
            found = self._fields[declared.name] = self._named(declared)
        return found

    def _named(self, declared: Table | Function) -> dict[str, str | None]:
        if isinstance(declared, Table):
            return _spelled([(c.name, c.facts) for c in declared.columns])
        given = _spelled([(p.name, p.facts) for p in declared.params if p.name is not None])
        return {**_spelled([(c.name, c.facts) for c in declared.columns]), **given}

    def anywhere(self, name: str) -> str:
        """A field nobody is named for: the one ThingTalk name all fields of this DL name have, else by rule."""
        known = self._anywhere.get(name)
        if known is None:
            declared: list[Table | Function] = [*self.schema.tables, *(f for f in self.schema.functions if f.action)]
            said = {self.fields(d).get(name) for d in declared if self.called(d) is not None} - {None}
            known = self._anywhere[name] = said.pop() or name if len(said) == 1 else identifier(name)
        return known

    def entity(self, name: str) -> str:
        """An entity type: `uk.ac.cam.multiwoz.Hotel:Hotel`."""
        declared = self.schema.entity.get(name)
        said = fact(declared.facts, "thingtalk") if declared is not None else None
        return said if said and said != NOT_SAID else f"{self.default_kind}:{identifier(name)}"

    def members(self, enum: EnumType) -> dict[str, str]:
        """ThingTalk names of an enum's members."""
        found = self._members.get(enum.name)
        if found is None:
            said = distinct(fact(m.facts, "thingtalk") or identifier(m.name) for m in enum.members)
            found = self._members[enum.name] = dict(zip((m.name for m in enum.members), said, strict=True))
        return found

    def type(self, type_: Type) -> str:
        """A type in a class file; what ThingTalk has no type for is a String."""
        if not isinstance(type_, Con):
            return "String"
        name = type_.name
        if name in self.schema.enum:
            enum = self.schema.enum[name]
            return f"Enum({', '.join(self.members(enum).values())})" if is_closed(enum) else "String"
        if name in self.schema.entity or name in self.schema.table:
            return f"Entity({self.entity(name)})"
        if name in self.schema.wrapper:
            return self.type(self.schema.wrapper[name].type)
        if name == "List" and type_.args:
            return f"Array({self.type(type_.args[0])})"
        if name == "Measure" and type_.args and isinstance(type_.args[0], Con):
            return f"Measure({type_.args[0].name})"
        return _BASE_TYPES.get(name, "String")


def is_closed(enum: EnumType) -> bool:
    """Whether ThingTalk's Enum can be the type: class files have no open one, so its members are strings."""
    return bool(enum.members) and not enum.open


def _spelled(members: Iterable[tuple[str, Facts]]) -> dict[str, str | None]:
    """Names of one list: those with a fact keep it, the others avoid them and each other."""
    said = {name: fact(facts, "thingtalk") for name, facts in members}
    free = [name for name, own in said.items() if not own]
    taken = [own for own in said.values() if own and own != NOT_SAID]
    made = distinct([*taken, *(identifier(name) for name in free)])[len(taken) :]
    by_rule = dict(zip(free, made, strict=True))
    return {name: None if own == NOT_SAID else own or by_rule[name] for name, own in said.items()}
