"""ThingTalk 2 filters, expressions and dialogue states, as written.

Brackets that change nothing are not kept; those that do show in the nesting. `at` is the index of a node's first token
(`lexer.token_span` finds its place in the text) and no part of equality.
"""

from dataclasses import field
from typing import Final, Literal, TypeAlias

from ...compiler.node import node
from .values import Annotation, Object, Value

# ---------------------------------------------------------------- filters


@node
class Truth:
    """`true`, `false` as a filter."""

    value: bool
    at: int = field(default=-1, compare=False, repr=False)


@node
class And:
    """`a && b && c`: two operands or more; an And among them was bracketed."""

    operands: tuple["Filter", ...]
    at: int = field(default=-1, compare=False, repr=False)


@node
class Or:
    """`a || b`: two operands or more."""

    operands: tuple["Filter", ...]
    at: int = field(default=-1, compare=False, repr=False)


@node
class Not:
    """`!(a)`."""

    operand: "Filter"
    at: int = field(default=-1, compare=False, repr=False)


@node
class Atom:
    """`field op value`; op is infix (`==`, `<=`, ...) or called (`contains(field, value)`)."""

    name: str
    op: str
    value: Value
    at: int = field(default=-1, compare=False, repr=False)


@node
class Compute:
    """`value op value` where the left side is no plain field."""

    left: Value
    op: str
    value: Value
    at: int = field(default=-1, compare=False, repr=False)


@node
class DontCare:
    """`true(field)`: the user does not care."""

    name: str
    at: int = field(default=-1, compare=False, repr=False)


@node
class ComparisonSubquery:
    """`value op any([field] of query)`."""

    left: Value
    op: str
    expression: "Expression"
    at: int = field(default=-1, compare=False, repr=False)


@node
class Existential:
    """`any(query)`."""

    expression: "Expression"
    at: int = field(default=-1, compare=False, repr=False)


Filter: TypeAlias = Truth | And | Or | Not | Atom | Compute | DontCare | ComparisonSubquery | Existential
FILTER_CLASSES: Final = frozenset((Truth, And, Or, Not, Atom, Compute, DontCare, ComparisonSubquery, Existential))

# ---------------------------------------------------------------- expressions


@node
class InputParam:
    """`name=value`."""

    name: str
    value: Value
    at: int = field(default=-1, compare=False, repr=False)


@node
class Invocation:
    """`@kind.function(params)`; with a device: `@kind(name="x").function(params)` (None: no such brackets)."""

    kind: str
    function: str
    params: tuple[InputParam, ...] = ()
    device: tuple[InputParam, ...] | None = None
    at: int = field(default=-1, compare=False, repr=False)


@node
class FunctionCall:
    """`name(params)`: a function of the program, or the streams `timer`, `attimer`, `ontimer`."""

    name: str
    params: tuple[InputParam, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)


@node
class FilterExpression:
    """`query filter condition`."""

    expression: "Expression"
    filter: Filter
    at: int = field(default=-1, compare=False, repr=False)


@node
class Aliased:
    """`value as name` in a projection."""

    value: Value
    alias: str


@node
class Projection:
    """`[a, b, f(c) as d] of query`: plain fields are VarRefs; `*` comes first if at all."""

    fields: tuple[Value | Aliased, ...]
    expression: "Expression"
    at: int = field(default=-1, compare=False, repr=False)


@node
class BooleanQuestion:
    """`[condition] of query`."""

    filter: Filter
    expression: "Expression"
    at: int = field(default=-1, compare=False, repr=False)


@node
class Sort:
    """`sort(value asc of query)`."""

    value: Value
    direction: Literal["asc", "desc"]
    expression: "Expression"
    at: int = field(default=-1, compare=False, repr=False)


@node
class Index:
    """`query[1]`, `query[1, 3]`; from 1, negative from the end."""

    expression: "Expression"
    indices: tuple[Value, ...]
    at: int = field(default=-1, compare=False, repr=False)


@node
class Slice:
    """`query[base : limit]`: limit rows from the base-th."""

    expression: "Expression"
    base: Value
    limit: Value
    at: int = field(default=-1, compare=False, repr=False)


@node
class Aggregation:
    """`max(field of query)`; `count(query)` has the column `*`."""

    op: str
    column: str
    expression: "Expression"
    at: int = field(default=-1, compare=False, repr=False)


@node
class Alias:
    """`query as name`."""

    expression: "Expression"
    name: str
    at: int = field(default=-1, compare=False, repr=False)


@node
class Join:
    """`query join query`."""

    left: "Expression"
    right: "Expression"
    at: int = field(default=-1, compare=False, repr=False)


@node
class Chain:
    """`a => b => c`: two expressions or more."""

    expressions: tuple["Expression", ...]
    at: int = field(default=-1, compare=False, repr=False)


@node
class Monitor:
    """`monitor(query)`, `monitor(a, b of query)`: the stream of changes."""

    expression: "Expression"
    fields: tuple[str, ...] | None = None
    at: int = field(default=-1, compare=False, repr=False)


Expression: TypeAlias = (
    Invocation
    | FunctionCall
    | FilterExpression
    | Projection
    | BooleanQuestion
    | Sort
    | Index
    | Slice
    | Aggregation
    | Alias
    | Join
    | Chain
    | Monitor
)

# ---------------------------------------------------------------- dialogue states


@node
class Results:
    """`#[results=[...]] #[count=n] #[more=true] #[error=e]`; count and error None where not written."""

    rows: tuple[Object, ...]
    count: Value | None = None
    more: bool = False
    error: Value | None = None


@node
class Item:
    """A statement of a dialogue. With results it was executed and `confirm` is `confirmed`; `accepted` goes unwritten."""

    expression: Expression
    confirm: str = "accepted"
    results: Results | None = None
    annotations: tuple[Annotation, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)


@node
class DialogueState:
    """`$dialogue @policy.act(params); items`. params None: no brackets. A parameter is a VarRef, rarely a value."""

    policy: str
    act: str
    params: tuple[Value, ...] | None = None
    items: tuple[Item, ...] = ()
    annotations: tuple[Annotation, ...] = ()
