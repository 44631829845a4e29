"""Expressions to tokens."""

from collections.abc import Callable
from typing import Any, Final

from . import ast, print_filters
from .ast import Expression, InputParam
from .printer import CALL, INDEX, Printer
from .values import Value


def print_expression(p: Printer, expression: Expression, least: int = 0) -> None:
    """An expression, bracketed below `least`: 1 join, 2 projection, 3 filter, 4 alias, 5 index, 6 call."""
    level, write = _EXPRESSIONS[expression.__class__]
    if level < least:
        p.out.append("(")
        write(p, expression)
        p.out.append(")")
    else:
        write(p, expression)


def print_params(p: Printer, params: tuple[InputParam, ...]) -> None:
    """`(name=value, ...)`."""
    out = p.out
    out.append(CALL)
    for i, param in enumerate(params):
        if i:
            out.append(",")
        out += (param.name, "=")
        p.value(param.value)
    out.append(")")


def _invocation(p: Printer, call: ast.Invocation) -> None:
    if call.device is None:
        p.function(call.kind, call.function)
    else:
        p.out.append(f"@{call.kind}")
        print_params(p, call.device)
        p.out += (".", call.function)
    print_params(p, call.params)


def _function_call(p: Printer, call: ast.FunctionCall) -> None:
    p.out.append(call.name)
    print_params(p, call.params)


def _filtered(p: Printer, query: ast.FilterExpression) -> None:
    print_expression(p, query.expression, 3)
    p.out.append("filter")
    print_filters.print_filter(p, query.filter)


def _projected(p: Printer, query: ast.Projection) -> None:
    p.out.append("[")
    p.commas(query.fields, lambda field: _projected_field(p, field))
    p.out += ("]", "of")
    print_expression(p, query.expression, 2)


def _projected_field(p: Printer, field: Value | ast.Aliased) -> None:
    if isinstance(field, ast.Aliased):
        p.value(field.value, 1)
        p.out += ("as", field.alias)
    else:
        p.value(field, 1)


def _question(p: Printer, query: ast.BooleanQuestion) -> None:
    p.out.append("[")
    print_filters.print_filter(p, query.filter)
    p.out += ("]", "of")
    print_expression(p, query.expression, 3)


def _sorted(p: Printer, query: ast.Sort) -> None:
    p.out += ("sort", CALL)
    p.value(query.value)
    p.out += (query.direction, "of")
    print_expression(p, query.expression)
    p.out.append(")")


def _indexed(p: Printer, query: ast.Index) -> None:
    print_expression(p, query.expression, 6)
    p.out.append(INDEX)
    p.commas(query.indices, p.value)
    p.out.append("]")


def _sliced(p: Printer, query: ast.Slice) -> None:
    print_expression(p, query.expression, 6)
    p.out.append(INDEX)
    p.value(query.base)
    p.out.append(":")
    p.value(query.limit)
    p.out.append("]")


def _aggregated(p: Printer, query: ast.Aggregation) -> None:
    p.out += (query.op, CALL)
    if query.column != "*":
        p.path(query.column)
        p.out.append("of")
    print_expression(p, query.expression)
    p.out.append(")")


def _aliased(p: Printer, query: ast.Alias) -> None:
    print_expression(p, query.expression, 4)
    p.out += ("as", query.name)


def _joined(p: Printer, query: ast.Join) -> None:
    print_expression(p, query.left, 1)
    p.out.append("join")
    print_expression(p, query.right, 2)


def _chained(p: Printer, query: ast.Chain) -> None:
    for i, each in enumerate(query.expressions):
        if i:
            p.out.append("=>")
        print_expression(p, each, 1)


def _monitored(p: Printer, query: ast.Monitor) -> None:
    p.out += ("monitor", CALL)
    if query.fields is not None:
        p.commas(query.fields, p.path)
        p.out.append("of")
    print_expression(p, query.expression)
    p.out.append(")")


_EXPRESSIONS: Final[dict[type, tuple[int, Callable[[Printer, Any], None]]]] = {
    ast.Chain: (0, _chained),
    ast.Join: (1, _joined),
    ast.Projection: (2, _projected),
    ast.BooleanQuestion: (2, _question),
    ast.FilterExpression: (3, _filtered),
    ast.Alias: (4, _aliased),
    ast.Index: (5, _indexed),
    ast.Slice: (5, _sliced),
    ast.Invocation: (6, _invocation),
    ast.FunctionCall: (6, _function_call),
    ast.Sort: (6, _sorted),
    ast.Aggregation: (6, _aggregated),
    ast.Monitor: (6, _monitored),
}
