"""Expressions: queries, actions and streams."""

from typing import Literal, cast

from . import ast, parse_filters
from .ast import FILTER_CLASSES, Expression, Filter, InputParam, Invocation
from .parser import AGGREGATES, GOES_ON, SCALAR_FUNCTIONS, Parser
from .values import Value, VarRef


def chain(p: Parser) -> Expression:
    """`a => b`, and everything tighter."""
    p.enter()
    at = p.i
    first = _join(p)
    if p.toks[p.i] == "=>" and p.toks[p.i + 1] != "notify":
        found = [first]
        while p.toks[p.i] == "=>" and p.toks[p.i + 1] != "notify":
            p.i += 1
            found.append(_join(p))
        first = ast.Chain(tuple(found), at)
    p.depth -= 1
    return first


def _join(p: Parser) -> Expression:
    at = p.i
    left = projection(p)
    while p.toks[p.i] == "join":
        p.i += 1
        if left.__class__ is ast.Join:
            p.wrap()
        left = ast.Join(left, projection(p), at)
    return left


def projection(p: Parser) -> Expression:
    """`[fields] of query`, and everything tighter."""
    if p.toks[p.i] != "[":
        return _query(p)
    p.enter()
    at = p.i
    p.i += 1
    fields: list[Value | ast.Aliased] = []
    made: Expression
    if p.take("*"):
        fields.append(VarRef("*"))
    else:
        first = parse_filters.condition(p, open_end=True)
        if first.__class__ in FILTER_CLASSES:
            p.expect("]")
            p.expect("of")
            made = ast.BooleanQuestion(cast(Filter, first), _query(p), at)
            p.depth -= 1
            return made
        fields.append(_aliased(p, cast(Value, first)))
    while p.take(","):
        value = parse_filters.left_side(p)
        if p.toks[p.i] in GOES_ON:
            value = p.filtered(p.sum(value, 1, parse_filters.left_side))
        if value.__class__ in FILTER_CLASSES:
            p.unexpected("a field")
        fields.append(_aliased(p, value))
    p.expect("]")
    p.expect("of")
    made = ast.Projection(tuple(fields), projection(p), at)
    p.depth -= 1
    return made


def _aliased(p: Parser, value: Value) -> Value | ast.Aliased:
    if p.toks[p.i] != "as":
        return value
    p.i += 1
    return ast.Aliased(value, p.name())


def _query(p: Parser) -> Expression:
    """A call or bracket, then one index, then names, then filters, in this order only."""
    at = p.i
    toks = p.toks
    made = _call(p) if toks[at][:1] == "@" else _primary(p)
    token = toks[p.i]
    if token == "[":
        made = _indexed(p, made, at)
        token = toks[p.i]
    while token == "as":
        p.i += 1
        if made.__class__ is ast.Alias:
            p.wrap()
        made = ast.Alias(made, p.name(), at)
        token = toks[p.i]
    while token == "filter" or token == ",":
        p.i += 1
        if made.__class__ is ast.FilterExpression:
            p.wrap()
        made = ast.FilterExpression(made, parse_filters.filter_only(p), at)
        token = toks[p.i]
    return made


def _indexed(p: Parser, query: Expression, at: int) -> Expression:
    p.i += 1
    first = p.value()
    if p.take(":"):
        limit = p.value()
        p.expect("]")
        return ast.Slice(query, first, limit, at)
    indices = [first]
    while p.take(","):
        indices.append(p.value())
    p.expect("]")
    return ast.Index(query, tuple(indices), at)


def _primary(p: Parser) -> Expression:
    at = p.i
    token = p.toks[at]
    if token == "(":
        p.i += 1
        inner = chain(p)
        p.expect(")")
        return inner
    if p.toks[at + 1] == "(":
        if token == "sort":
            return _sorted(p, at)
        if token in AGGREGATES:
            return _aggregated(p, at)
        if token == "monitor":
            return _monitored(p, at)
        if token not in SCALAR_FUNCTIONS and token not in parse_filters.CALLED:
            return ast.FunctionCall(p.name("a query or action"), params(p), at)
    p.unexpected("a query or action")


def _sorted(p: Parser, at: int) -> Expression:
    p.i += 2
    value = p.value()
    direction = p.toks[p.i]
    if direction not in ("asc", "desc"):
        p.unexpected("`asc` or `desc`")
    p.i += 1
    p.expect("of")
    inner = chain(p)
    p.expect(")")
    return ast.Sort(value, cast(Literal["asc", "desc"], direction), inner, at)


def _field_comes_first(p: Parser) -> bool:
    """After the bracket of `max(` or `monitor(`: whether a field stands there, and not a query."""
    token, after = p.toks[p.i], p.toks[p.i + 1]
    return after in (".", "of", ",") and (token[:1].isalpha() or token[:1] == "_")


def _aggregated(p: Parser, at: int) -> Expression:
    op = p.toks[at]
    p.i += 2
    field = "*"
    if _field_comes_first(p):
        field = p.path()
        p.expect("of")
    elif op != "count":
        p.unexpected("a field")
    inner = chain(p)
    p.expect(")")
    return ast.Aggregation(op, field, inner, at)


def _monitored(p: Parser, at: int) -> Expression:
    p.i += 2
    fields: list[str] | None = None
    if _field_comes_first(p):
        fields = [p.path()]
        while p.take(","):
            fields.append(p.path())
        p.expect("of")
    inner = chain(p)
    p.expect(")")
    return ast.Monitor(inner, tuple(fields) if fields is not None else None, at)


def _call(p: Parser) -> Expression:
    at = p.i
    toks = p.toks
    if toks[at + 1] == "(":
        before = p.class_name()
        given = params(p)
        if p.take("."):
            return Invocation(before, p.name("a function name"), params(p), given, at)
        p.i, after = at, p.i
        kind, function = p.function_name()
        p.i = after
        return Invocation(kind, function, given, None, at)
    kind, function = p.function_name()
    return Invocation(kind, function, params(p), None, at)


def params(p: Parser) -> tuple[InputParam, ...]:
    """`(name=value, ...)`."""
    toks = p.toks
    p.expect("(")
    if toks[p.i] == ")":
        p.i += 1
        return ()
    found = [param(p)]
    while toks[p.i] == ",":
        p.i += 1
        found.append(param(p))
    p.expect(")")
    return tuple(found)


def param(p: Parser) -> InputParam:
    """`name=value`."""
    at = p.i
    # `all` is reserved, but a device may be told to be all of its kind.
    name = "all" if p.take("all") else p.name("a parameter")
    p.expect("=")
    return InputParam(name, p.value(), at)
