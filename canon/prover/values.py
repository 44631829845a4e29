"""Values, rows and relations of which only the shape is known: what queries compute with during a proof."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import z3

from ...compiler.schema import Schema
from ...compiler.terms import App, Entity, Lit, Term, subterms
from ..constants import constant
from ..context import Context
from ..databases import Database
from ..matching import matches
from ..rows import type_name

_REAL = frozenset(("Number", "Money", "Duration", "Measure", "Text", "DateTime"))


class Unsupported(Exception):
    """A construct the encoding does not cover; the text says which."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A value: whether it is missing, a number that orders like it, and what kind of value that number is."""

    missing: Any
    value: Any
    kind: str


Columns = Mapping[str, Symbol]


@dataclass(frozen=True, slots=True)
class Row:
    """A row by binder, and the condition that it is there."""

    there: Any
    data: Mapping[str, Columns]


@dataclass(frozen=True, slots=True)
class Group:
    """A group: the condition that it exists, and for each row of the relation whether it belongs."""

    there: Any
    members: tuple[Any, ...]
    rows: tuple[Row, ...]


@dataclass(slots=True)
class World:
    """Tables with at most `bound` rows each, and what holds of them.

    `budget`: how many pairs of values may still be compared: formulas beyond it take longer to build than anybody waits.
    `determined` must follow from `facts` for a proof to count: that values picked from groups are the same in every row.
    """

    schema: Schema
    context: Context
    bound: int
    names: dict[str, int]
    tables: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    facts: list[Any] = field(default_factory=list)
    matched: dict[tuple[str, str], Any] = field(default_factory=dict)
    determined: list[Any] = field(default_factory=list)
    budget: int = 30_000

    def spend(self, pairs: int) -> None:
        """Pay for comparing so many pairs of values. Raises Unsupported."""
        self.budget -= pairs
        if self.budget < 0:
            raise Unsupported("results with so many rows and columns")

    def table(self, name: str) -> tuple[Row, ...]:
        """The symbolic rows of a table; made, with those its references lead to, on first use."""
        found = self.tables.get(name)
        if found is not None:
            return found
        declared = self.schema.table[name]
        rows = []
        for i in range(self.bound):
            columns = {c.name: self._column(f"{name}.{i}.{c.name}", c.type, c.optional) for c in declared.columns}
            rows.append(Row(z3.Bool(f"{name}.{i}"), {name: columns}))
        self.tables[name] = tuple(rows)
        for earlier, later in pairwise(rows):
            self.facts.append(z3.Implies(later.there, earlier.there))
        for key in self.context.trusted_keys(declared):
            for i, a in enumerate(rows):
                for b in rows[:i]:
                    differ = a.data[name][key].value != b.data[name][key].value
                    self.facts.append(z3.Implies(z3.And(a.there, b.there), differ))
        for column in declared.columns:
            if column.references is not None and self.context.assume.keys and column.references[0] in self.schema.table:
                target, key = column.references
                for row in rows:
                    own = row.data[name][column.name]
                    leads = [
                        z3.And(p.there, z3.Not(p.data[target][key].missing), p.data[target][key].value == own.value)
                        for p in self.table(target)
                    ]
                    self.facts.append(z3.Implies(z3.And(row.there, z3.Not(own.missing)), z3.Or(leads)))
        return self.tables[name]

    def _column(self, name: str, type_: Any, optional: bool) -> Symbol:
        kind = type_name(type_)
        wrapper = self.schema.wrapper.get(kind)
        if wrapper is not None:
            kind = type_name(wrapper.type)
        value = z3.Real(name) if kind in _REAL else z3.Int(name)
        enum = self.schema.enum.get(kind)
        if enum is not None:
            kind = f"enum:{kind}"
            self.facts.append(value >= 0)
            if not enum.open:
                self.facts.append(value < len(enum.members))
        elif kind == "Bool":
            self.facts.append(z3.And(value >= 0, value <= 1))
        elif kind == "Text":
            self.facts.append(value >= 0)
        missing = z3.Bool(f"{name}?") if optional else z3.BoolVal(False)
        return Symbol(missing, value, kind)

    def constant(self, term: Term, like: str) -> Symbol | None:
        """A constant compared with a value of kind `like`."""
        present = z3.BoolVal(False)
        if isinstance(term, Lit):
            known = constant(term.kind, term.value)
            if known is None:
                raise Unsupported(f"`{term.value}` has no value")
            if known.scale == "text":
                return Symbol(present, z3.RealVal(self.names[str(known.value)]), "Text")
            if known.scale == "bool":
                return Symbol(present, z3.IntVal(int(known.value == "true")), "Bool")
            whole = isinstance(known.value, int) and like not in _REAL and known.scale != "number"
            value = z3.IntVal(known.value) if whole else z3.RealVal(str(known.value))
            return Symbol(present, value, known.scale)
        if isinstance(term, Entity):
            return Symbol(present, z3.IntVal(self.names[str(term.id if term.id is not None else term.text)]), "entity")
        if isinstance(term, App) and not term.args and not term.named and like.startswith("enum:"):
            members = [m.name for m in self.schema.enum[like[5:]].members]
            place = members.index(term.fn) if term.fn in members else len(members) + self.names[term.fn]
            return Symbol(present, z3.IntVal(place), like)
        return None

    def computed(self, name: str, arguments: tuple[Symbol, ...], kind: str) -> Symbol:
        """A function of present values of which nothing is known but that equal values give equal results."""
        values = [z3.ToReal(a.value) if a.value.sort() == z3.IntSort() else a.value for a in arguments]
        function = z3.Function(f"{name}/{len(values)}", *(z3.RealSort() for _ in values), z3.RealSort())
        return Symbol(z3.Or([a.missing for a in arguments]), function(*values), kind)

    def match(self, operator: str, pattern: str, subject: Symbol) -> Any:
        """A text match: some property of texts, known for the texts the queries name."""
        sort = subject.value.sort()
        key = (f"{operator} {sort}", pattern)
        if key not in self.matched:
            self.matched[key] = z3.Function(f"{operator} {pattern!r} {sort}", sort, z3.BoolSort())
            for text, code in self.names.items():
                code_value = z3.RealVal(code) if sort == z3.RealSort() else z3.IntVal(code)
                self.facts.append(self.matched[key](code_value) == matches(operator, text, pattern))
        return self.matched[key](subject.value)


