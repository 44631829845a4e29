"""Evaluation of queries over rows in memory: the plain meaning of the relational core.

This is the reference that normal forms and SQL are compared with, so it is written for clearness. Missing values:
a comparison with a missing operand is false, `not` is classical, aggregates skip missing values, groups put them
together (LANGUAGE, conditions; SQL's rules for everything but three-valued NOT).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from ..compiler.schema import Schema
from ..compiler.terms import Abs, App, Apply, Ascribe, Entity, Field, Hole, Lit, Record, Term, Var
from . import errors
from .scalars import NoNumber, leading_number
from .values import Value, entity_value, literal_value

RowData: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = Mapping[str, RowData | None]
Database: TypeAlias = Mapping[str, Sequence[RowData]]
Library: TypeAlias = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows in order. A row maps each binder to its columns, or to None on the empty side of an outer join."""

    binders: tuple[str, ...]
    rows: tuple[Rows, ...]

    def tuples(self) -> list[tuple[Any, ...]]:
        """Rows as tuples of their values, binder by binder."""
        return [tuple(value for b in self.binders for value in (row[b] or {}).values()) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Groups:
    """A grouped relation: each group its rows (an empty one only from `whole`)."""

    binders: tuple[str, ...]
    groups: tuple[tuple[Rows, ...], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An action that was reached: what is done about it is the caller's business."""

    fn: str
    arguments: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What evaluation needs: the schema (order of enums), tables, functions, placeholders, a bound on work."""

    schema: Schema
    database: Database
    library: Library = field(default_factory=dict)
    holes: Mapping[int, Any] = field(default_factory=dict)
    max_rows: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Scope:
    """Values of names; `group` holds the rows that aggregates range over."""

    names: Mapping[str, Any] = field(default_factory=dict)
    group: tuple[Rows, ...] | None = None

    def over(self, row: Rows) -> "Scope":
        """Inside an expression over one row."""
        return Scope({**self.names, **row})

    def over_group(self, binders: tuple[str, ...], group: tuple[Rows, ...]) -> "Scope":
        """Inside an expression over a group: bare columns are any row's."""
        first: Rows = group[0] if group else dict.fromkeys(binders)
        return Scope({**self.names, **first}, group)


def evaluate(term: Term, context: Context, scope: Scope | None = None) -> Any:
    """The value of a term: a Relation, Groups, Call or plain value. Raises runtime.errors.RuntimeFailure."""
    scope = scope or Scope()
    match term:
        case App(fn=fn):
            rule = _RULES.get(fn)
            return rule(term, context, scope) if rule is not None else _named(term, context, scope)
        case Field(subject, name):
            return _field(evaluate(subject, context, scope), name)
        case Lit():
            return literal_value(term)
        case Var(name):
            return scope.names.get(name)
        case Entity():
            return entity_value(term)
        case Hole(index):
            return context.holes.get(index)
        case Ascribe(term=inner):
            return evaluate(inner, context, scope)
        case Record(fields):
            return {label: evaluate(value, context, scope) for label, value in fields}
        case Abs(params=params, body=body):
            return lambda *values: evaluate(
                body, context, Scope({**scope.names, **dict(zip(params, values, strict=False))})
            )
        case Apply(fn, args):
            function = evaluate(fn, context, scope)
            for arg in args:
                function = function(evaluate(arg, context, scope))
            return function
    raise TypeError(term)


def can_evaluate(fn: str) -> bool:
    """Whether a function has a meaning here without a library or a table."""
    return fn in _RULES


def query_rows(term: Term, context: Context, scope: Scope | None = None) -> Relation:
    """The relation a query gives. Raises runtime.errors.RuntimeFailure if the term is none."""
    return _relation(evaluate(term, context, scope))


def _relation(value: Any) -> Relation:
    if isinstance(value, Relation):
        return value
    if isinstance(value, Groups):
        return Relation(value.binders, tuple(group[0] for group in value.groups if group))
    if isinstance(value, list | tuple):
        return Relation(("it",), tuple({"it": item} for item in value))
    raise errors.RuntimeFailure(errors.no_relation(type(value).__name__))


def _field(subject: Any, name: str) -> Any:
    if subject is None:
        return None
    if isinstance(subject, Mapping):
        return subject.get(name)
    if isinstance(subject, date | datetime) and hasattr(subject, name):
        found = getattr(subject, name)
        return found() if callable(found) else found
    raise errors.RuntimeFailure(errors.no_field(name, type(subject).__name__))


def _named(term: App, context: Context, scope: Scope) -> Any:
    """A table, a library function, an action, or an enum member."""
    fn = term.fn
    bare = not term.args and not term.named
    if bare and fn in context.schema.table:
        return Relation((fn,), tuple({fn: row} for row in context.database.get(fn, ())))
    args = [evaluate(a, context, scope) for a in term.args]
    named = {label: evaluate(v, context, scope) for label, v in term.named}
    if fn in context.library:
        return context.library[fn](*args, **named)
    function = context.schema.function.get(fn)
    if function is not None and function.action:
        return Call(fn, tuple(named.items()))
    if function is not None:
        raise errors.RuntimeFailure(errors.no_implementation(fn))
    return fn


# ---------------------------------------------------------------- conditions


def holds(over: Term, scope: Scope, context: Context) -> bool:
    """Whether a condition (the body of an abstraction) is true."""
    return evaluate(over, context, scope) is True


def _key(value: Any, context: Context) -> Any:
    """What orders a value: an ordered enum's member by its place, everything else by itself."""
    if isinstance(value, str):
        for enum in context.schema.enums_of_member.get(value, ()):
            if enum.ordered:
                return [m.name for m in enum.members].index(value)
    return value


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _compare(term: App, context: Context, scope: Scope) -> bool:
    left, right = (evaluate(a, context, scope) for a in term.args)
    if left is None or right is None:
        return False
    if term.fn == "=":
        return bool(left == right)
    if term.fn == "!=":
        return bool(left != right)
    return _ordered(term.fn, left, right, context)


def _ordered(fn: str, left: Any, right: Any, context: Context) -> bool:
    left, right = _key(left, context), _key(right, context)
    try:
        return _ORDER[fn](left, right)
    except TypeError:
        return False


def _between(term: App, context: Context, scope: Scope) -> bool:
    value, low, high = (evaluate(a, context, scope) for a in term.args)
    if value is None or low is None or high is None:
        return False
    inside = _ordered(">=", value, low, context) and _ordered("<=", value, high, context)
    return inside != (term.fn == "not_between")


def _in(term: App, context: Context, scope: Scope) -> bool:
    value = evaluate(term.args[0], context, scope)
    items = _items(evaluate(term.args[1], context, scope))
    if term.fn == "in":
        return value is not None and any(item is not None and item == value for item in items)
    if not items:
        return True
    return value is not None and all(item is not None and item != value for item in items)


def _items(value: Any) -> list[Any]:
    if isinstance(value, Relation | Groups):
        return [row[0] if row else None for row in _relation(value).tuples()]
    return list(value or ())


def _and(term: App, context: Context, scope: Scope) -> bool:
    return all(evaluate(a, context, scope) is True for a in term.args)


def _or(term: App, context: Context, scope: Scope) -> bool:
    return any(evaluate(a, context, scope) is True for a in term.args)


def _not(term: App, context: Context, scope: Scope) -> bool:
    return evaluate(term.args[0], context, scope) is not True


def _match(term: App, context: Context, scope: Scope) -> bool:
    value, wanted = (evaluate(a, context, scope) for a in term.args)
    if value is None or wanted is None:
        return False
    negated = term.fn in ("!~", "not_like")
    if term.fn in ("like", "not_like"):
        return like(str(value), str(wanted)) != negated
    return (str(wanted).lower() in str(value).lower()) != negated


def like(value: str, pattern: str) -> bool:
    """SQL's LIKE: `%` any text, `_` any character, ASCII letters without case."""
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), value, re.S | re.I | re.A) is not None


