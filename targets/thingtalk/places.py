"""Values that are none where they stand: places and times nobody has, results before there are any, and what must be
constant and is not.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ...compiler.units import TIME_UNITS
from ...grammar.diagnostic import Diagnostic
from . import ast, values
from . import read_errors as errors
from .constant_types import unknown_types

_LOCATIONS = ("current_location", "home", "work")
_TIMES = ("morning", "evening")
_Found = tuple[Diagnostic, int]


def ill_placed(expression: ast.Expression, bound: frozenset[str]) -> Iterator[_Found]:
    """The values of a statement that are none, with the number of the token they are at (-1: not known).

    bound: parameters of the function around.
    """
    links = expression.expressions if isinstance(expression, ast.Chain) else (expression,)
    for i, link in enumerate(links):
        yield from _in_node(link, i > 0, bound, -1)


def ill_placed_value(
    value: values.Value | ast.Filter | None, after: bool = False, source: bool = False
) -> Iterator[_Found]:
    """The same of a value or condition by itself. after: something was done before; source: a policy says who asks."""
    yield from _in_node(value, after, frozenset(), -1, source)


def is_computed(value: values.Value) -> bool:
    """Whether a value is not there before the program runs."""
    return isinstance(value, values.Computation | values.ArrayField | values.FilterValue | values.Event)


def _in_node(node: Any, after: bool, bound: frozenset[str], at: int, source: bool = False) -> Iterator[_Found]:
    if isinstance(node, tuple):
        for each in node:
            yield from _in_node(each, after, bound, at, source)
        return
    if not is_dataclass(node):
        return
    here = getattr(node, "at", -1)
    at = here if here >= 0 else at
    wrong = _wrong(node, after, source)
    if wrong is not None:
        yield errors.no_such_value(wrong), at
    if isinstance(node, values.ContextRef):
        for name in unknown_types(node.type):
            yield errors.no_type(name), at
    if isinstance(node, ast.Invocation):
        yield from _device(node, bound)
    if isinstance(node, ast.Invocation | ast.FunctionCall):
        yield from _twice(node.params)
    for part in fields(node):
        yield from _in_node(getattr(node, part.name), after, bound, at, source)


def _wrong(node: Any, after: bool, source: bool) -> str | None:
    match node:
        case values.RelativeLocation(name) if name not in _LOCATIONS:
            return f"nobody has a location {name}"
        case values.RelativeTime(name) if name not in _TIMES:
            return f"no time of the day is called {name}"
        case values.DateEdge(edge, unit) if unit not in TIME_UNITS:
            return f"{unit} is no span of time, and has no ${edge}"
        case values.Event("source"):
            return None if source else "only the first part of a policy has a $source"
        case values.Event(name) if name != "program_id" and not after:
            return f"there is no ${name or 'result'} before anything was done"
    return None


def _twice(params: tuple[ast.InputParam, ...]) -> Iterator[_Found]:
    seen: set[str] = set()
    for param in params:
        if param.name in seen:
            yield errors.declared_twice(param.name, "given"), param.at
        seen.add(param.name)


def _device(call: ast.Invocation, bound: frozenset[str]) -> Iterator[_Found]:
    yield from _twice(call.device or ())
    for param in call.device or ():
        passed = isinstance(param.value, values.VarRef) and param.value.name not in bound
        if passed or is_computed(param.value):
            yield errors.not_constant(f"the device's {param.name}"), param.at