def named_texts(terms: tuple[Term, ...]) -> dict[str, int]:
    """Codes that order like the texts: texts, entities and names the queries mention, and ""."""
    found = {""}
    for term in terms:
        for part in subterms(term):
            if isinstance(part, Lit) and part.kind == "text":
                found.add(part.value)
            elif isinstance(part, Entity):
                found.add(str(part.id if part.id is not None else part.text))
            elif isinstance(part, App) and not part.args:
                found.add(part.fn)
    return {text: i for i, text in enumerate(sorted(found))}


def database_of(model: Any, world: World) -> Database:
    """The database a model describes. Values the queries name by themselves, others by a name of their own."""
    texts = {code: text for text, code in world.names.items()}

    def python(symbol: Symbol) -> Any:
        if z3.is_true(model.eval(symbol.missing, model_completion=True)):
            return None
        found = model.eval(symbol.value, model_completion=True)
        if z3.is_algebraic_value(found):
            found = found.approx(12)
        number = found.as_fraction() if hasattr(found, "as_fraction") else found.as_long()
        if symbol.kind.startswith("enum:"):
            members = [m.name for m in world.schema.enum[symbol.kind[5:]].members]
            return (
                members[int(number)] if number < len(members) else texts.get(int(number) - len(members), f"m{number}")
            )
        match symbol.kind:
            case "Bool":
                return bool(number)
            case "Number" | "Int" | "Duration" | "Measure":
                return int(number) if number == int(number) else float(number)
            case "Time":
                return int(number)
            case "Money":
                return ("usd", int(number) if number == int(number) else float(number))
            case "Date":
                return date.fromordinal(min(max(1, int(number) - 365), 3_000_000))
            case "DateTime":
                days, seconds = divmod(number, 86400)
                return datetime.fromordinal(min(max(1, int(days) - 365), 3_000_000)) + timedelta(seconds=float(seconds))
        if number == int(number) and int(number) in texts:
            return texts[int(number)]
        below = max((c for c in texts if c <= number), default=0)
        return f"{texts[below]}~{number}"

    return {
        name: [
            {column: python(symbol) for column, symbol in row.data[name].items()}
            for row in rows
            if z3.is_true(model.eval(row.there, model_completion=True))
        ]
        for name, rows in world.tables.items()
    }
