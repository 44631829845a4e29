"""Types of what ThingTalk computes from lists: `count(a)`, `avg(f of a)`, `a filter c`.

DL has no words for these values (`stand_ins`), but their operands have types, and what the elements do not allow is found
while reading.
"""

from collections.abc import Callable
from typing import Final

from ...compiler.node import node
from ...compiler.types import BOOL, DURATION, DYNAMIC, MONEY, NUMBER, TEXT, Con, RecordType, Type
from . import ast, values
from .class_errors import array_value
from .read_errors import Misread

_NUMERIC: Final = (NUMBER, MONEY, DURATION)
_TOTALS: Final = ("sum", "avg", "min", "max")


@node
class Scope:
    """What a value may mention.

    type_of: the type of a field, None where nobody knows it. condition: looks at a filter whose rows have these
    fields, and raises Misread if it cannot be about them.
    """

    type_of: Callable[[str], Type | None]
    condition: Callable[[ast.Filter, dict[str, Type]], None]


def is_of_list(value: values.Value) -> bool:
    """Whether a value is one computed from a list."""
    match value:
        case values.ArrayField() | values.FilterValue():
            return True
        case values.Computation(op, (_,)):
            return op == "count" or op in _TOTALS
    return False


def array_type(value: values.Value, scope: Scope) -> Type | None:
    """The type of a value, as far as it is known. Raises Misread (DLC238) for what its elements do not allow."""
    match value:
        case values.VarRef(name):
            return scope.type_of(name)
        case values.String():
            return TEXT
        case values.Number():
            return NUMBER
        case values.Boolean():
            return BOOL
        case values.ArrayField(field, inner):
            element = _element(array_type(inner, scope), f"`{field} of ...`")
            if element is None:
                return None
            found = part_of(element, field)
            if found is None:
                raise Misread(array_value(f"the elements have no field {field}"))
            return Con("List", (found,))
        case values.FilterValue(inner, condition):
            whole = array_type(inner, scope)
            element = _element(whole, "the filter of a value")
            if element is not None:
                fields = element.fields if isinstance(element, RecordType) else (("value", element),)
                scope.condition(condition, dict(fields))
            return whole
        case values.Computation(op, (operand,)) if is_of_list(value):
            element = _element(array_type(operand, scope), f"`{op}`")
            if op == "count":
                return NUMBER
            if element is not None and element not in _NUMERIC and not _measured(element):
                raise Misread(array_value(f"`{op}` is of numbers, and these elements are none"))
            return element
        case values.Computation(_, operands):
            for operand in operands:
                array_type(operand, scope)
    return None


def part_of(type_: Type, path: str) -> Type | None:
    """The type of a part of a compound value, `author.name`; None if there is none."""
    for name in path.split("."):
        fields = dict(type_.fields) if isinstance(type_, RecordType) else {}
        if name not in fields:
            return DYNAMIC if type_ == DYNAMIC else None
        type_ = fields[name]
    return type_


def _element(type_: Type | None, what: str) -> Type | None:
    if type_ is None or type_ == DYNAMIC:
        return None
    if not (isinstance(type_, Con) and type_.name == "List"):
        raise Misread(array_value(f"{what} wants a list"))
    return type_.args[0] if type_.args[0] != DYNAMIC else None


def _measured(type_: Type) -> bool:
    return isinstance(type_, Con) and type_.name == "Measure"
