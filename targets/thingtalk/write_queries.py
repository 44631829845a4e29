"""DL queries and calls as ThingTalk expressions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ...canon.relations import free_vars
from ...compiler.schema import Function, Table
from ...compiler.terms import Abs, App, Lit, Term
from ...compiler.types import BOOL, Con
from ..rows import Note
from . import write_notes as say
from .stand_ins import pieces_of
from .write_filters import condition, present
from .write_names import ANSWER
from .write_values import Context, FieldInfo, NotSaid, Scope, TableScope, field_of, type_of, value

_CHAIN, _JOIN, _PROJECTION, _FILTER, _PRIMARY = range(5)

_LIMIT: Final = 100_000
_SORTABLE: Final = frozenset(("Text", "Number", "Int", "Time", "Date", "DateTime", "Duration", "Money", "Measure"))
_AGGREGATES: Final = frozenset(("sum", "avg", "min", "max"))
# What the reference aggregates: no text, time or date.
_AMOUNTS: Final = frozenset(("Number", "Int", "Money", "Measure", "Duration"))


@dataclass(frozen=True, slots=True)
class Query:
    """An expression's text, how tightly it binds, the fields in hand, and the columns its results have."""

    text: str
    level: int
    scope: Scope
    columns: Mapping[str, FieldInfo]

    def at(self, level: int) -> str:
        """The text where something at least as tight is needed."""
        return self.text if self.level >= level else f"({self.text})"


def statement(term: Term, context: Context) -> Query:
    """A statement's query, call or chain. Raises NotSaid if its source cannot be said."""
    match term:
        case App(fn, args, named) if not args and fn in context.schema.function:
            return _call(context.schema.function[fn], named, {}, context)
        case App("then", (source, Abs(_, params, body))):
            return _chain(source, params, body, context)
    return query(term, context)


def query(term: Term, context: Context) -> Query:
    """A pipeline. A stage that cannot be said is left out with a note; a source that cannot raises NotSaid."""
    if isinstance(term, App):
        if term.fn in context.schema.table and not term.args:
            return _table(context.schema.table[term.fn], context)
        stage = _STAGES.get(term.fn)
        if stage is not None and term.args:
            return stage(term, context)
        if term.fn == "as" and len(term.args) == 2 and isinstance(term.args[1], Lit):
            inner = query(term.args[0], context)
            return Query(inner.text, inner.level, {term.args[1].value: inner.columns}, inner.columns)
        if term.fn == "the" and len(term.args) == 1:
            return query(term.args[0], context)
        if term.args and term.fn in _LEFT_OUT:
            context.drop(say.no_construct(term.fn, f"`{term.fn.replace('_', ' ')}`"))
            return query(term.args[0], context)
    raise NotSaid(say.no_counterpart(getattr(term, "fn", "this statement")))


_LEFT_OUT: Final = frozenset(
    ("distinct", "group", "whole", "union", "except", "intersect", "union_all", "except_all", "intersect_all")
)


def _table(table: Table, context: Context) -> Query:
    found = context.cache.get(table.name)
    if isinstance(found, Query):
        return found
    called = context.names.called(table)
    if called is None:
        raise NotSaid(say.no_counterpart(table.name))
    standing = pieces_of(table.name, context.schema)
    text = standing[0] if standing else f"{called}()"
    fields = context.names.fields(table)
    columns = {
        c.name: FieldInfo(fields[c.name], c.type, c.optional and not c.key, f"{table.name}.{c.name}")
        for c in table.columns
    }
    made = context.cache[table.name] = Query(text, _PRIMARY, TableScope({table.name: columns}), columns)
    return made


def _where(term: App, context: Context) -> Query:
    source = query(term.args[0], context)
    spec = term.args[1]
    made = condition(spec.body, _scope(source, spec), context) if isinstance(spec, Abs) else None
    if made is None:
        return source
    return Query(f"{source.at(_FILTER)} filter {made.text}", _FILTER, source.scope, source.columns)


