"""Queries over symbolic tables: each relation is a list of rows with the condition that they are there."""

from collections.abc import Mapping
from typing import Any

import z3

from ...compiler.terms import Abs, App, Ascribe, Entity, Field, Lit, Term, Var, subterms
from ..matching import NEGATED_MATCH
from ..order import term_key
from .values import Columns, Group, Row, Symbol, Unsupported, World

Env = Mapping[str, Columns]
Relation = tuple[Row, ...]
# More rows than this in one relation make formulas that Z3 does not finish.
MAX_ROWS = 64

_COMPARE = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_FALSE = z3.BoolVal(False)
# Functions that give a missing value exactly for a missing argument: what else they compute does not matter to a proof.
_OPAQUE = {
    **dict.fromkeys(("number_of", "to_number", "to_whole", "length", "position_of"), "Number"),
    **dict.fromkeys(("abs", "round", "ceiling", "floor", "sign", "*"), "Number"),
    **dict.fromkeys(("text_of", "to_text", "upper", "lower", "trim", "replace", "substring", "concat"), "Text"),
}


class Encoder:
    """Encodes queries over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    # ------------------------------------------------------------ relations

    def relation(self, term: Term, env: Env) -> Relation:
        """The rows of a query."""
        match term:
            case App("where", (source, Abs() as over)):
                if self._grouped(source):
                    raise Unsupported("groups shown whole")
                return tuple(
                    Row(z3.And(r.there, self.condition(over.body, self._inside(r, over, env), None)), r.data)
                    for r in self.relation(source, env)
                )
            case App("as", (source, Lit("name", name))):
                rows = self.relation(source, env)
                return tuple(Row(r.there, {name: next(iter(r.data.values()))}) for r in rows)
            case App("join" | "join_left" as fn, (left, right, *on)):
                return self._join(fn, self.relation(left, env), self.relation(right, env), on, env)
            case App("show", (source, *_), named):
                return self._show(source, named, env)
            case App("distinct", (source,)):
                return self._first(self.relation(source, env))
            case App("sort", (source, *_)):
                return self.relation(source, env)
            case App("union" | "union_all" as fn, (left, right)):
                first, second = self.relation(left, env), self.relation(right, env)
                rows = first + tuple(Row(r.there, _relabelled(r, first)) for r in second)
                return self._first(rows) if fn == "union" else rows
            case App("except" | "intersect" as fn, (left, right)):
                first, second = self._first(self.relation(left, env)), self.relation(right, env)
                self.world.spend(len(first) * len(second) * width(first))
                out = []
                for row in first:
                    among = z3.Or([z3.And(o.there, same(row, o)) for o in second])
                    out.append(Row(z3.And(row.there, among if fn == "intersect" else z3.Not(among)), row.data))
                return tuple(out)
            case App(name, (), (), ()) if name in self.world.schema.table:
                return self.world.table(name)
            case Ascribe(inner, _):
                return self.relation(inner, env)
        raise Unsupported(f"`{term.fn}`" if isinstance(term, App) else "this relation")

    def _grouped(self, term: Term) -> bool:
        while isinstance(term, App) and term.fn in ("where", "sort") and term.args:
            term = term.args[0]
        return isinstance(term, App) and term.fn in ("group", "whole")

    def _inside(self, row: Row, over: Abs, env: Env) -> Env:
        return {**env, **dict(zip(over.params, row.data.values(), strict=True))}

    def _join(self, fn: str, left: Relation, right: Relation, on: list[Term], env: Env) -> Relation:
        if len(left) * len(right) > MAX_ROWS:
            raise Unsupported("a join with more rows than the proof can handle")
        out: list[Row] = []
        for a in left:
            met = []
            for b in right:
                row = Row(z3.And(a.there, b.there), {**a.data, **b.data})
                if on and isinstance(on[0], Abs):
                    holds = self.condition(on[0].body, self._inside(row, on[0], env), None)
                    row = Row(z3.And(row.there, holds), row.data)
                met.append(row.there)
                out.append(row)
            if fn == "join_left" and right:
                empty = {
                    n: {c: Symbol(z3.BoolVal(True), s.value, s.kind) for c, s in columns.items()}
                    for n, columns in right[0].data.items()
                }
                out.append(Row(z3.And(a.there, z3.Not(z3.Or(met))), {**a.data, **empty}))
        return tuple(out)

    def _first(self, rows: Relation) -> Relation:
        """Rows that no earlier row is equal to."""
        self.world.spend(len(rows) ** 2 // 2 * width(rows))
        out = []
        for i, row in enumerate(rows):
            earlier = [z3.And(o.there, same(row, o)) for o in rows[:i]]
            out.append(Row(z3.And(row.there, z3.Not(z3.Or(earlier))) if earlier else row.there, row.data))
        return tuple(out)

    def _show(self, source: Term, named: tuple[tuple[str, Term], ...], env: Env) -> Relation:
        if self._grouped(source):
            groups = self.groups(source, env)
            return tuple(Row(g.there, {"it": self._items(named, g.rows, env, g)}) for g in groups)
        rows = self.relation(source, env)
        return tuple(Row(r.there, {"it": self._items(named, (r,), env, None)}) for r in rows)

    def _items(
        self, named: tuple[tuple[str, Term], ...], rows: tuple[Row, ...], env: Env, group: Group | None
    ) -> Columns:
        columns: dict[str, Symbol] = {}
        for label, over in named:
            if not isinstance(over, Abs):
                raise Unsupported("this projection")
            if over.body == App("all_fields"):
                if group is not None:
                    raise Unsupported("groups shown whole")
                for binder, data in rows[0].data.items():
                    columns.update({f"{binder}.{name}" if name in columns else name: s for name, s in data.items()})
                continue
            columns[label] = self.value(over.body, self._inside(rows[0], over, env), group and (group, over, env))
        return columns

    def groups(self, term: Term, env: Env) -> tuple[Group, ...]:
        """The groups of a grouped relation: each begins at the first row with its keys."""
        match term:
            case App("sort", (source, *_)):
                return self.groups(source, env)
            case App("where", (source, Abs() as over)):
                out = []
                for g in self.groups(source, env):
                    holds = self.condition(over.body, self._inside(g.rows[0], over, env), (g, over, env))
                    out.append(Group(z3.And(g.there, holds), g.members, g.rows))
                return tuple(out)
            case App("whole", (source,)):
                rows = self.relation(source, env)
                return (Group(z3.BoolVal(True), tuple(r.there for r in rows), rows),)
            case App("group", (source, *keys)):
                rows = self.relation(source, env)
                self.world.spend(len(rows) ** 2 * len(keys))
                values = []
                for row in rows:
                    overs = [k for k in keys if isinstance(k, Abs)]
                    values.append([self.value(k.body, self._inside(row, k, env), None) for k in overs])
                out = []
                for i, row in enumerate(rows):
                    equal = [z3.And(o.there, _all_same(values[i], values[j])) for j, o in enumerate(rows)]
                    begins = z3.And(row.there, *[z3.Not(e) for e in equal[:i]])
                    # The group's own row comes first, so that its keys are what the keys' fields mean.
                    order = [i, *(j for j in range(len(rows)) if j != i)]
                    out.append(Group(begins, tuple(equal[j] for j in order), tuple(rows[j] for j in order)))
                return tuple(out)
        raise Unsupported("this grouping")

    # ------------------------------------------------------------ values

    def value(self, term: Term, env: Env, group: Any, like: str = "") -> Symbol:
        """The value of an expression over a row or group."""
        match term:
            case Field(Var(binder), name) if binder in env:
                found = env[binder].get(name)
                if found is None:
                    raise Unsupported(f"`.{name}`")
                return found
            case App("count" | "count_distinct" | "sum" | "avg" | "min" | "max" | "sum_distinct" | "avg_distinct"):
                if group is None:
                    raise Unsupported("an aggregate outside a group")
                return self._aggregate(term, *group)
            case App("+" | "-" as fn, (left, right)):
                a = self.value(left, env, group, like)
                b = self.value(right, env, group, a.kind)
                value = a.value + b.value if fn == "+" else a.value - b.value
                return Symbol(z3.Or(a.missing, b.missing), value, a.kind)
            case App("coerce", (inner,)):
                return self.value(inner, env, group, like)
            case App("pick", (inner,)) if group is not None:
                return self._pick(inner, *group)
            case App(fn, (*arguments,), ()) if fn in _OPAQUE:
                return self._opaque(fn, arguments, env, group)
            case App("the", (query,)):
                return self._scalar(query, env)
            case Lit() | Entity():
                made = self.world.constant(term, like)
                assert made is not None
                return made
            case App():
                named = self.world.constant(term, like)
                if named is not None:
                    return named
        raise Unsupported(f"`{term.fn}`" if isinstance(term, App) else "this expression")

    def _scalar(self, query: Term, env: Env) -> Symbol:
        match query:
            case App("show", (source, *_), ((_, _),)) if self._grouped(source):
                inner: Term = source
                if isinstance(inner, App) and inner.fn == "whole":
                    return next(iter(self.relation(query, env)[0].data["it"].values()))
        raise Unsupported("a subquery that may give several values")

    def _opaque(self, fn: str, arguments: list[Term], env: Env, group: Any) -> Symbol:
        values = tuple(self.value(a, env, group, _OPAQUE[fn]) for a in arguments)
        if fn == "number_of" and values[0].kind in ("Number", "Int", "number", "int"):
            return values[0]
        if fn == "text_of" and values[0].kind in ("Text", "text"):
            return values[0]
        return self.world.computed(fn, values, _OPAQUE[fn])

    def _pick(self, inner: Term, group: Group, over: Abs, env: Env) -> Symbol:
        """Any row's value: a value only if all rows of the group have the same."""
        values = [self.value(inner, self._inside(r, over, env), None) for r in group.rows]
        for member, value in zip(group.members, values, strict=True):
            alike = z3.Implies(z3.And(group.there, group.members[0], member), _all_same([values[0]], [value]))
            self.world.determined.append(alike)
        # A group that `whole` makes of no rows has no value to pick.
        return Symbol(z3.Or(values[0].missing, z3.Not(z3.Or(group.members))), values[0].value, values[0].kind)

    def _aggregate(self, term: App, group: Group, over: Abs, env: Env) -> Symbol:
        if not term.args:
            return Symbol(_FALSE, z3.Sum([z3.If(m, 1, 0) for m in group.members]), "Number")
        values = [self.value(term.args[0], self._inside(r, over, env), None) for r in group.rows]
        counted = [z3.And(m, z3.Not(v.missing)) for m, v in zip(group.members, values, strict=True)]
        if term.fn.endswith("_distinct"):
            counted = [
                z3.And(c, *[z3.Not(z3.And(counted[j], values[j].value == values[i].value)) for j in range(i)])
                for i, c in enumerate(counted)
            ]
        count = z3.Sum([z3.If(c, 1, 0) for c in counted])
        fn = term.fn.removesuffix("_distinct")
        if fn == "count":
            return Symbol(_FALSE, count, "Number")
        empty = z3.Not(z3.Or(counted))
        kind = values[0].kind
        if fn in ("sum", "avg"):
            if any(isinstance(p, App) and p.fn == "number_of" for p in subterms(term)):
                # Text in the place of a number is ordered one way and added up another.
                raise Unsupported(f"the {fn} of text")
            total = z3.Sum([z3.If(c, v.value, 0) for c, v in zip(counted, values, strict=True)])
            if fn == "avg":
                total = z3.ToReal(total) if total.is_int() else total
                for n in range(len(values), 1, -1):
                    total = z3.If(count == n, total / n, total)
            return Symbol(empty, total, kind)
        best = values[0].value
        chosen = counted[0]
        for c, v in zip(counted[1:], values[1:], strict=True):
            better = v.value < best if fn == "min" else v.value > best
            best = z3.If(z3.And(c, z3.Or(z3.Not(chosen), better)), v.value, best)
            chosen = z3.Or(chosen, c)
        return Symbol(empty, best, kind)

    # ------------------------------------------------------------ conditions

    def condition(self, term: Term, env: Env, group: Any) -> Any:
        """A condition over a row or group."""
        match term:
            case App("and", args):
                return z3.And([self.condition(a, env, group) for a in args])
            case App("or", args):
                return z3.Or([self.condition(a, env, group) for a in args])
            case App("not", (inner,)):
                return z3.Not(self.condition(inner, env, group))
            case Lit("bool", value):
                return z3.BoolVal(value == "true")
            case App("is_missing" | "is_not_missing" as fn, (inner,)):
                missing = self.value(inner, env, group).missing
                return missing if fn == "is_missing" else z3.Not(missing)
            case App("in" | "not_in" as fn, (subject, App("list", items))):
                if not items:
                    return z3.BoolVal(fn == "not_in")
                parts = [self.condition(App("=" if fn == "in" else "!=", (subject, i)), env, group) for i in items]
                return z3.Or(parts) if fn == "in" else z3.And(parts)
            case App("in" | "not_in" as fn, (subject, query)):
                return self._member(fn, self.value(subject, env, group), self.relation(query, env))
            case App("between" | "not_between" as fn, (subject, low, high)):
                inside = (App(">=", (subject, low)), App("<=", (subject, high)))
                outside = (App("<", (subject, low)), App(">", (subject, high)))
                parts = [self.condition(p, env, group) for p in (inside if fn == "between" else outside)]
                return z3.And(parts) if fn == "between" else z3.Or(parts)
            case App(
                "~" | "!~" | "like" | "not_like" | "starts_with" | "ends_with" as fn, (subject, Lit("text", text))
            ):
                found = self.value(subject, env, group)
                operator = NEGATED_MATCH.get(fn, fn)
                holds = self.world.match(operator, text, found)
                return z3.And(z3.Not(found.missing), holds if operator == fn else z3.Not(holds))
            case App("exists", (query,)):
                return z3.Or([r.there for r in self.relation(query, env)])
            case App(fn, (left, right)) if fn in _COMPARE:
                return self._compare(fn, left, right, env, group)
            case Field():
                found = self.value(term, env, group)
                return z3.And(z3.Not(found.missing), found.value == 1)
        raise Unsupported(f"the condition {term_key(term)[:60]}")

    def _compare(self, fn: str, left: Term, right: Term, env: Env, group: Any) -> Any:
        if isinstance(left, Lit | Entity) or (isinstance(left, App) and not left.args and left.fn != "count"):
            b = self.value(right, env, group)
            a = self.value(left, env, group, b.kind)
        else:
            a = self.value(left, env, group)
            b = self.value(right, env, group, a.kind)
        return z3.And(z3.Not(a.missing), z3.Not(b.missing), _COMPARE[fn](a.value, b.value))

    def _member(self, fn: str, subject: Symbol, rows: Relation) -> Any:
        there = [(r.there, next(iter(next(iter(r.data.values())).values()))) for r in rows]
        if any(sum(len(c) for c in r.data.values()) != 1 for r in rows):
            raise Unsupported("membership in a table")
        if fn == "in":
            hits = [z3.And(t, z3.Not(v.missing), v.value == subject.value) for t, v in there]
            return z3.And(z3.Not(subject.missing), z3.Or(hits))
        empty = z3.And([z3.Not(t) for t, _ in there])
        apart = [z3.Implies(t, z3.And(z3.Not(v.missing), v.value != subject.value)) for t, v in there]
        return z3.Or(empty, z3.And(z3.Not(subject.missing), *apart))


def width(rows: Relation) -> int:
    """How many columns a relation has; 1 if it has no rows to tell."""
    return len(flat(rows[0])) if rows else 1


def flat(row: Row) -> list[Symbol]:
    """A row's values in order."""
    return [symbol for columns in row.data.values() for symbol in columns.values()]


def same(a: Row, b: Row) -> Any:
    """Rows equal by position; missing equals missing, as in `distinct` and set operations."""
    return _all_same(flat(a), flat(b))


def _all_same(a: list[Symbol], b: list[Symbol]) -> Any:
    if len(a) != len(b):
        raise Unsupported("rows of different width")
    return z3.And(
        [
            z3.Or(z3.And(x.missing, y.missing), z3.And(z3.Not(x.missing), z3.Not(y.missing), x.value == y.value))
            for x, y in zip(a, b, strict=True)
        ]
    )


def _relabelled(row: Row, first: Relation) -> Mapping[str, Columns]:
    """A row under the labels of the other side of a set operation."""
    if not first:
        return row.data
    values = iter(flat(row))
    return {b: {c: next(values) for c in columns} for b, columns in first[0].data.items()}
