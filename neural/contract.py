"""The decoder's stated language: which well-typed programs of printed DL it can write (docs/decoding.md).

`outside(turn, schema)` says why a turn is not in it, judged on core terms alone and without the automaton: the
automaton is tested against this, and gold is counted with it. A turn must be well typed before it is asked about.
"""

from collections.abc import Iterator

from ..compiler.lower import binders_of, fresh_label
from ..compiler.schema import Schema
from ..compiler.terms import (
    Abs,
    App,
    Apply,
    Ascribe,
    Entity,
    Field,
    Hole,
    Lit,
    Outcome,
    Record,
    Term,
    Turn,
    Var,
    children,
)
from ..compiler.types import Con
from .dl_context import Limits

_COMPARED = frozenset(("=", "!=", "<", "<=", ">", ">="))
_LEFT = _COMPARED | frozenset(("~", "!~", "like", "not_like", "in", "not_in", "between", "not_between", "is"))
_LEFT = _LEFT | frozenset(("is_any", "is_none", "is_missing", "is_not_missing"))
_CONDITIONS = _LEFT | frozenset(("and", "or", "not"))
_ARITHMETIC = frozenset(("+", "-", "*", "/", "%", "negate_number"))
_STAGES = frozenset(("where", "sort", "take", "at", "show", "distinct", "group", "whole", "then", "as"))
_STAGES = _STAGES | frozenset(("union", "union_all", "except", "except_all", "intersect", "intersect_all"))
_STAGES = _STAGES | frozenset(("join", "join_left", "join_right", "join_full"))
_AGGREGATES = frozenset(("count", "count_distinct", "sum", "avg", "min", "max", "pick"))
_SPECIAL = _CONDITIONS | _ARITHMETIC | _STAGES | _AGGREGATES | frozenset(("the", "list", "everything", "any", "none"))


def outside(turn: Turn, schema: Schema, limits: Limits | None = None) -> str | None:
    """Why a well-typed turn is not in the decoder's language over `schema` (the prelude merged in); None if it is."""
    return next(_outside(turn, schema, limits or Limits()), None)


def _outside(turn: Turn, schema: Schema, limits: Limits) -> Iterator[str]:
    if turn.acts and not any(speaker == turn.speaker for speaker, _ in schema.act):
        yield "acts where the schema declares none"
    for act in turn.acts:
        if (turn.speaker, act.name) not in schema.act:
            yield f"the undeclared act {act.name}"
        if act.named or any(not (isinstance(a, Lit) and a.kind == "path") for a in act.args):
            yield "an act about more than fields"
    for statement in turn.statements:
        if statement.let is not None:
            yield "let"
        term = statement.term
        function = schema.function.get(term.fn) if isinstance(term, App) else None
        relation = isinstance(term, App) and (term.fn in _STAGES or term.fn in schema.table)
        if relation and isinstance(term, App) and _source(term).fn == "as":
            yield "a name for rows whose own name is free"
        if function is None and not relation:
            yield "a statement that is neither a query nor a call"
        if function is not None and not function.action and function.tparams:
            yield "a statement that calls a polymorphic function"
        if statement.outcome is not None:
            if function is not None and not function.action:
                yield "an outcome of a function"
            yield from _outcome(statement.outcome, statement.status == "confirmed" and False)
        yield from _term(term, schema, limits, relation)


def _outcome(outcome: Outcome, _: bool) -> Iterator[str]:
    for record in outcome.results:
        for _label, value in record.fields:
            if isinstance(value, Record | Abs | Ascribe | Var):
                yield "a result that is no constant"
            if isinstance(value, App) and value.fn in _ARITHMETIC:
                yield "arithmetic outside a comparison's right side"
    if outcome.count is not None and not isinstance(outcome.count, Lit | Hole):
        yield "a count that is no number"


def _term(term: Term, schema: Schema, limits: Limits, query: bool) -> Iterator[str]:
    match term:
        case Apply() | Ascribe() | Record():
            yield f"{type(term).__name__.lower()} as a value"
        case Abs("fn"):
            yield "lambda"
        case Hole(type=Con(name)) | Entity(type=Con(name)) if not schema.supertypes(name):
            yield "a type written where none is narrower"
        case Field(subject, _) if not isinstance(subject, Var):
            yield "a field of a field or call"
        case App("as", (App(table), Lit())) if table not in schema.table:
            yield "a name for something that is no table"
        case App(fn, args, named, targs):
            if targs:
                yield "a type argument"
            yield from _applied(term, fn, args, named, schema, limits, query)
    query_below = isinstance(term, App) and (term.fn in _STAGES or term.fn in ("the", "in", "not_in"))
    for child in children(term):
        if isinstance(term, App) and term.fn in _COMPARED and child is term.args[-1]:
            child = _without_added(child)
        yield from _term(child, schema, limits, query_below)


