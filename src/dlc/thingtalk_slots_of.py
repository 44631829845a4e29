"""ThingTalk expressions in the neutral structure that slots are read from (`metrics.thingtalk_slots`)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from dlc.metrics import thingtalk_slots as neutral
from dlc.metrics.thingtalk_slots import Kind, SlotValue
from dlc.targets.thingtalk import ast, values

Arguments = Callable[[str, str], tuple[str, ...]]
"""Class and function to the names of everything the function takes or gives."""
Names = Callable[[str, str], str]
"""Type and text of an entity to the name it goes by: its row's key where a database knows it, else the text."""


def as_said(_: str, text: str) -> str:
    """The names of entities where there is no database: what was said."""
    return text


def invocations(
    expression: ast.Expression, arguments: Arguments, names: Names = as_said
) -> Iterator[neutral.Invocation]:
    """The calls of an expression in the order they are written, each with the filters around it.

    Projection, sort, index and aggregation show nothing; a filter over a join or chain belongs to the last call in it.
    """
    match expression:
        case ast.Invocation(kind, function, params):
            given = tuple((p.name, slot_value(p.value, names)) for p in params)
            yield neutral.Invocation(kind, arguments(kind, function), given)
        case ast.FilterExpression(inner, condition):
            calls = list(invocations(inner, arguments, names))
            yield from calls[:-1]
            for last in calls[-1:]:
                yield replace(last, filters=(*last.filters, *_filter(condition, names)))
        case ast.Chain(links):
            for link in links:
                yield from invocations(link, arguments, names)
        case ast.Join(left, right):
            yield from invocations(left, arguments, names)
            yield from invocations(right, arguments, names)
        case ast.FunctionCall():
            return
        case _:
            yield from invocations(expression.expression, arguments, names)


def _filter(condition: ast.Filter, names: Names) -> tuple[neutral.Filter, ...]:
    """The condition, or nothing where it compares no field of the query."""
    match condition:
        case ast.And(operands):
            return (neutral.And(tuple(part for o in operands for part in _filter(o, names))),)
        case ast.Or(operands):
            return (
                (neutral.Or(tuple(part for o in operands for part in _filter(o, names))),) if len(operands) == 1 else ()
            )
        case ast.Not(operand):
            return tuple(neutral.Not(part) for part in _filter(operand, names))
        case ast.Atom(name, _, value):
            return (neutral.Atom(name, slot_value(value, names)),)
        case ast.DontCare(name):
            return (neutral.Atom(name, SlotValue(Kind.DONTCARE)),)
    return ()


def slot_value(value: values.Value, names: Names = as_said) -> SlotValue:
    """What a value shows. A list is its first element, a computation its first operand."""
    match value:
        case values.Array(elements):
            return slot_value(elements[0], names) if elements else SlotValue(Kind.OTHER)
        case values.Computation(_, operands) if operands:
            return slot_value(operands[0], names)
        case values.Undefined():
            return SlotValue(Kind.UNDEFINED)
        case values.VarRef():
            return SlotValue(Kind.VARIABLE)
        case values.Boolean(truth):
            return SlotValue(Kind.BOOLEAN, "true" if truth else "false")
        case values.String(text):
            # The reference compares the words of a string, not its blanks.
            return SlotValue(Kind.TEXT, " ".join(text.split()))
        case values.Entity(identifier, type_, display):
            shown = display if display is not None else identifier
            return SlotValue(Kind.ENTITY, "" if shown is None else names(type_, _part(shown)))
        case values.Enum(name):
            return SlotValue(Kind.OTHER, name)
        case values.Number(number):
            return SlotValue(Kind.OTHER, f"{number:.15g}")
        case values.Measure(number, unit):
            return SlotValue(Kind.OTHER, f"{_part(number)}{unit}")
        case values.Currency(number, code):
            return SlotValue(Kind.OTHER, f"{_part(number)} {code}")
        case values.Time(hour, minute, second):
            return SlotValue(Kind.OTHER, ":".join(_part(part).rjust(2, "0") for part in (hour, minute, second)))
        case values.Placeholder(token):
            return SlotValue(Kind.OTHER, token)
    return SlotValue(Kind.OTHER, repr(value))


def _part(part: Any) -> str:
    if isinstance(part, values.Placeholder):
        return part.token
    return f"{part:.15g}" if isinstance(part, int | float) else " ".join(str(part).split())
