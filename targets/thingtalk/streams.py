"""Streams, as far as canonical forms reach: what is below `monitor` and what is above it are queries.

A stream gives rows one after the other, and whatever stands above it in ThingTalk (filter, projection, chain) looks at
one row at a time, as it does over a table. So a stream is a table that DL knows nothing about (`stand_ins`), named
after what it monitors in canonical form, and the rules for queries hold above and below. Two laws lead across:

* `monitor(f of [a, b] of q)` is `[a, b] of monitor(f of q)`, and without `f` that of `a, b`. Sound always: the rows are the
  same, and told apart by the same fields. Only where the projection is one of plain fields: a computed one has no
  name in `q`.
* `monitor(q) filter c` is `monitor(q filter c)`. Sound if `c` looks at nothing but constants and fields that are
  monitored (all are, if none are named). A row is new if there was no row before with the same values of these; where
  `c` holds of the one, it holds of the other. Not for `$now`, places, subqueries and other fields, which may change while
  the row does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...canon.order import term_key
from ...canon.relations import binders_of, conjunction, conjuncts, where
from ...compiler.schema import Column, Schema, Table
from ...compiler.terms import Abs, App, Entity, Field, Hole, Lit, Term, Var, children, rebuild, replaced
from ...compiler.types import DATETIME, DURATION, NUMBER, TIME, Con, Type
from . import ast
from .print_queries import print_expression
from .stand_ins import WRITTEN, StandIns, text_of
from .write_names import Names
from .write_queries import query
from .write_values import Context, NotSaid

_TIMERS: dict[str, dict[str, Type]] = {
    "timer": {"base": DATETIME, "interval": DURATION, "frequency": NUMBER},
    "attimer": {"time": Con("List", (TIME,)), "expiration_date": DATETIME},
    "ontimer": {"date": Con("List", (DATETIME,))},
}
# What a filter may consist of to look at nothing but the row.
_PLAIN = frozenset(("and", "or", "not", "=", "!=", "<", "<=", ">", ">=", "~", "!~", "in", "not_in", "list", "between"))
_PLAIN |= {"not_between", "is_missing", "is_not_missing", "starts_with", "ends_with", "contains", "any_match"}


def is_timer(name: str) -> bool:
    """Whether a call is one of ThingTalk's timers."""
    return name in _TIMERS


def timer(call: ast.FunctionCall, stand_ins: StandIns) -> Table:
    """A stream of rows that have no fields."""
    sorted_call = replace(call, params=tuple(sorted(call.params, key=lambda param: param.name)))
    text = text_of(print_expression, sorted_call)
    return stand_ins.table("a timer", text, (), ((WRITTEN, (text,)),))


def timer_inputs(name: str) -> tuple[dict[str, str], dict[str, Type]]:
    """What a timer takes, by its ThingTalk name and by its type."""
    types = _TIMERS[name]
    return {said: said for said in types}, dict(types)


@dataclass(frozen=True, slots=True)
class Monitored:
    """What a stream monitors: a query in canonical form, and by which of its fields rows are told apart (None: all)."""

    query: Term
    fields: tuple[str, ...] | None


def monitor(
    term: Term, fields: tuple[str, ...] | None, types: Mapping[str, Type], stand_ins: StandIns, said: ast.Monitor
) -> Term:
    """The stream of a query, by the first law. said: how it was, for what ThingTalk cannot say canonically."""
    stand_ins.monitored.append(term)
    form, shown = _projection(stand_ins.canonical(term))
    monitored = Monitored(form, fields if fields is not None else shown)
    stream = _stream(monitored, types, stand_ins, text_of(print_expression, said))
    if shown is None:
        return stream
    return App("show", (stream,), tuple((f, _over(stream, Field(Var(_name(stream)), f))) for f in shown))


def settled(term: Term, stand_ins: StandIns) -> Term:
    """A statement in canonical form, filters moved into the streams they are about: the second law."""
    form = stand_ins.canonical(term)
    while True:
        found = next((t for t in _parts(form) if _about_stream(t, stand_ins)), None)
        moved = _moved(found, stand_ins) if found is not None else None
        if found is None or moved is None:
            return form
        old, new = _name(found), _name(moved)
        form = stand_ins.canonical(_renamed(replaced(form, found, moved), old, new))


# ---------------------------------------------------------------- the first law