def _is(term: App, context: Context, scope: Scope) -> bool:
    subject, predicate = (evaluate(a, context, scope) for a in term.args)
    return predicate(subject) is True


# ---------------------------------------------------------------- arithmetic


def _arithmetic(term: App, context: Context, scope: Scope) -> Any:
    left, right = (evaluate(a, context, scope) for a in term.args)
    if left is None or right is None:
        return None
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _money(term.fn, left, right)
    if isinstance(left, date) and isinstance(right, int | float):
        change = timedelta(seconds=right)
        return left + change if term.fn == "+" else left - change
    if isinstance(left, date):
        return (left - right).total_seconds()
    return _apply(term.fn, left, right)


def _apply(fn: str, left: Any, right: Any) -> Any:
    if fn in ("/", "%") and right == 0:
        return None
    return {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
    }.get(fn, lambda: left % right)()


def _money(fn: str, left: Any, right: Any) -> Any:
    if isinstance(left, tuple) and isinstance(right, tuple):
        return (left[0], _apply(fn, left[1], right[1])) if left[0] == right[0] else None
    if isinstance(left, tuple):
        return (left[0], _apply(fn, left[1], right))
    return (right[0], _apply(fn, left, right[1]))


# ---------------------------------------------------------------- queries


def _where(term: App, context: Context, scope: Scope) -> Relation | Groups:
    source = evaluate(term.args[0], context, scope)
    over = term.args[1]
    if not isinstance(over, Abs):
        predicate = evaluate(over, context, scope)
        relation = _relation(source)
        return Relation(relation.binders, tuple(r for r in relation.rows if predicate(_only(r)) is True))
    if isinstance(source, Groups):
        named = _named_groups(source, over.params)
        kept = (g for g in named.groups if holds(over.body, scope.over_group(named.binders, g), context))
        return Groups(named.binders, tuple(kept))
    relation = _renamed(_relation(source), over.params)
    return Relation(relation.binders, tuple(r for r in relation.rows if holds(over.body, scope.over(r), context)))


