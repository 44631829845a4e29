"""The ThingTalk syntax tree: what a program says, before any schema is asked."""

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar. kind and payload:

    number "4" | string "x" | boolean "true" | enum "east" | measure ("5", "kg") | currency ("5", "usd")
    entity (value | None, type, display | None) | time (h, m, s) | date tuple of parts | now () | array (values)
    object ((name, value), ...) | placeholder (kind, index) | var "field" | undefined () | location tuple
    computation (op, operands) | any (expression) subquery | context name | filtered (field, value, condition)
    """

    kind: str
    payload: Any
    at: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter. kind and payload:

    and | or (conditions) | not condition | atom (left, op, right) | dontcare name | any expression
    constant "true" | value (a boolean scalar on its own)
    """

    kind: str
    payload: Any
    at: int = 0


@dataclass(frozen=True, slots=True)
class Expression:
    """A query, action or stream. kind and payload:

    call (function, ((name, value), ...)) | filter (expression, condition) | project (items, expression)
    sort (value, direction, expression) | index (expression, values) | slice (expression, base, limit)
    aggregate (op, field | None, expression) | chain (expressions) | join (left, right) | alias (expression, name)
    outside what (a stream, monitor, timer: recognized, not covered)
    """

    kind: str
    payload: Any
    at: int = 0


Annotations: TypeAlias = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A statement with its annotations (`results`, `count`, `more`, `error`, `confirm`)."""

    expression: Expression
    annotations: Annotations
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class State:
    """A dialogue state, or a bare program (`act` None)."""

    act: str | None
    params: tuple[str, ...]
    items: tuple[Item, ...]