def _applied(
    term: App, fn: str, args: tuple[Term, ...], named: tuple[tuple[str, Term], ...], schema: Schema, limits: Limits,
    query: bool,
) -> Iterator[str]:  # fmt: skip
    if fn in _LEFT and not _shows_type(args[0], schema):
        yield f"a left side of {fn} that does not show its type"
    if fn in ("between", "not_between") and not isinstance(args[1], Lit | Field | App):
        yield "a range from something that could be a list"
    if fn in ("between", "not_between") and isinstance(args[1], Lit) and args[1].kind == "raw":
        yield "a range from something that could be a list"
    if fn in ("between", "not_between") and isinstance(args[1], App) and fn in schema.function:
        yield "a range from a call"
    if fn == "not" and isinstance(args[0], App) and args[0].fn == "not":
        yield "not not"
    if fn in ("and", "or", "not"):
        for arg in args:
            bare = isinstance(arg, Field) or (isinstance(arg, App) and arg.fn in schema.function)
            if not bare and not (isinstance(arg, App) and arg.fn in _CONDITIONS):
                yield "a condition that is no comparison, field or call"
    if fn in _ARITHMETIC:
        yield "arithmetic outside a comparison's right side"
    if fn in schema.table and not args and not query:
        yield "a table as a value"
    function = schema.function.get(fn)
    if function is not None:
        order = [label for label in function.labelled]
        given = [label for label, _ in named]
        if given != [label for label in order if label in given]:
            yield "labels out of order"
    if fn == "where" and isinstance(args[1], Abs):
        body = args[1].body
        bare = isinstance(body, Field) or (isinstance(body, App) and body.fn in schema.function)
        if not bare and not (isinstance(body, App) and body.fn in _CONDITIONS):
            yield "a condition that is no comparison, field or call"
    if fn in ("sort", "group", "show"):
        keys = [*args[1:], *(value for _, value in named)]
        for key in keys:
            body_ = key.body if isinstance(key, Abs) else key
            if fn == "sort" and isinstance(body_, App) and body_.fn in ("asc", "desc"):
                body_ = body_.args[0]
            if not _shows_type(body_, schema):
                yield f"a key of {fn} that does not show its type"
            if fn != "sort" and isinstance(body_, App) and body_.fn not in _AGGREGATES | {"all_fields"}:
                yield f"a call in {fn}"
    if fn in _STAGES:
        yield from _order(term)
    if fn in ("take", "at") and any(not isinstance(a, Lit | Hole) for a in args[1:]):
        yield "a number of rows that is no number"


def _source(term: App) -> App:
    """What a pipeline begins with."""
    while term.fn in _STAGES and term.fn != "as" and isinstance(term.args[0], App):
        term = term.args[0]
    return term


def _before(term: Term) -> Iterator[str]:
    """Stages that the rows a stage works on went through, the last one first."""
    while isinstance(term, App) and term.fn in _STAGES and term.args:
        yield term.fn
        term = term.args[0]


def _order(term: App) -> Iterator[str]:
    """Stages the decoder does not write one after the other, though inference accepts them."""
    before = list(_before(term.args[0])) if term.args else []
    shown = "show" in before
    since_show = before[: before.index("show")] if shown else before
    grouped = "group" in since_show or "whole" in since_show
    if term.fn in ("group", "whole") and grouped:
        yield "a group of groups"
    if term.fn.startswith("join") and (grouped or shown):
        yield "a join of groups or of shown columns"
    if term.fn == "show" and (shown and not grouped):
        yield "show after show"
    if term.fn == "group" and shown:
        yield "a group of shown columns"
    if term.fn.partition("_")[0] in ("union", "except", "intersect") and (not shown or grouped):
        yield "a set operation on what shows no columns"
    if term.fn == "then" and grouped:
        yield "then after a group"
    if term.fn.startswith("join") and isinstance(term.args[1], App):
        right, taken = term.args[1], set(binders_of(term.args[0]))
        if right.fn == "as" and isinstance(right.args[0], App) and isinstance(right.args[1], Lit):
            name = right.args[0].fn
            if name not in taken or right.args[1].value != fresh_label(name, taken):
                yield "a name for rows other than the first free one"
        elif right.fn in _STAGES:
            yield "a join with a query"


def _without_added(term: Term) -> Term:
    """The right side of a comparison without the literals added to it."""
    while isinstance(term, App) and term.fn in ("+", "-") and len(term.args) == 2 and isinstance(term.args[1], Lit):
        term = term.args[0]
    return term


def _shows_type(term: Term, schema: Schema) -> bool:
    match term:
        case Field() | Var():
            return True
        case App(fn):
            return fn in schema.function or fn in _AGGREGATES or fn == "all_fields"
    return False


__all__ = ["outside"]