def _only(row: Rows) -> Any:
    return next(iter(row.values()))


def _renamed(relation: Relation, binders: tuple[str, ...]) -> Relation:
    """The same rows under the names an expression uses for them."""
    if relation.binders == binders:
        return relation
    rows = tuple(dict(zip(binders, (row[b] for b in relation.binders), strict=True)) for row in relation.rows)
    return Relation(binders, rows)


def _named_groups(groups: Groups, binders: tuple[str, ...]) -> Groups:
    if groups.binders == binders:
        return groups
    return Groups(binders, tuple(_renamed(Relation(groups.binders, g), binders).rows for g in groups.groups))


def _over_each(source: Relation | Groups, over: Term, context: Context, scope: Scope) -> list[Any]:
    """An expression's value for each row or group."""
    assert isinstance(over, Abs)
    if isinstance(source, Groups):
        named = _named_groups(source, over.params)
        return [evaluate(over.body, context, scope.over_group(named.binders, g)) for g in named.groups]
    relation = _renamed(source, over.params)
    return [evaluate(over.body, context, scope.over(row)) for row in relation.rows]


def _source(term: App, context: Context, scope: Scope) -> Relation | Groups:
    value = evaluate(term.args[0], context, scope)
    return value if isinstance(value, Groups) else _relation(value)


def _members(source: Relation | Groups) -> Sequence[Any]:
    return source.groups if isinstance(source, Groups) else source.rows


def _with(source: Relation | Groups, members: Iterable[Any]) -> Relation | Groups:
    if isinstance(source, Groups):
        return Groups(source.binders, tuple(members))
    return Relation(source.binders, tuple(members))


def _sort(term: App, context: Context, scope: Scope) -> Relation | Groups:
    source = _source(term, context, scope)
    order = list(range(len(_members(source))))
    for key in reversed(term.args[1:]):
        assert isinstance(key, Abs) and isinstance(key.body, App)
        values = _over_each(source, Abs("row", key.params, key.body.args[0]), context, scope)
        ranks = [(value is not None, _key(value, context) if value is not None else 0) for value in values]
        order.sort(key=lambda i: ranks[i], reverse=key.body.fn == "desc")
    members = _members(source)
    return _with(source, (members[i] for i in order))


