"""Where streams, queries and actions may stand in an expression."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeAlias

from ...grammar.diagnostic import Diagnostic
from . import ast
from . import read_errors as errors
from .streams import is_timer

Kind: TypeAlias = Literal["query", "action", "stream"]
KindOfCall: TypeAlias = Callable[[ast.Invocation | ast.FunctionCall], Kind | None]
"""What a call is; None for what nobody declares."""

_OF_ROWS = ast.FilterExpression | ast.Projection | ast.BooleanQuestion | ast.Alias
_SAID = {
    ast.FilterExpression: "filtered",
    ast.Projection: "projected",
    ast.BooleanQuestion: "asked about",
    ast.Alias: "given a name",
    ast.Aggregation: "aggregated",
    ast.Sort: "sorted",
    ast.Index: "indexed",
    ast.Slice: "sliced",
    ast.Monitor: "monitored",
    ast.Join: "joined",
}


def kind_of(expression: ast.Expression, call: KindOfCall) -> tuple[Kind | None, bool]:
    """What an expression ends with, and whether it begins with a stream."""
    match expression:
        case ast.Chain(links):
            return kind_of(links[-1], call)[0], kind_of(links[0], call)[1]
        case ast.Invocation():
            return call(expression), False
        case ast.FunctionCall(name):
            kind: Kind | None = "stream" if is_timer(name) else call(expression)
            return kind, kind == "stream"
        case ast.Monitor():
            return "stream", True
        case ast.FilterExpression() | ast.Projection() | ast.BooleanQuestion() | ast.Alias():
            return kind_of(expression.expression, call)
    return "query", False


def misplaced_parts(expression: ast.Expression, call: KindOfCall) -> Iterator[tuple[Diagnostic, int]]:
    """What stands where it cannot in a statement, and the number of the token it is at (-1: not known)."""
    links = expression.expressions if isinstance(expression, ast.Chain) else (expression,)
    yield from _links(links, call, True)


def not_monitored(
    expression: ast.Expression, can: Callable[[ast.Invocation | ast.FunctionCall], str | None]
) -> Iterator[tuple[Diagnostic, int]]:
    """The `monitor`s of a statement of what cannot be. can: the call's name if its results are not monitored."""
    if isinstance(expression, ast.Monitor):
        found = _still(expression.expression, can)
        if found is not None:
            yield errors.not_monitored(found), expression.at
    for inner in _below(expression):
        yield from not_monitored(inner, can)


def _still(expression: ast.Expression, can: Callable[[ast.Invocation | ast.FunctionCall], str | None]) -> str | None:
    """A call that keeps an expression from being monitored."""
    if isinstance(expression, ast.Invocation | ast.FunctionCall):
        return can(expression)
    found = [_still(inner, can) for inner in _below(expression)]
    if isinstance(expression, ast.Join) and None in found:
        return None
    return next((name for name in found if name is not None), None)


def _below(expression: ast.Expression) -> tuple[ast.Expression, ...]:
    match expression:
        case ast.Chain(links):
            return links
        case ast.Join(left, right):
            return left, right
        case ast.Invocation() | ast.FunctionCall():
            return ()
    return (expression.expression,)


def _links(links: tuple[ast.Expression, ...], call: KindOfCall, whole: bool) -> Iterator[tuple[Diagnostic, int]]:
    for i, link in enumerate(links):
        kind = kind_of(link, call)[0]
        if kind == "stream" and (i or not whole):
            yield errors.misplaced("a stream stands first in a statement"), link.at
        if kind == "action" and i < len(links) - 1:
            yield errors.misplaced("an action stands last in a statement"), link.at
        yield from _inside(link, call)


def _inside(expression: ast.Expression, call: KindOfCall) -> Iterator[tuple[Diagnostic, int]]:
    """What is around an expression decides what it may be."""
    if isinstance(expression, ast.Chain):
        yield from _links(expression.expressions, call, False)
        return
    streams = isinstance(expression, _OF_ROWS)
    for inner in _below(expression):
        kind = kind_of(inner, call)[0]
        if kind == "action" or (kind == "stream" and not streams):
            what = f"{'an action' if kind == 'action' else 'a stream'} is not {_SAID[type(expression)]}"
            yield errors.misplaced(what), inner.at
        yield from _inside(inner, call)
    condition = getattr(expression, "filter", None)
    for asked in _asked(condition):
        if kind_of(asked, call)[0] in ("action", "stream"):
            yield errors.misplaced("a condition is about a query"), asked.at
        yield from _inside(asked, call)


def _asked(condition: Any) -> Iterator[ast.Expression]:
    """The queries in a condition."""
    if isinstance(condition, ast.Existential | ast.ComparisonSubquery):
        yield condition.expression
    elif is_dataclass(condition):
        for part in fields(condition):
            value = getattr(condition, part.name)
            for each in value if isinstance(value, tuple) else (value,):
                yield from _asked(each)