def _projection(form: Term) -> tuple[Term, tuple[str, ...] | None]:
    """A query without its projection, if that is one of plain fields, and the fields."""
    match form:
        case App("show", (App(fn) as source,), named) if fn not in ("group", "whole"):
            binders = binders_of(source)
            plain = all(isinstance(o, Abs) and o.body == Field(Var(binders[0]), label) for label, o in named)
            if plain and len(binders) == 1:
                return source, tuple(label for label, _ in named)
    return form, None


def _stream(monitored: Monitored, types: Mapping[str, Type], stand_ins: StandIns, written: str) -> Term:
    form, fields = monitored.query, monitored.fields
    columns = _columns(form, stand_ins.schema) or tuple(Column(n, t, optional=True) for n, t in types.items())
    told = "" if fields is None else ", ".join(sorted(fields)) + " of "
    name = f"monitor({told}{term_key(form)})"
    text = _text(monitored, stand_ins.schema) or written
    stand_ins.streams[name] = monitored
    return App(stand_ins.table("a monitor", name, columns, ((WRITTEN, (text,)),)).name)


def _columns(form: Term, schema: Schema) -> tuple[Column, ...]:
    """The columns of the table whose rows a query gives; none if it gives rows of its own."""
    while isinstance(form, App) and form.args and form.fn in ("where", "sort", "take", "at", "distinct"):
        form = form.args[0]
    return schema.table[form.fn].columns if isinstance(form, App) and form.fn in schema.table else ()


def _text(monitored: Monitored, schema: Schema) -> str | None:
    """The stream as ThingTalk has it; None if that says less than the form."""
    context = Context(schema, Names(schema), placeholders=True)
    try:
        made = query(monitored.query, context)
    except NotSaid:
        return None
    if context.notes:
        return None
    if monitored.fields is None:
        return f"monitor({made.text})"
    names = [made.columns[f].name for f in monitored.fields if f in made.columns]
    if len(names) < len(monitored.fields) or None in names:
        return None
    return f"monitor({', '.join(sorted(str(n) for n in names))} of {made.text})"


# ---------------------------------------------------------------- the second law


def _about_stream(term: Term, stand_ins: StandIns) -> bool:
    return isinstance(term, App) and term.fn == "where" and _name(term) in stand_ins.streams


def _moved(found: Term, stand_ins: StandIns) -> Term | None:
    """`stream | where c` with what may go into the stream gone there; None if nothing may."""
    assert isinstance(found, App)
    spec = found.args[1]
    assert isinstance(spec, Abs)
    name = _name(found)
    monitored = stand_ins.streams[name]
    parts = conjuncts(spec.body)
    inside = [p for p in parts if _only_row(p, name, monitored.fields, stand_ins.schema)]
    binders = binders_of(monitored.query)
    if not inside or len(binders) != 1:
        return None
    below = stand_ins.canonical(where(monitored.query, conjunction(_renamed(p, name, binders[0]) for p in inside)))
    inner = Monitored(below, monitored.fields)
    text = _text(inner, stand_ins.schema)
    if text is None:
        return None
    stream = _stream(inner, {c.name: c.type for c in stand_ins.schema.table[name].columns}, stand_ins, text)
    kept = [_renamed(p, name, _name(stream)) for p in parts if p not in inside]
    return where(stream, conjunction(kept))


def _only_row(term: Term, name: str, fields: tuple[str, ...] | None, schema: Schema) -> bool:
    match term:
        case Field(Var(binder), field):
            return binder == name and (fields is None or field in fields)
        case Field(subject, _):
            return _only_row(subject, name, fields, schema)
        case Lit() | Entity() | Hole():
            return True
        case App(fn, (), ()):
            # A member of an enum, not `now` or a place.
            return fn not in schema.function and fn != "now"
        case App(fn, args, ()):
            return fn in _PLAIN and all(_only_row(a, name, fields, schema) for a in args)
    return False


# ---------------------------------------------------------------- terms


def _name(term: Term) -> str:
    """The stream a term begins with."""
    while isinstance(term, App) and term.args:
        term = term.args[0]
    return term.fn if isinstance(term, App) else ""


def _over(stream: Term, body: Term) -> Abs:
    return Abs("row", (_name(stream),), body)


def _parts(term: Term) -> "list[Term]":
    return [term, *(p for child in children(term) for p in _parts(child))]


def _renamed(term: Term, old: str, new: str) -> Term:
    """A term in which the rows of one table are those of another."""
    match term:
        case Var(name) if name == old:
            return Var(new)
        case Abs(kind, params, body):
            return Abs(kind, tuple(new if p == old else p for p in params), _renamed(body, old, new))
    parts = children(term)
    return rebuild(term, tuple(_renamed(p, old, new) for p in parts)) if parts else term
