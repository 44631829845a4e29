"""Conditions of SQL as DL conditions.

SQL's conditions have three values. WHERE, HAVING, ON and WHEN ask only whether a condition is true, so NOT is pushed
down to the comparisons first: there `not` and SQL's NOT agree.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ...compiler.terms import App, Lit, Term
from ...compiler.types import BOOL, Con
from . import coerce
from .expressions import value
from .scope import BINARY, Context, Frame, Val, only, unsupported

_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_OPERATORS = {exp.EQ: "=", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


def condition(node: Any, frame: Frame, context: Context, negated: bool = False) -> Term:
    """A condition that is asked whether it holds; `negated`: whether its negation does."""
    rule = _RULES.get(type(node))
    if rule is not None:
        only(node, _ARGUMENTS.get(type(node), BINARY))
        return rule(node, frame, context, negated)
    return _truth(node, frame, context, negated)


_ARGUMENTS = {
    exp.Between: frozenset(("this", "low", "high")),
    exp.In: frozenset(("this", "expressions", "query", "unnest", "field")),
    exp.Like: frozenset(("this", "expression", "negate")),
    exp.Coalesce: frozenset(("this", "expressions")),
}


def is_condition(node: Any) -> bool:
    """Whether a node is a condition rather than a value."""
    return type(node) in _RULES and not isinstance(node, exp.Paren | exp.Boolean | exp.Coalesce)


def _connective(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    kind = type(node)
    parts: list[Any] = []
    while isinstance(node, kind):
        parts.append(node.expression)
        node = node.this
    parts.append(node)
    parts.reverse()
    fn = "and" if (kind is exp.And) != negated else "or"
    return App(fn, tuple(condition(part, frame, context, negated) for part in parts))


def _not(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    return condition(node.this, frame, context, not negated)


def _paren(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    return condition(node.this, frame, context, negated)


def _comparison(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    fn = _OPERATORS[type(node)]
    if negated:
        fn = _OPPOSITE[fn]
    left, right = value(node.this, frame, context), value(node.expression, frame, context)
    if fn in ("=", "!="):
        for val, other in ((left, right), (right, left)):
            if val.info is not None and isinstance(other.term, Lit) and other.term.value in val.info.missing:
                return App("is_missing" if fn == "=" else "is_not_missing", (val.term,))
    return App(fn, coerce.comparable(left, right, node, context))


def _between(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    subject = value(node.this, frame, context)
    low = value(node.args["low"], frame, context)
    high = value(node.args["high"], frame, context)
    first, low_term = coerce.comparable(subject, low, node, context)
    again, high_term = coerce.comparable(subject, high, node, context)
    if first != again:
        raise unsupported("BETWEEN with bounds of two types", node)
    return App("not_between" if negated else "between", (first, low_term, high_term))


def _in(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    fn = "not_in" if negated else "in"
    query = node.args.get("query")
    subject = value(node.this, frame, context)
    if query is not None:
        from .read import subquery

        fitted: list[Term] = [subject.term]

        def fit(index: int, val: Val) -> Term:
            left, right = coerce.comparable(subject, val, node, context)
            fitted[0] = left
            return right

        rel = subquery(query, frame, context, 1, fit)
        return App(fn, (fitted[0], rel.term))
    if node.args.get("unnest") is not None or node.args.get("field") is not None:
        raise unsupported("IN over an array", node)
    left = subject.term
    items: list[Term] = []
    for item in node.expressions:
        if isinstance(item, exp.Query) and not isinstance(item, exp.Subquery):
            raise unsupported("a list of queries after IN", node)
        first, term = coerce.comparable(subject, value(item, frame, context), node, context)
        if first != left and items:
            raise unsupported("IN with a list of two types", node)
        left = first
        items.append(term)
    return App(fn, (left, App("list", tuple(items))))


def _like(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    subject, pattern = value(node.this, frame, context), value(node.expression, frame, context)
    left = subject.term
    if coerce.is_basic(subject.type):
        left = coerce.as_text(subject, node, context)
    elif isinstance(subject.type, Con) and subject.type.name in context.catalog.schema.enum:
        left = App("text_of", (left,))
    return App(
        "not_like" if negated != bool(node.args.get("negate")) else "like",
        (left, coerce.as_text(pattern, node, context)),
    )


def _is(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    right = node.expression
    if isinstance(right, exp.Not):
        return _is(exp.Is(this=node.this, expression=right.this), frame, context, not negated)
    if isinstance(right, exp.Null):
        subject = value(node.this, frame, context)
        return App("is_not_missing" if negated else "is_missing", (subject.term,))
    if isinstance(right, exp.Boolean):
        held = condition(node.this, frame, context, not right.this)
        return App("not", (held,)) if negated else held
    return _same(node, frame, context, negated)


def _same(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    """Equal, or both missing."""
    left, right = value(node.this, frame, context), value(node.expression, frame, context)
    a, b = coerce.comparable(left, right, node, context)
    both = App("and", (App("is_missing", (a,)), App("is_missing", (b,))))
    same = App("or", (App("=", (a, b)), both))
    return App("not", (same,)) if negated else same


def _different(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    return _same(node, frame, context, not negated)


def _exists(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    from .read import subquery

    rel = subquery(node.this, frame, context, None, None)
    made = App("exists", (rel.term,))
    return App("not", (made,)) if negated else made


def _constant(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    return Lit("bool", "true" if bool(node.this) != negated else "false")


def _coalesce(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    """COALESCE(condition, FALSE): a condition of two values."""
    last = node.expressions[-1] if node.expressions else None
    if is_condition(node.this) and len(node.expressions) == 1 and isinstance(last, exp.Boolean) and not last.this:
        held = condition(node.this, frame, context)
        return App("not", (held,)) if negated else held
    return _truth(node, frame, context, negated)


def _unread(what: str) -> "Rule":
    def fail(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
        raise unsupported(what, node)

    return fail


def _truth(node: Any, frame: Frame, context: Context, negated: bool) -> Term:
    """A value where a condition is wanted: true if it is a number other than zero."""
    val = value(node, frame, context)
    if val.literal and isinstance(val.term, Lit) and val.term.kind == "number":
        return Lit("bool", "true" if (float(val.term.value) != 0) != negated else "false")
    if val.type == BOOL:
        return App("=", (val.term, Lit("bool", "false" if negated else "true")))
    return App("=" if negated else "!=", (coerce.as_number(val, "a condition", node, context), Lit("number", "0")))


Rule = Callable[[Any, Frame, Context, bool], Term]

_RULES: dict[Any, Rule] = {
    exp.And: _connective,
    exp.Or: _connective,
    exp.Not: _not,
    exp.Paren: _paren,
    **{kind: _comparison for kind in _OPERATORS},
    exp.Between: _between,
    exp.In: _in,
    exp.Like: _like,
    exp.Is: _is,
    exp.NullSafeEQ: _same,
    exp.NullSafeNEQ: _different,
    exp.Exists: _exists,
    exp.Boolean: _constant,
    exp.Coalesce: _coalesce,
    exp.Glob: _unread("GLOB"),
    exp.RegexpLike: _unread("REGEXP"),
    exp.ILike: _unread("ILIKE"),
    exp.Escape: _unread("LIKE with ESCAPE"),
    exp.SimilarTo: _unread("SIMILAR TO"),
    exp.Match: _unread("MATCH"),
    exp.Any: _unread("ANY"),
    exp.All: _unread("ALL"),
}