def _scope(source: Query, over: Abs) -> Scope:
    """The fields an abstraction's binders stand for."""
    if len(over.params) == 1 and over.params[0] not in source.scope:
        return {over.params[0]: source.columns}
    return source.scope


def _sort(term: App, context: Context) -> Query:
    before = context.subqueries
    made = query(term.args[0], context)
    if context.subqueries > before:
        # The reference types the key by the fields of the query inside.
        context.drop(say.no_construct("sort", "an order of rows that another query selects"))
        return made
    # The last key is sorted by first: the reference's sort is stable.
    for key in reversed(term.args[1:]):
        if not (isinstance(key, Abs) and isinstance(key.body, App) and key.body.args):
            continue
        by = key.body.args[0]
        scope = _scope(made, key)
        own = type_of(by, scope)
        standing = isinstance(by, App) and pieces_of(by.fn, context.schema)
        if not standing and not (isinstance(own, Con) and own.name in _SORTABLE):
            context.drop(say.no_construct("sort", "an order by what is no number, time or amount"))
            continue
        try:
            text = value(by, own, scope, context, "sort")
        except NotSaid as reason:
            context.drop(reason.note)
            continue
        made = Query(f"sort({text} {key.body.fn} of {made.text})", _PRIMARY, made.scope, made.columns)
    return made


def _take(term: App, context: Context) -> Query:
    source = query(term.args[0], context)
    try:
        count = value(term.args[1], None, {}, context, "take")
        start = "1"
        if len(term.args) > 2:
            skipped = term.args[2]
            if not (isinstance(skipped, Lit) and skipped.value.isdigit()):
                raise NotSaid(say.no_construct("skip", "a computed `skip`"))
            start = str(int(skipped.value) + 1)
    except NotSaid as reason:
        context.drop(reason.note)
        return source
    return Query(f"{source.at(_PRIMARY)}[{start} : {count}]", _PRIMARY, source.scope, source.columns)


def _at(term: App, context: Context) -> Query:
    source = query(term.args[0], context)
    try:
        indices = ", ".join(value(index, None, {}, context, "at") for index in term.args[1:])
    except NotSaid as reason:
        context.drop(reason.note)
        return source
    return Query(f"{source.at(_PRIMARY)}[{indices}]", _PRIMARY, source.scope, source.columns)


def _show(term: App, context: Context) -> Query:
    inner = term.args[0]
    if isinstance(inner, App) and inner.fn == "whole" and len(inner.args) == 1:
        made = _aggregate(term, inner.args[0], context)
        if made is not None:
            return made
    source = query(inner, context)
    if isinstance(inner, App) and inner.fn in ("whole", "group"):
        return source
    if [label for label, _ in term.named] == [ANSWER] and isinstance(asked := term.named[0][1], Abs):
        question = condition(asked.body, _scope(source, asked), context)
        if question is None:
            return source
        answer = {ANSWER: FieldInfo(ANSWER, BOOL, False, ANSWER)}
        return Query(
            f"[{question.text}] of {source.at(_PROJECTION)}", _PROJECTION, {"it": answer}, {**source.columns, **answer}
        )
    items: list[str] = []
    columns: dict[str, FieldInfo] = {}
    plain = False
    for label, over in term.named:
        if not isinstance(over, Abs):
            continue
        if over.body == App("all_fields"):
            items.append("*")
            columns.update(source.columns)
            continue
        scope = _scope(source, over)
        info = field_of(over.body, scope)
        own = info.type if info is not None else type_of(over.body, scope)
        try:
            text = value(over.body, own, scope, context, label)
        except NotSaid as reason:
            context.drop(reason.note)
            continue
        name = text if info is not None else label
        plain = plain or info is not None
        items.append(text if info is not None or label == _unnamed(over.body, context) else f"{text} as {label}")
        columns[label] = FieldInfo(name, own or Con("Text"), True, label)
    if not items:
        return source
    if "*" in items and plain:
        # Beside all columns there are only computed ones.
        context.drop(say.no_construct("show", "columns beside all columns"))
        items, columns = ["*"], dict(source.columns)
    text = f"[{', '.join(items)}] of {source.at(_PROJECTION)}"
    return Query(text, _PROJECTION, {"it": columns}, {**source.columns, **columns})