def _take(term: App, context: Context, scope: Scope) -> Relation | Groups:
    source = _source(term, context, scope)
    count, *skip = (int(evaluate(a, context, scope) or 0) for a in term.args[1:])
    start = skip[0] if skip else 0
    members = _members(source)
    return _with(source, members[start : start + count] if count >= 0 else members[start:])


def _at(term: App, context: Context, scope: Scope) -> Relation | Groups:
    source = _source(term, context, scope)
    members = _members(source)
    chosen = []
    for argument in term.args[1:]:
        index = int(evaluate(argument, context, scope) or 0)
        place = index - 1 if index > 0 else len(members) + index
        if index != 0 and 0 <= place < len(members):
            chosen.append(members[place])
    return _with(source, chosen)


def _distinct(term: App, context: Context, scope: Scope) -> Relation:
    relation = _relation(_source(term, context, scope))
    seen: dict[Any, Rows] = {}
    for row, values in zip(relation.rows, relation.tuples(), strict=True):
        seen.setdefault(_hashable(values), row)
    return Relation(relation.binders, tuple(seen.values()))


def _hashable(value: Any) -> Any:
    """Values as a key: equal numbers are one whatever their Python type, booleans stay apart from them."""
    if isinstance(value, list | tuple):
        return tuple(_hashable(v) for v in value)
    if isinstance(value, Mapping):
        return tuple((k, _hashable(v)) for k, v in value.items())
    return (type(value) is bool, value)


def _as(term: App, context: Context, scope: Scope) -> Relation:
    relation = _relation(_source(term, context, scope))
    name = term.args[1]
    assert isinstance(name, Lit)
    return _renamed(relation, (name.value,))


def _group(term: App, context: Context, scope: Scope) -> Groups:
    relation = _relation(_source(term, context, scope))
    keys = [_over_each(relation, key, context, scope) for key in term.args[1:]]
    groups: dict[Any, list[Rows]] = {}
    for i, row in enumerate(relation.rows):
        groups.setdefault(_hashable([column[i] for column in keys]), []).append(row)
    return Groups(relation.binders, tuple(map(tuple, groups.values())))


def _whole(term: App, context: Context, scope: Scope) -> Groups:
    relation = _relation(_source(term, context, scope))
    return Groups(relation.binders, (relation.rows,))


def _show(term: App, context: Context, scope: Scope) -> Relation:
    source = _source(term, context, scope)
    columns: list[tuple[str, list[Any]]] = []
    for label, over in term.named:
        assert isinstance(over, Abs)
        if over.body in (App("all_fields"), App("pick_all")):
            columns += _every_column(source, context, {n for n, _ in columns})
        else:
            columns.append((label, _over_each(source, over, context, scope)))
    count = len(_members(source))
    rows = tuple({"it": {name: values[i] for name, values in columns}} for i in range(count))
    return Relation(("it",), rows)


def _every_column(source: Relation | Groups, context: Context, taken: set[str]) -> list[tuple[str, list[Any]]]:
    from ..compiler.lower import fresh_label

    rows: list[Rows] = (
        [group[0] if group else dict.fromkeys(source.binders) for group in source.groups]
        if isinstance(source, Groups)
        else list(source.rows)
    )
    columns: list[tuple[str, list[Any]]] = []
    for binder in source.binders:
        names = _column_names(binder, rows, context)
        for name in names:
            label = fresh_label(name, taken)
            taken.add(label)
            columns.append((label, [(row[binder] or {}).get(name) for row in rows]))
    return columns


def _column_names(binder: str, rows: list[Rows], context: Context) -> list[str]:
    for row in rows:
        data = row[binder]
        if data is not None:
            return list(data)
    table = context.schema.table.get(binder)
    return [c.name for c in table.columns] if table else []


