"""Small random databases for a schema: what tells two queries apart, if anything does.

Values are plain Python values as the runtime has them (Number `int` or `float`, Time and Duration seconds, Money
`(currency, amount)`, Measure in its base unit, dates of the standard library, members and entities their name).
They are drawn from the constants the queries name, values next to those, and few others, so that rows meet.
Keys are unique, references lead somewhere, only optional fields are missing.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from ..compiler.schema import Column, Schema, Table
from ..compiler.terms import App, Entity, Lit, Term, subterms
from .constants import Constant, constant
from .rows import type_name

Database = dict[str, list[dict[str, Any]]]
_EPOCH = date(2019, 3, 1)


def tables_in(terms: Iterable[Term], schema: Schema) -> tuple[str, ...]:
    """Tables the terms use, and all those their references lead to, each after the ones it refers to if it can be."""
    found: list[str] = []

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in found or name in path:
            return
        for column in schema.table[name].columns:
            if column.references is not None and column.references[0] in schema.table:
                add(column.references[0], (*path, name))
        found.append(name)

    for term in terms:
        for part in subterms(term):
            if isinstance(part, App) and not part.args and part.fn in schema.table:
                add(part.fn, ())
    return tuple(found)


class Pools:
    """Values to draw from, by type."""

    def __init__(self, terms: Sequence[Term], schema: Schema) -> None:
        self.schema = schema
        self.constants: dict[str, list[Any]] = {}
        self.units: dict[str, str] = {}
        for term in terms:
            for part in subterms(term):
                self._note(part)

    def _note(self, term: Term) -> None:
        if isinstance(term, Lit) and term.kind not in ("raw", "name", "path"):
            known = constant(term.kind, term.value)
            if known is not None:
                family, _, unit = known.scale.partition(":")
                if unit and family == "money":
                    self.units.setdefault("Money", unit)
                family = "number" if family == "int" else family.removesuffix("Z")
                self.constants.setdefault(family, []).append(_python(known))
        elif isinstance(term, Entity):
            text = term.id if term.id is not None else term.text
            self.constants.setdefault("entity", []).append(text)
        if isinstance(term, App) and term.fn == "number_of" and not isinstance(term.args[0], Lit):
            # Text that is read as numbers is one, mostly.
            self.constants.setdefault("text", []).extend(("0", "1", "2", "10"))
        if isinstance(term, App) and term.fn in ("~", "!~", "like", "not_like") and len(term.args) == 2:
            pattern = term.args[1]
            if isinstance(pattern, Lit) and pattern.kind == "text":
                plain = pattern.value.replace("%", "").replace("_", "u")
                self.constants.setdefault("text", []).append(plain)
                self.constants.setdefault("entity", []).append(plain)

    def draw(self, column: Column, rng: random.Random) -> Any:
        """A value of a column's type."""
        name = type_name(column.type)
        wrapper = self.schema.wrapper.get(name)
        if wrapper is not None:
            name = type_name(wrapper.type)
        match name:
            case "Bool":
                return rng.random() < 0.5
            case "Int":
                return self._whole("number", rng, 4)
            case "Number":
                return self._near("number", rng)
            case "Time":
                return max(0, self._whole("time", rng, 10, 3600))
            case "Duration" | "Measure":
                return self._near(name.lower(), rng)
            case "Money":
                amount = self._near("money", rng)
                return (self.units.get("Money", "usd"), amount)
            case "Date":
                named = self.constants.get("date")
                base = rng.choice(named) if named and rng.random() < 0.7 else _EPOCH
                return base + timedelta(days=rng.randint(-1, 1))
            case "DateTime":
                named = self.constants.get("datetime")
                moment = rng.choice(named) if named and rng.random() < 0.7 else datetime(2019, 3, 1, 12)
                return moment + timedelta(hours=rng.randint(-1, 1))
        enum = self.schema.enum.get(name)
        if enum is not None and enum.members:
            return rng.choice(enum.members).name
        pool = self.constants.get("text" if name == "Text" else "entity", [])
        if pool and rng.random() < 0.65:
            chosen = str(rng.choice(pool))
            return chosen if rng.random() < 0.8 else f"{chosen}{rng.choice('ab')}"
        return rng.choice(("ann", "bob", "cy", ""))

    def _near(self, family: str, rng: random.Random) -> int | float:
        named = self.constants.get(family)
        if named and rng.random() < 0.7:
            value = rng.choice(named) + rng.choice((0, 0, 0, -1, 1, Fraction(1, 2)))
            return int(value) if value == int(value) else float(value)
        return rng.randint(0, 4)

    def _whole(self, family: str, rng: random.Random, other: int, step: int = 1) -> int:
        named = self.constants.get(family)
        if named and rng.random() < 0.7:
            return int(rng.choice(named)) + rng.choice((0, 0, -1, 1))
        return rng.randint(0, other) * step


