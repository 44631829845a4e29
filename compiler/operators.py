"""Typing rules of the operations with surface syntax: connectives, comparisons, membership, arithmetic."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..grammar.diagnostic import Diagnostic
from . import errors
from .calls import check_bounds
from .classes import coercible
from .terms import App, Entity, Field, Hole, Lit, Term, Var, with_args
from .types import (
    BOOL,
    DATE,
    DATETIME,
    DURATION,
    MONEY,
    NUMBER,
    TEXT,
    TIME,
    Con,
    RecordType,
    Row,
    Type,
    TypeVar,
    list_of,
    resolve,
    show,
    spec,
)

if TYPE_CHECKING:
    from .infer import Env, Inference, Path, Typed

Rule = Callable[["Inference", App, "Env", "Path"], "Typed"]


def say(term: Term) -> str:
    """A short way to name a subterm in a message."""
    match term:
        case Field(Var(), name):
            return f"`.{name}`"
        case Field(subject, name):
            return f"{say(subject).rstrip('`')}.{name}`"
        case Lit(kind, value):
            return f'"{value}"' if kind == "text" else f"`{value}`"
        case App(fn, args, named) if fn[0].isalpha():
            return f"`{fn}(…)`" if args or named else f"`{fn}`"
        case Var(name):
            return f"`{name}`"
        case Hole(index):
            return f"`${index}`"
        case Entity(text, identifier):
            return f'`@"{text if text is not None else identifier}"`'
    return "this"


def _connective(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    new: list[Term] = []
    for i, arg in enumerate(term.args):
        found, node = inference.infer(arg, env, (*path, i), BOOL)
        if found is not BOOL:
            inference.expect_bool(found, (*path, i))
        new.append(node)
    return BOOL, with_args(term, tuple(new))


def _comparison(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    nodes = compare(inference, term, env, path)
    return BOOL, with_args(term, nodes)


def compare(inference: "Inference", term: App, env: "Env", path: "Path") -> tuple[Term, ...]:
    """All operands to one type, entities by their common supertype; then the operation's class."""
    left, first = inference.infer(term.args[0], env, (*path, 0))
    nodes = [first]
    cls = "Eq" if term.fn in ("=", "!=") else "Ord"
    inference.require(left, cls, (*path, 0))
    for i, arg in enumerate(term.args[1:], 1):
        right, node = inference.infer(arg, env, (*path, i), left)
        nodes[0], node = relate(inference, (left, nodes[0], term.args[0]), (right, node, arg), path, i)
        nodes.append(node)
        _bounds(inference, term.args[0], left, arg, (*path, i))
    return tuple(nodes)


def _bounds(inference: "Inference", field: Term, left: Type, arg: Term, path: "Path") -> None:
    column = column_of(inference, field)
    if column is not None:
        check_bounds(inference, arg, column.minimum, column.maximum, f"`.{column.name}`", path)


def column_of(inference: "Inference", term: Term):  # type: ignore[no-untyped-def]
    """The declared column a field of a table's row refers to, if its binder is the table's own name."""
    if isinstance(term, Field) and isinstance(term.subject, Var):
        return inference.schema.column(term.subject.name, term.name)
    return None


def relate(
    inference: "Inference",
    left: tuple[Type, Term, Term],
    right: tuple[Type, Term, Term],
    path: "Path",
    index: int,
) -> tuple[Term, Term]:
    """Make two compared values one type. Returns both, coerced where one is the other's supertype."""
    (a, node_a, said_a), (b, node_b, said_b) = left, right
    a, b = resolve(a), resolve(b)

    def explain(f: Type, e: Type) -> Diagnostic:
        why = f"{say(said_a)} is {show(f)}, but this compares it with {show(e)}"
        return errors.mismatch(show(e), show(f), why, hint=_hint(inference, f, e, said_b))

    if isinstance(a, Con) and isinstance(b, Con) and not a.args and not b.args and a != b:
        if coercible(inference.schema, b, a):
            return node_a, App("coerce", (node_b,), targs=(b, a))
        if coercible(inference.schema, a, b):
            return App("coerce", (node_a,), targs=(a, b)), node_b
    place = (*path, index)
    before = len(inference.findings)
    if not inference.unify(a, b, place, explain) and len(inference.findings) > before:
        finding = inference.findings[before]
        if finding.path == place:
            label = ((*path, 0), describe_column(inference, said_a, a))
            inference.findings[before] = type(finding)(finding.diagnostic, place, (label,))
    return node_a, node_b