def _join(term: App, context: Context, scope: Scope) -> Relation:
    left = _relation(evaluate(term.args[0], context, scope))
    right = _relation(evaluate(term.args[1], context, scope))
    if len(left.rows) * len(right.rows) > context.max_rows:
        raise errors.RuntimeFailure(errors.too_many_rows(context.max_rows))
    on = term.args[2] if len(term.args) > 2 else None
    binders = left.binders + right.binders
    if isinstance(on, Abs):
        binders = on.params
        left = _renamed(left, binders[: len(left.binders)])
        right = _renamed(right, binders[len(left.binders) :])
    rows: list[Rows] = []
    matched: set[int] = set()
    empty_left, empty_right = dict.fromkeys(left.binders), dict.fromkeys(right.binders)
    for a in left.rows:
        found = False
        for j, b in enumerate(right.rows):
            row = {**a, **b}
            if not isinstance(on, Abs) or holds(on.body, scope.over(row), context):
                rows.append(row)
                matched.add(j)
                found = True
        if not found and term.fn in ("join_left", "join_full"):
            rows.append({**a, **empty_right})
    if term.fn in ("join_right", "join_full"):
        rows += [{**empty_left, **b} for j, b in enumerate(right.rows) if j not in matched]
    return Relation(binders, tuple(rows))


def _set_operation(term: App, context: Context, scope: Scope) -> Relation:
    left = _relation(evaluate(term.args[0], context, scope))
    right = _relation(evaluate(term.args[1], context, scope))
    ours = [_hashable(t) for t in left.tuples()]
    theirs = [_hashable(t) for t in right.tuples()]
    fn, every = term.fn.removesuffix("_all"), term.fn.endswith("_all")
    if fn == "union":
        names = [list(row[b] or {}) for row in left.rows[:1] for b in left.binders]
        shape = [(b, n) for b, ns in zip(left.binders, names, strict=False) for n in ns]
        moved = [_reshape(values, shape, left.binders) for values in right.tuples()] if shape else list(right.rows)
        rows = [*left.rows, *moved]
        return Relation(left.binders if left.rows else right.binders, tuple(_unique(rows, [*ours, *theirs], every)))
    remaining = list(theirs)
    kept: list[tuple[Any, Rows]] = []
    for key, row in zip(ours, left.rows, strict=True):
        present = key in remaining
        if present and every:
            remaining.remove(key)
        if present == (fn == "intersect"):
            kept.append((key, row))
    return Relation(left.binders, tuple(_unique([r for _, r in kept], [k for k, _ in kept], every)))


def _reshape(values: tuple[Any, ...], shape: list[tuple[str, str]], binders: tuple[str, ...]) -> Rows:
    row: dict[str, dict[str, Any]] = {b: {} for b in binders}
    for (binder, name), value in zip(shape, values, strict=True):
        row[binder][name] = value
    return row


def _unique(rows: list[Rows], keys: list[Any], every: bool) -> list[Rows]:
    if every:
        return rows
    seen: dict[Any, Rows] = {}
    for key, row in zip(keys, rows, strict=True):
        seen.setdefault(key, row)
    return list(seen.values())


def _then(term: App, context: Context, scope: Scope) -> Any:
    relation = _relation(_source(term, context, scope))
    results = _over_each(relation, term.args[1], context, scope)
    if results and all(isinstance(r, Relation | Groups) for r in results):
        relations = [_relation(r) for r in results]
        return Relation(relations[0].binders, tuple(row for r in relations for row in r.rows))
    return Relation(("it",), tuple({"it": result} for result in results))


def _the(term: App, context: Context, scope: Scope) -> Any:
    found = _relation(evaluate(term.args[0], context, scope)).tuples()
    return found[0][0] if found and found[0] else None


def _exists(term: App, context: Context, scope: Scope) -> bool:
    return bool(_relation(evaluate(term.args[0], context, scope)).rows)


# ---------------------------------------------------------------- aggregates