def _unnamed(body: Term, context: Context) -> str | None:
    """The name of a computed column that nobody gave one."""
    pieces = pieces_of(body.fn, context.schema) if isinstance(body, App) else ()
    if pieces:
        called = pieces[0].removesuffix("(")
        return called if called.isalnum() and len(pieces) > 1 else None
    return "result" if isinstance(body, App) and body.fn in ("+", "-", "*", "/", "%") else None


def _aggregate(term: App, rows: Term, context: Context) -> Query | None:
    """`q | whole | show avg(.f)`, which ThingTalk writes around the query.

    Several aggregates are one row each, joined. None if anything shown is no aggregate ThingTalk has.
    """
    source = query(rows, context)
    made: Query | None = None
    for label, over in term.named:
        one = _one_aggregate(label, over, source, context) if isinstance(over, Abs) else None
        if one is None:
            return None
        if made is None:
            made = one
        else:
            columns = {**_prefixed("second", one.columns), **_prefixed("first", made.columns)}
            text = f"{made.at(_JOIN)} join {one.at(_PRIMARY)}"
            made = Query(text, _JOIN, {"it": columns}, columns)
    return made


def _one_aggregate(label: str, over: Abs, source: Query, context: Context) -> Query | None:
    body = over.body
    if not isinstance(body, App) or body.named or len(body.args) > 1:
        return None
    field = field_of(body.args[0], _scope(source, over)) if body.args else None
    if body.args and (field is None or field.name is None):
        return None
    text: str | None = None
    info = FieldInfo("count", Con("Number"), False, "count")
    if body.fn == "count" and field is not None and field.name is not None and field.optional:
        there = present(field.name, field.type, context)
        if there is not None:
            text = f"count(({source.text}) filter {there.text})" if source.level == _FILTER else ""
            text = text or f"count({source.at(_FILTER)} filter {there.text})"
    elif body.fn == "count":
        text = f"count({source.text})"
    elif field is not None and field.name is not None and body.fn == "count_distinct":
        text = f"count({field.name} of {source.text})"
        info = FieldInfo(field.name, Con("Number"), False, label)
    elif field is not None and body.fn in _AGGREGATES:
        if isinstance(field.type, Con) and field.type.name in _AMOUNTS:
            text, info = f"{body.fn}({field.name} of {source.text})", field
    return Query(text, _PRIMARY, {"it": {label: info}}, {label: info}) if text is not None else None


def _join(term: App, context: Context) -> Query:
    left = query(term.args[0], context)
    right_term = term.args[1]
    right = query(right_term, context)
    scope = {
        **{binder: _prefixed("first", fields) for binder, fields in left.scope.items()},
        **{binder: _prefixed("second", fields) for binder, fields in right.scope.items()},
    }
    if term.fn != "join":
        context.drop(say.no_construct(term.fn, "an outer join; an inner one is written"))
    columns = {**_prefixed("second", right.columns), **_prefixed("first", left.columns)}
    made = Query(f"{left.at(_PRIMARY)} join {right.at(_PRIMARY)}", _JOIN, scope, columns)
    on = term.args[2] if len(term.args) > 2 else None
    met = condition(on.body, scope, context) if isinstance(on, Abs) else None
    if met is None:
        return made
    return Query(f"({made.text}) filter {met.text}", _FILTER, scope, columns)


def _prefixed(side: str, fields: Mapping[str, FieldInfo]) -> dict[str, FieldInfo]:
    return {
        name: FieldInfo(f"{side}.{info.name}" if info.name is not None else None, info.type, info.optional, info.part)
        for name, info in fields.items()
    }