def describe_column(inference: "Inference", term: Term, type_: Type) -> str:
    """Why a type is expected: the column that has it."""
    column = column_of(inference, term)
    if column is not None and isinstance(term, Field) and isinstance(term.subject, Var):
        return f"{show(type_)}, from schema {inference.schema.name}, table {term.subject.name}"
    return show(type_)


def _hint(inference: "Inference", expected: Type, found: Type, said: Term) -> str:
    if isinstance(said, Lit) and said.kind == "text":
        if expected == NUMBER:
            return 'write a number: 4, not "four" or "4"'
        if inference.schema.is_entity(expected):
            return f'an entity is written @"{said.value}"'
        if isinstance(expected, Con) and expected.name in inference.schema.enum:
            return f"a member of {expected.name} is written without quotes"
        if expected == TIME:
            return "a time is written 14:30"
    return ""


def _member(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    left, first = inference.infer(term.args[0], env, (*path, 0))
    inference.require(left, "Eq", (*path, 0))
    right, second = inference.infer(term.args[1], env, (*path, 1), list_of(left))
    item = element_of(inference, right, (*path, 1))
    if item is not None:
        first, _ = relate(inference, (left, first, term.args[0]), (item, second, term.args[1]), path, 1)
    return BOOL, with_args(term, (first, second))


def element_of(inference: "Inference", type_: Type, path: "Path") -> Type | None:
    """What a list or a one-column relation holds."""
    type_ = resolve(type_)
    if isinstance(type_, Con) and type_.name == "List":
        return type_.args[0]
    if isinstance(type_, Con) and type_.name in ("Rel", "Groups"):
        columns = columns_of(type_)
        if len(columns) == 1:
            return columns[0][1]
        inference.report(errors.one_column(len(columns)), path)
        return None
    item = inference.solver.fresh()
    inference.unify(
        type_, list_of(item), path, lambda f, _: errors.mismatch(show(f), "List", f"expected a list, this is {show(f)}")
    )
    return item


def columns_of(relation: Type) -> list[tuple[str, Type]]:
    """Columns of a relation's row; a binder over a table counts as one value, its key."""
    relation = resolve(relation)
    row = resolve(relation.args[0]) if isinstance(relation, Con) and relation.args else relation
    columns: list[tuple[str, Type]] = []
    if isinstance(row, Row):
        for binder, type_ in row.binders:
            type_ = resolve(type_)
            columns += list(type_.fields) if isinstance(type_, RecordType) else [(binder, type_)]
    return columns


def _list(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    item: Type = inference.solver.fresh()
    new: list[Term] = []
    for i, arg in enumerate(term.args):
        found, node = inference.infer(arg, env, (*path, i), item)
        inference.unify(
            found,
            item,
            (*path, i),
            lambda f, e: errors.mismatch(show(f), show(e), f"this list holds {show(e)}, but this item is {show(f)}"),
        )
        new.append(node)
    return list_of(item), with_args(term, tuple(new))


def _is(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    subject, first = inference.infer(term.args[0], env, (*path, 0))
    wanted = spec(subject)
    found, second = inference.infer(term.args[1], env, (*path, 1), wanted)
    inference.unify(
        found,
        wanted,
        (*path, 1),
        lambda f, e: errors.mismatch(show(f), show(e), f"after `is` comes a {show(e)}, this is {show(f)}"),
    )
    return BOOL, with_args(term, (first, second))


def _mark(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    _, node = inference.infer(term.args[0], env, (*path, 0))
    return BOOL, with_args(term, (node,))


def _match(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    left, first = inference.infer(term.args[0], env, (*path, 0))
    inference.require(left, "Match", (*path, 0))
    right, second = inference.infer(term.args[1], env, (*path, 1), TEXT)
    second = inference.argument(right, second, TEXT, (*path, 1), f"what `{term.fn}` looks for")
    return BOOL, with_args(term, (first, second))


def _anything(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    return inference.solver.fresh(), term


def _negative(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    found, node = inference.infer(term.args[0], env, (*path, 0))
    inference.require(found, "Num", (*path, 0))
    return found, with_args(term, (node,))


def _everything(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    subject = inference.solver.fresh()
    return spec(subject), term


# Arithmetic over two different types; any one numeric type with itself gives that type.
MIXED = {
    ("+", TIME, DURATION): TIME,
    ("-", TIME, DURATION): TIME,
    ("+", DATE, DURATION): DATE,
    ("-", DATE, DURATION): DATE,
    ("+", DATETIME, DURATION): DATETIME,
    ("-", DATETIME, DURATION): DATETIME,
    ("-", TIME, TIME): DURATION,
    ("-", DATE, DATE): DURATION,
    ("-", DATETIME, DATETIME): DURATION,
    ("*", DURATION, NUMBER): DURATION,
    ("/", DURATION, NUMBER): DURATION,
    ("*", MONEY, NUMBER): MONEY,
    ("/", MONEY, NUMBER): MONEY,
    ("*", NUMBER, DURATION): DURATION,
    ("*", NUMBER, MONEY): MONEY,
}


def _arithmetic(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    if len(term.args) != 2:
        return inference.report(errors.wrong_arguments(term.fn, "takes two operands", f"a {term.fn} b"), path), term
    left, first = inference.infer(term.args[0], env, (*path, 0))
    right, second = inference.infer(term.args[1], env, (*path, 1))
    result = inference.solver.fresh()

    def decide(final: bool) -> bool:
        a, b, r = resolve(left), resolve(right), resolve(result)
        if isinstance(a, Con) and isinstance(b, Con):
            inference.unify(result, _sum_type(inference, term, a, b, path), path, explain)
            return True
        known_result = isinstance(r, Con) and isinstance(b, Con) and (term.fn, r, b) in MIXED
        if known_result and MIXED[(term.fn, r, b)] == r:  # type: ignore[index]
            inference.unify(left, r, path, explain)
            return True
        if not final:
            return False
        if isinstance(b, Con) and b == DURATION and isinstance(a, TypeVar) and isinstance(r, Con):
            inference.unify(a, r, path, explain)
        else:
            inference.unify(a, b, path, explain)
        return decide(False)

    def explain(f: Type, e: Type) -> Diagnostic:
        return errors.mismatch(show(f), show(e), f"`{term.fn}` here needs {show(e)}, this is {show(f)}")

    if not decide(False):
        inference.solver.deferred.append(decide)
    return result, with_args(term, (first, second))


def _sum_type(inference: "Inference", term: App, a: Con, b: Con, path: "Path") -> Type:
    mixed = MIXED.get((term.fn, a, b))
    if mixed is not None:
        return mixed
    if a != b:
        why = f"`{term.fn}` does not take {show(a)} and {show(b)}"
        return inference.report(errors.mismatch(show(b), show(a), why), (*path, 1))
    inference.require(a, "Num", (*path, 0))
    return a


NULLARY = frozenset(("any", "none", "missing", "everything", "list", "count", "pick_all"))
"""Operators that stand without operands: the marks, every row, the empty list, and a group's own."""

OPERATORS: dict[str, Rule] = {
    **{fn: _connective for fn in ("and", "or", "not")},
    **{fn: _comparison for fn in ("=", "!=", "<", "<=", ">", ">=", "between", "not_between")},
    **{fn: _mark for fn in ("is_any", "is_none", "is_missing", "is_not_missing")},
    **{fn: _match for fn in ("~", "!~", "like", "not_like")},
    "any": _anything,
    "none": _anything,
    "missing": _anything,
    "negate_number": _negative,
    "in": _member,
    "not_in": _member,
    "list": _list,
    "is": _is,
    "everything": _everything,
    **{fn: _arithmetic for fn in ("+", "-", "*", "/", "%")},
}
