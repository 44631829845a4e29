"""Filters to tokens."""

from collections.abc import Callable
from typing import Any, Final

from . import ast, print_queries, values
from .ast import Filter
from .parse_filters import INFIX
from .printer import CALL, Printer, ThingTalkPrintError, value_level
from .values import Value

_CONSTANTS: Final = (
    values.Placeholder,
    values.Number,
    values.String,
    values.Enum,
    values.Entity,
    values.Measure,
    values.Currency,
    values.Time,
    values.RelativeTime,
    values.Location,
    values.NamedLocation,
    values.RelativeLocation,
    values.Now,
    values.IsoDate,
    values.DateParts,
    values.WeekDay,
    values.DateEdge,
    values.RecurrentTime,
    values.ArgMap,
)


_ANY_BRACKET: Final = 9


def print_filter(p: Printer, condition: Filter, least: int = 0) -> None:
    """A filter, bracketed if it binds less tightly than `least`: 2 a conjunction, 3 a comparison, 5 a call."""
    if _filter_level(condition) < least:
        p.out.append("(")
        _FILTERS[condition.__class__](p, condition)
        p.out.append(")")
    else:
        _FILTERS[condition.__class__](p, condition)


def _operands(p: Printer, operands: tuple[Filter, ...], sign: str, least: int) -> None:
    for i, operand in enumerate(operands):
        if i:
            p.out.append(sign)
        print_filter(p, operand, least)


def _not(p: Printer, condition: ast.Not) -> None:
    p.out.append("!")
    print_filter(p, condition.operand, 5)


def _atom(p: Printer, condition: ast.Atom) -> None:
    if condition.op in INFIX:
        p.path(condition.name)
        p.out.append(condition.op)
        p.value(condition.value, 2)
    else:
        p.out += (condition.op, CALL)
        p.path(condition.name)
        p.out.append(",")
        p.value(condition.value)
        p.out.append(")")


def _left(p: Printer, left: Value) -> None:
    if isinstance(left, values.Boolean):
        raise ThingTalkPrintError("a comparison cannot begin with a truth value")
    if isinstance(left, _CONSTANTS):
        p.out.append("(")
        p.value(left)
        p.out.append(")")
    else:
        p.value(left, 2)


def _compute(p: Printer, condition: ast.Compute) -> None:
    if condition.op in INFIX:
        _left(p, condition.left)
        p.out.append(condition.op)
        p.value(condition.value, 2)
    else:
        p.out += (condition.op, CALL)
        p.value(condition.left)
        p.out.append(",")
        p.value(condition.value)
        p.out.append(")")


def _subquery(p: Printer, condition: ast.ComparisonSubquery) -> None:
    if condition.op in INFIX:
        _left(p, condition.left)
        p.out += (condition.op, "any", CALL)
        print_queries.print_expression(p, condition.expression, 2)
        p.out.append(")")
    else:
        p.out += (condition.op, CALL)
        p.value(condition.left)
        p.out += (",", "any", CALL)
        print_queries.print_expression(p, condition.expression, 2)
        p.out += (")", ")")


def _dont_care(p: Printer, condition: ast.DontCare) -> None:
    p.out += ("true", CALL)
    p.path(condition.name)
    p.out.append(")")


def _existential(p: Printer, condition: ast.Existential) -> None:
    p.out += ("any", CALL)
    print_queries.print_expression(p, condition.expression)
    p.out.append(")")


def print_narrow_filter(p: Printer, condition: Filter) -> None:
    """A filter inside a filtered value, where the right side of a comparison is no sum and no subquery."""
    right = condition.value if isinstance(condition, ast.Atom | ast.Compute) and condition.op in INFIX else None
    subquery = isinstance(condition, ast.ComparisonSubquery) and condition.op in INFIX
    print_filter(p, condition, _ANY_BRACKET if subquery or (right is not None and value_level(right) < 5) else 3)


def _filter_level(condition: Filter) -> int:
    match condition:
        case ast.Or():
            return 1
        case ast.And():
            return 2
        case ast.Not():
            return 4
        case ast.Atom(op=op) | ast.Compute(op=op) | ast.ComparisonSubquery(op=op):
            return 3 if op in INFIX else 5
    return 5


_FILTERS: Final[dict[type, Callable[[Printer, Any], None]]] = {
    ast.Truth: lambda p, f: p.out.append("true" if f.value else "false"),
    ast.And: lambda p, f: _operands(p, f.operands, "&&", 3),
    ast.Or: lambda p, f: _operands(p, f.operands, "||", 2),
    ast.Not: _not,
    ast.Atom: _atom,
    ast.Compute: _compute,
    ast.DontCare: _dont_care,
    ast.ComparisonSubquery: _subquery,
    ast.Existential: _existential,
}
