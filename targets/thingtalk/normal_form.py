"""The form ThingTalk's reference gives a program when it reads it, faults included: what Genie's exact match compares.

For a sound form see `canon`. Published behaviours that are kept as they are:

- clauses are sorted by their tokens, but all constants are one token, so clauses that differ only in a number,
  string, entity or time keep the order they were written in;
- equalities of one field under `||` become one `in_array`, with nothing else done about repeats, and a disjunction
  that comes down to one `in_array` is left in brackets; so the form is not always its own form;
- a field compared with itself is true, whether or not it has a value;
- a projection with computations stays where it is but over sorts, indexes and chains.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import ast, values
from .ast import Expression, Filter
from .declarations import ExpressionStatement, Input, Let, Program, Return
from .print_filters import print_filter
from .printer import Printer
from .values import Value, VarRef

_FLIPPED = {"==": "==", ">=": "<=", "<=": ">=", "=~": "~=", "~=": "=~", "contains": "in_array", "in_array": "contains"}
_FLIPPED |= {"contains~": "~in_array", "~in_array": "contains~", "~contains": "in_array~", "in_array~": "~contains"}
_REFLEXIVE = frozenset(("==", "=~", ">=", "<="))
# Values that are one token whatever they hold.
_ONE_TOKEN = (
    *(values.Placeholder, values.Number, values.String, values.Entity, values.Measure, values.Currency),
    *(values.Time, values.Location, values.NamedLocation, values.IsoDate),
)
_OPEN = (values.Computation, values.ArrayField, values.FilterValue, values.Undefined, values.ContextRef, values.Event)
_CONSTANT = VarRef("[object Object]")


def normal_form(tree: Input) -> Input:
    """A program or dialogue state as the reference would have it."""
    if isinstance(tree, ast.DialogueState):
        return replace(tree, items=tuple(_item(item) for item in tree.items))
    if isinstance(tree, Program):
        return replace(tree, statements=tuple(_statement(s) for s in tree.statements))
    return tree


def _statement(statement: Any) -> Any:
    if isinstance(statement, ExpressionStatement | Let | Return):
        return replace(statement, expression=_expression(statement.expression))
    return statement


def _item(item: ast.Item) -> ast.Item:
    results = item.results
    if results is not None and isinstance(results.count, values.Number) and results.count.value == len(results.rows):
        results = replace(results, count=None)
    return replace(item, expression=_expression(item.expression), results=results)


# ---------------------------------------------------------------- filters


def _filter(condition: Filter) -> Filter:
    match condition:
        case ast.And(operands):
            return _connected(True, operands)
        case ast.Or(operands):
            return _connected(False, operands)
        case ast.Not(ast.Not(inner)):
            return _filter(inner)
        case ast.Not(inner):
            done = _filter(inner)
            return ast.Truth(not done.value) if isinstance(done, ast.Truth) else ast.Not(done)
        case ast.Existential(inner):
            return ast.Existential(_expression(inner))
        case ast.ComparisonSubquery(left, op, inner):
            return ast.ComparisonSubquery(left, op, _expression(inner))
        case ast.Compute(left, op, right):
            return _compute(left, op, right)
        case ast.Atom(name, op, VarRef(other)) if name == other and op in _REFLEXIVE:
            return ast.Truth(True)
    return condition


def _connected(conjunction: bool, operands: tuple[Filter, ...]) -> Filter:
    done = [_filter(operand) for operand in _flat(ast.And if conjunction else ast.Or, operands)]
    unit, zero = ast.Truth(conjunction), ast.Truth(not conjunction)
    done = sorted((operand for operand in done if operand != unit), key=_tokens)
    if zero in done:
        return zero
    if len(done) < 2:
        return done[0] if done else unit
    return ast.And(tuple(done)) if conjunction else ast.Or(_gathered(done))


def _flat(kind: type[ast.And] | type[ast.Or], operands: tuple[Filter, ...]) -> list[Filter]:
    return [part for o in operands for part in (_flat(kind, o.operands) if isinstance(o, kind) else [o])]


def _gathered(operands: list[Filter]) -> tuple[Filter, ...]:
    """Alternatives with the equalities, then the matches, of each field as one test at the end."""
    kept: list[Filter] = []
    tested: dict[str, dict[str, list[Value]]] = {"==": {}, "=~": {}}
    for operand in operands:
        if isinstance(operand, ast.Atom) and operand.op in tested:
            tested[operand.op].setdefault(operand.name, []).append(operand.value)
        else:
            kept.append(operand)
    for op, many in (("==", "in_array"), ("=~", "in_array~")):
        for name, found in tested[op].items():
            one = len(found) == 1
            kept.append(ast.Atom(name, op if one else many, found[0] if one else values.Array(tuple(found))))
    return tuple(kept)


def _compute(left: Value, op: str, right: Value) -> Filter:
    if isinstance(left, VarRef) and not _given(left):
        return _filter(ast.Atom(left.name, op, right))
    if isinstance(right, VarRef) and not _given(right) and op in _FLIPPED:
        return _filter(ast.Atom(right.name, _FLIPPED[op], left))
    if left == right and op in _REFLEXIVE:
        return ast.Truth(True)
    if _constant(left) and _constant(right) and op == "==":
        return ast.Truth(False)
    if _constant(left) and not _constant(right) and op in _FLIPPED:
        return ast.Compute(right, _FLIPPED[op], left)
    return ast.Compute(left, op, right)


def _given(value: VarRef) -> bool:
    return value.name.startswith("__const_")


def _constant(value: Value) -> bool:
    if isinstance(value, values.Array):
        return all(_constant(v) for v in value.values)
    return _given(value) if isinstance(value, VarRef) else not isinstance(value, _OPEN)


def _tokens(condition: Filter) -> list[str]:
    """What filters are sorted by."""
    printer = Printer(True)
    print_filter(printer, _blind(condition))
    return [token[1:] if token[0] == "\b" else token for token in printer.out]


def _blind(node: Any) -> Any:
    """A filter in which all constants look alike."""
    if isinstance(node, _ONE_TOKEN):
        return _CONSTANT
    if isinstance(node, tuple):
        return tuple(_blind(part) for part in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    return type(node)(**{f.name: _blind(getattr(node, f.name)) for f in dataclasses.fields(node)})


# ---------------------------------------------------------------- expressions


def _expression(query: Expression, shown: bool = True) -> Expression:
    """A query; `shown` where a projection may stay, which is everywhere but before an action in a chain."""
    match query:
        case ast.Invocation() | ast.FunctionCall():
            made = replace(query, params=tuple(sorted(query.params, key=lambda p: p.name)))
            return replace(made, device=None) if isinstance(made, ast.Invocation) and only_one(made) else made
        case ast.Projection():
            return _projection(query, shown)
        case ast.Sort():
            return _sort(query, shown)
        case ast.Monitor():
            return _monitor(query, shown)
        case ast.FilterExpression():
            return _filtered(query, shown)
        case ast.Slice(inner, base, values.Number(1)):
            return _expression(ast.Index(inner, (base,)), shown)
        case ast.Index(inner, (values.Array(indices),)):
            return _expression(ast.Index(inner, indices), shown)
        case ast.Index() | ast.Slice():
            return _below_projection(_expression(query.expression), lambda e: replace(query, expression=e))
        case ast.Join(left, right):
            return ast.Join(_expression(left), _expression(right))
        case ast.Aggregation() | ast.Alias():
            return replace(query, expression=_expression(query.expression, shown))
        case ast.Chain(links):
            return _chain(links, shown)
    return query


def only_one(call: ast.Invocation) -> bool:
    """Whether the device is named after its class: then there is one, and it goes without saying."""
    for param in call.device or ():
        if param.name == "id" and isinstance(param.value, values.String | values.Entity):
            return param.value.value == call.kind
    return False


def _below_projection(inner: Expression, stage: Callable[[Expression], Expression]) -> Expression:
    """A stage over a query, under the projection if the query is one."""
    if isinstance(inner, ast.Projection):
        return replace(inner, expression=stage(inner.expression))
    return stage(inner)


def _chain(links: tuple[Expression, ...], shown: bool) -> Expression:
    done: list[Expression] = []
    for i, link in enumerate(links):
        made = _expression(link, shown and i == len(links) - 1)
        done.extend(made.expressions if isinstance(made, ast.Chain) else (made,))
    return ast.Chain(tuple(done)) if len(done) > 1 else done[0]


def _filtered(query: ast.FilterExpression, shown: bool) -> Expression:
    condition = _filter(query.filter)
    inner = _expression(query.expression, shown)
    if condition == ast.Truth(True):
        return inner
    if isinstance(inner, ast.FilterExpression):
        both = _filter(ast.And((condition, inner.filter)))
        return _filtered(ast.FilterExpression(inner.expression, both), shown)
    if isinstance(inner, ast.Projection) and not _computed(inner):
        below = _filtered(ast.FilterExpression(inner.expression, condition), shown)
        return replace(inner, expression=below) if shown else below
    # The reference looks at what is filtered a second time, which sorts what the first time gathered.
    return ast.FilterExpression(_expression(inner, shown), condition)


def _monitor(query: ast.Monitor, shown: bool) -> Expression:
    inner = _expression(query.expression)
    fields = tuple(sorted(query.fields, key=_args_key)) if query.fields is not None else None
    if isinstance(inner, ast.Projection) and not _computed(inner):
        named = fields if fields is not None else tuple(_names(inner))
        below = ast.Monitor(inner.expression, named)
        return replace(inner, expression=below) if shown else below
    return ast.Monitor(inner, fields)


def _sort(query: ast.Sort, shown: bool) -> Expression:
    inner = _expression(query.expression, shown)
    if not isinstance(inner, ast.Projection):
        return replace(query, expression=inner)
    computed = _computed(inner)
    value = query.value
    if len(computed) == 1 and value == VarRef(column_name(computed[0])):
        value = _plain(computed[0])
    if any(_uses(value, column_name(field)) for field in computed):
        return replace(query, value=value, expression=inner)
    return replace(inner, expression=ast.Sort(value, query.direction, inner.expression))


# ---------------------------------------------------------------- projections


def _projection(query: ast.Projection, shown: bool) -> Expression:
    inner = _expression(query.expression, shown)
    names, computed = sorted(_names(query), key=_args_key), _computed(query)
    if isinstance(inner, ast.Chain):
        last = _projection(_projected(names, computed, inner.expressions[-1]), shown)
        return ast.Chain((*inner.expressions[:-1], last))
    if not computed and (names[:1] == ["*"] or not shown or isinstance(inner, ast.Aggregation)):
        return inner
    if not isinstance(inner, ast.Projection):
        return _projected(names, computed, inner)
    # A computation below stays if one of ours needs it, comes up if it is shown and not hidden by one of ours.
    ours = {column_name(field) for field in computed}
    below = _computed(inner)
    needed = [f for f in below if any(_uses(_plain(c), column_name(f)) for c in computed)]
    risen = [f for f in below if f not in needed and column_name(f) in names and column_name(f) not in ours]
    source = _projected(["*"], needed, inner.expression) if needed else inner.expression
    names = [n for n in names if n not in {column_name(f) for f in risen}]
    if names[:1] == ["*"]:
        names = [*_names(inner), *(column_name(f) for f in needed)]
    return _projected(sorted(names, key=_args_key), [*computed, *risen], source)


def _projected(names: list[str], computed: list[Value | ast.Aliased], source: Expression) -> ast.Projection:
    return ast.Projection((*(VarRef(n) for n in names), *computed), source)


def _names(query: ast.Projection) -> list[str]:
    return [field.name for field in query.fields if isinstance(field, VarRef)]


def _computed(query: ast.Projection) -> list[Value | ast.Aliased]:
    return [field for field in query.fields if not isinstance(field, VarRef)]


def _plain(field: Value | ast.Aliased) -> Value:
    return field.value if isinstance(field, ast.Aliased) else field


def column_name(field: Value | ast.Aliased) -> str:
    """The name a computed column goes by."""
    if isinstance(field, ast.Aliased):
        return field.alias
    while isinstance(field, values.FilterValue | values.ArrayField):
        field = field.value
    if isinstance(field, VarRef):
        return field.name
    return field.op if isinstance(field, values.Computation) and field.op.isalnum() else "result"


def _uses(node: Any, name: str) -> bool:
    if isinstance(node, VarRef | ast.Atom) and node.name == name:
        return True
    if isinstance(node, tuple):
        return any(_uses(part, name) for part in node)
    if not dataclasses.is_dataclass(node):
        return False
    return any(_uses(getattr(node, f.name), name) for f in dataclasses.fields(node))


def _args_key(name: str) -> tuple[bool, str]:
    """Names in order, `*` first."""
    return name != "*", name