def _aggregate(term: App, context: Context, scope: Scope) -> Any:
    group = scope.group
    if group is None:
        raise errors.RuntimeFailure(errors.outside_group(term.fn))
    if not term.args:
        return len(group)
    values = [evaluate(term.args[0], context, scope.over(row)) for row in group]
    present = [value for value in values if value is not None]
    fn = term.fn
    if fn.endswith("_distinct"):
        present = list({_hashable(v): v for v in present}.values())
        fn = fn.removesuffix("_distinct")
    if fn == "count":
        return len(present)
    if fn == "pick":
        return values[0] if values else None
    if not present:
        return None
    if fn in ("min", "max"):
        best = min if fn == "min" else max
        return best(present, key=lambda v: _key(v, context))
    # Text in the place of a number counts as the number it begins with.
    amounts = [leading_number(v.text) if isinstance(v, NoNumber) else v for v in present]
    return _total(amounts) if fn == "sum" else _mean(amounts)


def _total(values: list[Any]) -> Any:
    total = values[0]
    for value in values[1:]:
        total = _money("+", total, value) if isinstance(value, tuple) else total + value
    return total


def _mean(values: list[Any]) -> Any:
    total = _total(values)
    if isinstance(total, tuple):
        return (total[0], total[1] / len(values))
    return None if total is None else total / len(values)


def _pick(term: App, context: Context, scope: Scope) -> Any:
    if scope.group is None:
        return evaluate(term.args[0], context, scope)
    return _aggregate(term, context, scope)


def _constant(value: Any) -> Callable[[App, Context, Scope], Any]:
    return lambda term, context, scope: value


def _list(term: App, context: Context, scope: Scope) -> list[Any]:
    return [evaluate(a, context, scope) for a in term.args]


def _argument(term: App, context: Context, scope: Scope) -> Any:
    return evaluate(term.args[0], context, scope)


def _missing(term: App, context: Context, scope: Scope) -> bool:
    return (evaluate(term.args[0], context, scope) is None) == (term.fn == "is_missing")


def _negate(term: App, context: Context, scope: Scope) -> Any:
    value = evaluate(term.args[0], context, scope)
    if isinstance(value, tuple):
        return (value[0], -value[1])
    return None if value is None else -value


def _if_else(term: App, context: Context, scope: Scope) -> Any:
    return evaluate(term.args[1 if evaluate(term.args[0], context, scope) is True else 2], context, scope)


def _any_match(term: App, context: Context, scope: Scope) -> bool:
    value, wanted = (evaluate(a, context, scope) for a in term.args)
    return value is not None and any(str(w).lower() in str(value).lower() for w in wanted)


_RULES: dict[str, Callable[[App, Context, Scope], Any]] = {
    **{fn: _compare for fn in ("=", "!=", "<", "<=", ">", ">=")},
    **{fn: _between for fn in ("between", "not_between")},
    **{fn: _in for fn in ("in", "not_in")},
    **{fn: _match for fn in ("~", "!~", "like", "not_like")},
    **{fn: _arithmetic for fn in ("+", "-", "*", "/", "%")},
    **{fn: _join for fn in ("join", "join_left", "join_right", "join_full")},
    **{f"{fn}{every}": _set_operation for fn in ("union", "except", "intersect") for every in ("", "_all")},
    **{f"{fn}{kind}": _aggregate for fn in ("count", "sum", "avg") for kind in ("", "_distinct")},
    **{fn: _constant(True) for fn in ("is_any", "is_none")},
    **{fn: _missing for fn in ("is_missing", "is_not_missing")},
    **{fn: _constant(None) for fn in ("any", "none", "missing")},
    "and": _and,
    "or": _or,
    "not": _not,
    "is": _is,
    "everything": lambda term, context, scope: lambda subject: True,
    "where": _where,
    "sort": _sort,
    "take": _take,
    "at": _at,
    "distinct": _distinct,
    "as": _as,
    "group": _group,
    "whole": _whole,
    "show": _show,
    "then": _then,
    "the": _the,
    "exists": _exists,
    "min": _aggregate,
    "max": _aggregate,
    "pick": _pick,
    "list": _list,
    "coerce": _argument,
    "negate_number": _negate,
    "if_else": _if_else,
    "any_match": _any_match,
}

__all__ = [
    "Call",
    "Context",
    "Database",
    "Groups",
    "Relation",
    "Scope",
    "Value",
    "can_evaluate",
    "evaluate",
    "like",
    "query_rows",
]
