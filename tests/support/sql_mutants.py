"""Small changes to a query that mostly change what it means, each of a named kind, drawn by a seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from dlc.compiler.schema import Schema
from dlc.compiler.terms import Abs, App, Field, Lit, Term, Var, children, rebuild, subterms

KINDS = ("operator", "constant", "conjunct", "column", "distinct", "join")

_OPERATORS = {
    "=": ("!=",),
    "!=": ("=",),
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "in": ("not_in",),
    "not_in": ("in",),
    "like": ("not_like",),
    "not_like": ("like",),
    "asc": ("desc",),
    "desc": ("asc",),
    "and": ("or",),
    "or": ("and",),
    "union": ("intersect", "union_all"),
    "intersect": ("except", "union"),
    "except": ("intersect", "union"),
    "sum": ("avg", "max"),
    "avg": ("sum", "min"),
    "max": ("min",),
    "min": ("max",),
    "count_distinct": ("count",),
}
_JOINS = ("join", "join_left", "join_right", "join_full")

Path = tuple[int, ...]


def mutated(term: Term, kind: str, schema: Schema, chance: random.Random) -> Term | None:
    """The query with one change of a kind; None if there is nothing of the kind to change."""
    spots = list(_spots(term, kind))
    chance.shuffle(spots)
    for path in spots:
        for new in _changes(_at(term, path), kind, _tables(term, schema), schema, chance):
            made = _put(term, path, new)
            if made != term:
                return made
    return None


def _spots(term: Term, kind: str, path: Path = ()) -> Iterator[Path]:
    if _fits(term, kind):
        yield path
    for i, child in enumerate(children(term)):
        yield from _spots(child, kind, (*path, i))


def _fits(term: Term, kind: str) -> bool:
    match kind, term:
        case "operator", App(fn):
            return fn in _OPERATORS
        case "constant", Lit("number" | "text"):
            return True
        case "conjunct", App("and" | "where"):
            return True
        case "column", Field(Var()):
            return True
        case "distinct", App("distinct" | "count_distinct" | "union"):
            return True
        case "join", App(fn, (_, _, Abs())):
            return fn in _JOINS
    return False


def _changes(term: Term, kind: str, tables: dict[str, str], schema: Schema, chance: random.Random) -> Iterator[Term]:
    match kind, term:
        case "operator", App(fn, args, named):
            for other in _shuffled(_OPERATORS[fn], chance):
                yield App(other, args, named)
        case "constant", Lit("number", value):
            step = chance.choice((1, -1))
            number = float(value) + step
            yield Lit("number", f"{int(number) if number.is_integer() else number}")
        case "constant", Lit("text", value):
            # A text's neighbour: one more character.
            yield Lit("text", value + "a")
        case "conjunct", App("and", args):
            dropped = chance.randrange(len(args))
            kept = tuple(a for i, a in enumerate(args) if i != dropped)
            yield kept[0] if len(kept) == 1 else App("and", kept)
        case "conjunct", App("where", (source, _)):
            yield source
        case "column", Field(Var(binder), name) if binder in tables:
            table = schema.table[tables[binder]]
            own = table.by_name[name].type if name in table.by_name else None
            others = [c.name for c in table.columns if c.type == own and c.name != name]
            for other in _shuffled(others, chance):
                yield Field(Var(binder), other)
        case "distinct", App("distinct", (source,)):
            yield source
        case "distinct", App("count_distinct", args):
            yield App("count", args)
        case "distinct", App("union", args):
            yield App("union_all", args)
        case "join", App(fn, (left, right, Abs() as on)):
            changes: list[Term] = [
                App("join_left" if fn == "join" else "join", (left, right, on)),
                App(fn, (left, right)),
            ]
            changes += [App(fn, (left, right, replace(on, body=b))) for b in _other_columns(on.body, tables, schema)]
            yield from _shuffled(changes, chance)


def _other_columns(condition: Term, tables: dict[str, str], schema: Schema) -> Iterator[Term]:
    """The condition of a join over another column of the same type."""
    if isinstance(condition, App) and condition.fn == "=" and isinstance(condition.args[0], Field):
        left, right = condition.args
        assert isinstance(left, Field) and isinstance(left.subject, Var)
        table = schema.table[tables[left.subject.name]] if left.subject.name in tables else None
        if table is not None and left.name in table.by_name:
            own = table.by_name[left.name].type
            for column in table.columns:
                if column.type == own and column.name != left.name:
                    yield App("=", (Field(left.subject, column.name), right))


T = TypeVar("T")


def _shuffled(items: Sequence[T], chance: random.Random) -> list[T]:
    mixed = list(items)
    chance.shuffle(mixed)
    return mixed


def _tables(term: Term, schema: Schema) -> dict[str, str]:
    """The table each binder ranges over, where it is plain."""
    found = {name: name for name in schema.table}
    for part in subterms(term):
        if isinstance(part, App) and part.fn == "as" and isinstance(part.args[1], Lit):
            inner = part.args[0]
            if isinstance(inner, App) and not inner.args and inner.fn in schema.table:
                found[part.args[1].value] = inner.fn
            else:
                found.pop(part.args[1].value, None)
    return found


def _at(term: Term, path: Path) -> Term:
    for step in path:
        term = children(term)[step]
    return term


def _put(term: Term, path: Path, new: Term) -> Term:
    if not path:
        return new
    parts = list(children(term))
    parts[path[0]] = _put(parts[path[0]], path[1:], new)
    return rebuild(term, tuple(parts))