def _python(known: Constant) -> Any:
    if known.scale == "date":
        return date.fromordinal(max(1, int(known.value) - 365))
    if known.scale.startswith("datetime"):
        days, seconds = divmod(Fraction(known.value), 86400)
        return datetime.fromordinal(max(1, int(days) - 365)) + timedelta(seconds=float(seconds))
    return known.value


def random_database(
    tables: Sequence[str], pools: Pools, rng: random.Random, size: int, keys: bool = True, missing: float = 0.15
) -> Database:
    """Up to `size` rows a table. With `keys`, declared keys are unique and references lead to a row."""
    found: Database = {}
    for name in tables:
        table = pools.schema.table[name]
        rows: list[dict[str, Any]] = []
        for _ in range(rng.randint(0, size)):
            row = _row(table, found, pools, rng, keys, missing)
            if row is not None and not (keys and _clashes(table, row, rows)):
                rows.append(row)
        found[name] = rows
    return found


def crowded_database(tables: Sequence[str], pools: Pools, rng: random.Random, rows: int, keys: bool = True) -> Database:
    """`rows` rows in one table that no other refers to, one or two in the others, most alike but for their keys: one large
    group, which small random tables never have, and joins that stay small.
    """
    referred = {c.references[0] for t in tables for c in pools.schema.table[t].columns if c.references is not None}
    large = rng.choice([t for t in tables if t not in referred] or list(tables))
    same = rng.choice((1.0, 1.0, 0.9))
    found: Database = {}
    for name in tables:
        table = pools.schema.table[name]
        count = rows if name == large else rng.randint(1, 2)
        alike = {c.name: pools.draw(c, rng) for c in table.columns}
        made: list[dict[str, Any]] = []
        for i in range(count):
            row = dict(alike) if rng.random() < same else {c.name: pools.draw(c, rng) for c in table.columns}
            for column in table.columns:
                target = found.get(column.references[0]) if column.references is not None and keys else None
                if target and column.references is not None:
                    row[column.name] = target[0][column.references[1]]
                if keys and (column.key or column.unique):
                    row[column.name] = _numbered(row[column.name], i)
            if not (keys and _clashes(table, row, made)):
                made.append(row)
        found[name] = made
    return found


def _numbered(value: Any, i: int) -> Any:
    """The i-th of different values like this one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    return value + 1000 + i if isinstance(value, int | float) else f"{value}{i}"


def _row(
    table: Table,
    others: Mapping[str, list[dict[str, Any]]],
    pools: Pools,
    rng: random.Random,
    keys: bool,
    missing: float,
) -> dict[str, Any] | None:
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.optional and rng.random() < missing:
            row[column.name] = None
            continue
        target = others.get(column.references[0]) if column.references is not None and keys else None
        if target is not None and column.references is not None:
            if not target:
                if not column.optional:
                    return None
                row[column.name] = None
                continue
            row[column.name] = rng.choice(target)[column.references[1]]
            continue
        row[column.name] = pools.draw(column, rng)
    return row


def _clashes(table: Table, row: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    references = sum(c.references is not None for c in table.columns)
    for column in table.columns:
        bridge = column.references is not None and references > 1
        if (column.key or column.unique) and not bridge and any(r[column.name] == row[column.name] for r in rows):
            return True
    return False