_STAGES: Final[dict[str, Callable[[App, Context], Query]]] = {
    "where": _where,
    "sort": _sort,
    "take": _take,
    "at": _at,
    "show": _show,
    **dict.fromkeys(("join", "join_left", "join_right", "join_full"), _join),
}


def subquery(term: Term, context: Context, compared: bool = True) -> str:
    """A query inside a filter. The reference wants a projection where a value is compared with it, and no aggregate."""
    context.subqueries += 1
    made = query(term, context)
    if made.level == _PRIMARY and made.text.split("(")[0] in ("count", *_AGGREGATES):
        raise NotSaid(say.no_construct("subquery", "a comparison with an aggregate"))
    if compared and set(made.scope) != {"it"}:
        raise NotSaid(say.no_construct("subquery", "a comparison with whole rows"))
    return made.text


# ---------------------------------------------------------------- calls


def _call(function: Function, named: tuple[tuple[str, Term], ...], scope: Scope, context: Context) -> Query:
    called = context.names.called(function) if function.action else None
    if called is None:
        raise NotSaid(say.no_counterpart(function.name))
    fields = context.names.fields(function)
    texts: list[str] = []
    for label, argument in named:
        key = (function.name, label, argument)
        found = context.cache.get(key) if not scope else None
        if not isinstance(found, Argument):
            found = _argument(function, fields.get(label), label, argument, scope, context)
            if not scope:
                if len(context.cache) > _LIMIT:
                    context.cache.clear()
                context.cache[key] = found
        if found.note is not None:
            context.drop(found.note)
        if found.text is not None:
            texts.append(found.text)
    return Query(f"{called}({', '.join(texts)})", _PRIMARY, {}, _results(function, fields, context))


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument's text, or why there is none."""

    text: str | None
    note: Note | None = None


def _argument(
    function: Function, name: str | None, label: str, argument: Term, scope: Scope, context: Context
) -> Argument:
    part = f"{function.name}.{label}"
    parameter = function.labelled.get(label)
    if parameter is None or name is None:
        return Argument(None, say.no_counterpart(part))
    if argument == App("missing"):
        return Argument(f"{name}=$?")
    if argument == App("any"):
        return Argument(None, say.no_value(part, "`any`"))
    if argument == App("none"):
        return Argument(None, say.marked_none(part))
    try:
        return Argument(f"{name}={value(argument, parameter.type, scope, context, part)}")
    except NotSaid as reason:
        return Argument(None, reason.note)


def _results(function: Function, fields: Mapping[str, str | None], context: Context) -> Mapping[str, FieldInfo]:
    """What a call's results may hold: its parameters given back, and its own results."""
    found = context.cache.get((function.name,))
    if not isinstance(found, dict):
        typed = [(p.name, p.type) for p in function.labelled.values()] + [(c.name, c.type) for c in function.columns]
        found = context.cache[function.name,] = {
            name: FieldInfo(fields[name], type_, True, f"{function.name}.{name}")
            for name, type_ in typed
            if name is not None and name in fields
        }
    return found


def _chain(source: Term, params: tuple[str, ...], body: Term, context: Context) -> Query:
    first = query(source, context)
    scope = first.scope if all(p in first.scope for p in params) else dict.fromkeys(params, first.columns)
    if isinstance(body, App) and not body.args and body.fn in context.schema.function:
        try:
            second = _call(context.schema.function[body.fn], body.named, scope, context)
            return Query(f"{first.at(_PROJECTION)} => {second.text}", _CHAIN, {}, second.columns)
        except NotSaid as reason:
            context.drop(reason.note)
            return first
    if free_vars(body).isdisjoint(params):
        # A query that takes nothing from the rows before it.
        second = query(body, context)
        return Query(f"{first.at(_PROJECTION)} => {second.at(_PROJECTION)}", _CHAIN, second.scope, second.columns)
    context.drop(say.no_construct("then", "this `then`"))
    return first
