"""DL conditions as ThingTalk filters.

ThingTalk has `==`, `<=`, `>=` and text matches, no strict comparison and no inequality. `a < b` is written
`a <= b && !(a == b)`, which says the same for every row. `a != b` is `!(a == b)` where the value is never missing, else
that and a filter that any value passes and a missing one does not (`present`); where a type has no such filter, the
difference is noted. A part that cannot be said is left out, with a note.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...canon.relations import binders_of, conjunction, free_vars, gives_one, where
from ...compiler.schema import EnumType
from ...compiler.terms import Abs, App, Field, Lit, Term, Var
from ...compiler.types import Con, Type
from . import write_notes as say
from .stand_ins import pieces_of
from .write_values import Context, NotSaid, Scope, TableScope, field_of, member, string, type_of, value

_OR, _AND, _ATOM = 1, 2, 3
_LIMIT: Final = 100_000

_COMPARISONS: Final = {"=": "==", "<=": "<=", ">=": ">=", "~": "=~"}
_STRICT: Final = {"<": "<=", ">": ">="}
_CALLS: Final = {
    "starts_with": "starts_with",
    "ends_with": "ends_with",
    "contains": "contains",
    "any_match": "in_array~",
}
# A value of each ordered type: everything there is lies on one side of it.
_ZEROS: Final = {"Number": "0", "Int": "0", "Time": "new Time(0, 0)"}
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter's text and how tightly it binds."""

    text: str
    level: int

    def at(self, level: int) -> str:
        """The text where something at least as tight is needed."""
        return self.text if self.level >= level else f"({self.text})"


def condition(term: Term, scope: Scope, context: Context) -> Filter | None:
    """A filter; None if nothing of it can be said."""
    if isinstance(term, App):
        if term.fn in ("and", "or"):
            return _connective(term, scope, context)
        if term.fn == "not" and len(term.args) == 1:
            inner = condition(term.args[0], scope, context)
            return Filter(f"!({inner.text})", _ATOM) if inner is not None else None
    try:
        return _atom(term, scope, context)
    except NotSaid as reason:
        context.drop(reason.note)
        return None


_SOME: Final = {**_COMPARISONS, **_CALLS}


def _of_some(term: App, scope: Scope, context: Context) -> Filter | None:
    """`exists (query | where x >= .f)`, whose last condition alone is about the row outside: `x >= any([f] of query)`."""
    match term:
        case App("exists", (App("show", (inner, *_)),)) if isinstance(inner, App) and inner.fn == "where":
            # What rows show does not matter where it is only asked whether there are any.
            return _of_some(App("exists", (inner,)), scope, context)
        case App("exists", (App("where", (rows, Abs(_, (binder,), body))),)):
            tests = body.args if isinstance(body, App) and body.fn == "and" else (body,)
        case _:
            return None
    outside = [t for t in tests if not free_vars(t) <= {binder}]
    if len(outside) != 1 or context.subquery is None:
        return None
    match outside[0]:
        case App(op, (subject, Field(Var(own), name) as inner)) if own == binder and op in _SOME:
            said = _SOME[op]
        case App(op, (Field(Var(own), name) as inner, subject)) if own == binder and op in ("<=", ">=", "contains"):
            said = {"<=": ">=", ">=": "<=", "contains": "in_array"}[op]
        case _:
            return None
    if binder in free_vars(subject):
        return None
    match rows:
        case App("as", (named, Lit("name"))) if binder not in context.schema.table:
            rows = named
    if not (isinstance(rows, App) and rows.fn == "show"):
        rows = App("show", (rows,), ((name, Abs("row", (binder,), inner)),))
    left, _, _ = _side(subject, None, scope, context)
    if len(tests) > 1:
        # Conditions beside are on the rows compared with.
        shown, kept = rows.args[0], conjunction(t for t in tests if t is not outside[0])
        if rows.fn != "show" or binder not in binders_of(shown):
            return None
        rows = App("show", (where(shown, kept),), rows.named)
    text = context.subquery(rows, context)
    return Filter(f"{said}({left}, any({text}))" if said.isidentifier() else f"{left} {said} any({text})", _ATOM)


def _remembered(term: Term, scope: Scope, context: Context) -> Filter | None:
    """`condition`, written once for each conjunct over a table."""
    if not isinstance(scope, TableScope):
        return condition(term, scope, context)
    found = scope.known.get(term)
    if found is None:
        before, subqueries = len(context.notes), context.subqueries
        made = condition(term, scope, context)
        if context.subqueries > subqueries:
            return made
        if len(scope.known) > _LIMIT:
            scope.known.clear()
        found = scope.known[term] = (made, tuple(context.notes[before:]))
    else:
        context.notes.extend(found[1])
    return found[0] if isinstance(found[0], Filter) else None


def _connective(term: App, scope: Scope, context: Context) -> Filter | None:
    parts = [made for arg in term.args if (made := _remembered(arg, scope, context)) is not None]
    if len(parts) <= 1:
        return parts[0] if parts else None
    level, sign = (_AND, " && ") if term.fn == "and" else (_OR, " || ")
    return Filter(sign.join(part.at(level + 1) for part in parts), level)


def _atom(term: Term, scope: Scope, context: Context) -> Filter:
    if isinstance(term, Lit) and term.kind == "bool":
        return Filter(term.value, _ATOM)
    if isinstance(term, Field):
        name, _, _ = _side(term, None, scope, context)
        return Filter(f"{name} == true", _ATOM)
    if not isinstance(term, App):
        raise NotSaid(say.no_construct("", "this condition"))
    compared = _of_some(term, scope, context)
    if compared is not None:
        return compared
    if term.fn == "exists" and len(term.args) == 1 and context.subquery is not None:
        return Filter(f"any({context.subquery(term.args[0], context, compared=False)})", _ATOM)
    if pieces_of(term.fn, context.schema):
        return Filter(value(term, None, scope, context, "a condition"), _ATOM)
    handler = _HANDLERS.get(term.fn)
    if handler is None or not term.args or term.named:
        raise NotSaid(say.no_construct(term.fn, f"`{term.fn}`"))
    return handler(term, scope, context)


def _side(term: Term, type_: Type | None, scope: Scope, context: Context) -> tuple[str, Type | None, str]:
    """A subject's text, type, and what notes call it."""
    info = field_of(term, scope)
    if info is not None:
        if info.name is None:
            raise NotSaid(say.no_counterpart(info.part))
        return info.name, info.type, info.part
    own = type_of(term, scope) or type_
    return value(term, own, scope, context, "a condition"), own, "a condition"


def present(subject: str, type_: Type | None, context: Context) -> Filter | None:
    """A filter that holds exactly where a field has a value: every comparison with a missing one is false.

    None for a type of which ThingTalk has no such filter: an open set of members or a list.
    """
    name = type_.name if isinstance(type_, Con) else ""
    if name == "Text" or name in context.schema.entity or name in context.schema.table:
        return Filter(f'{subject} =~ ""', _ATOM)
    if name in _ZEROS:
        return Filter(f"{subject} <= {_ZEROS[name]} || {subject} >= {_ZEROS[name]}", _OR)
    if name == "Bool":
        return Filter(f"{subject} == true || {subject} == false", _OR)
    enum = context.schema.enum.get(name)
    if enum is not None and not enum.open and enum.members:
        listed = ", ".join(member(m.name, enum, context) for m in enum.members)
        return Filter(f"in_array({subject}, [{listed}])", _ATOM)
    return None


def _negated(inner: str, term: Term, scope: Scope, context: Context, what: str) -> Filter:
    """A filter that is false where a value is missing, negated: false there again."""
    info = field_of(term, scope)
    if info is not None and not info.optional:
        return Filter(f"!({inner})", _ATOM)
    there = present(info.name, info.type, context) if info is not None and info.name is not None else None
    if there is not None:
        return Filter(f"!({inner}) && {there.at(_AND + 1)}", _AND)
    context.drop(say.approximated(info.part if info is not None else "a condition", what))
    return Filter(f"!({inner})", _ATOM)


def _compare(term: App, scope: Scope, context: Context) -> Filter:
    left, right = term.args
    op = term.fn
    if field_of(left, scope) is None and field_of(right, scope) is not None and op in _FLIPPED:
        left, right, op = right, left, _FLIPPED[op]
    subject, type_, part = _side(left, type_of(right, scope), scope, context)
    queried = right.args[0] if isinstance(right, App) and right.fn == "the" and len(right.args) == 1 else None
    enum = context.schema.enum.get(type_.name) if isinstance(type_, Con) else None
    if enum is not None and op in ("<", "<=", ">", ">="):
        return Filter(_ranked(subject, op, right, enum, context, part), _ATOM)
    if queried is not None and context.subquery is not None:
        if not gives_one(queried):
            context.drop(say.any_of_many(part, op))
        other = f"any({context.subquery(queried, context)})"
    else:
        other = value(right, Con("Text") if op in ("~", "!~") else type_, scope, context, part)
    if op in _COMPARISONS:
        return Filter(f"{subject} {_COMPARISONS[op]} {other}", _ATOM)
    if op in _STRICT:
        return Filter(f"{subject} {_STRICT[op]} {other} && !({subject} == {other})", _AND)
    inner = f"{subject} == {other}" if op == "!=" else f"{subject} =~ {other}"
    made = _negated(inner, left, scope, context, op)
    against = field_of(right, scope)
    if against is not None and against.optional and against.name is not None:
        # Two fields: the other one may be missing as well.
        there = present(against.name, against.type, context)
        if there is not None:
            return Filter(f"{made.text} && {there.at(_AND + 1)}", _AND)
        context.drop(say.approximated(against.part, op))
    return made


def _ranked(subject: str, op: str, bound: Term, enum: EnumType, context: Context, part: str) -> str:
    """ThingTalk's enums have no order: the members that a bound admits are listed."""
    names = [m.name for m in enum.members]
    if not (isinstance(bound, App) and not bound.args and bound.fn in names):
        raise NotSaid(say.no_construct(part, "an order between members"))
    at = names.index(bound.fn)
    admitted = {"<": names[:at], "<=": names[: at + 1], ">": names[at + 1 :], ">=": names[at:]}[op]
    listed = ", ".join(member(name, enum, context) for name in admitted)
    return f"in_array({subject}, [{listed}])" if admitted else "false"


def _member(term: App, scope: Scope, context: Context) -> Filter:
    subject, type_, part = _side(term.args[0], None, scope, context)
    listed = term.args[1]
    if isinstance(listed, App) and listed.fn == "list":
        items = [value(item, type_, scope, context, part) for item in listed.args]
        inner = f"in_array({subject}, [{', '.join(items)}])"
    elif context.subquery is not None and isinstance(listed, App):
        inner = f"{subject} == any({context.subquery(listed, context)})"
    else:
        raise NotSaid(say.no_construct(part, "membership in this"))
    return _maybe_not(inner, term, scope, context)


def _maybe_not(inner: str, term: App, scope: Scope, context: Context) -> Filter:
    if not term.fn.startswith("not_"):
        return Filter(inner, _AND if " && " in inner else _ATOM)
    return _negated(inner, term.args[0], scope, context, term.fn.replace("_", " "))


def _between(term: App, scope: Scope, context: Context) -> Filter:
    subject, type_, part = _side(term.args[0], None, scope, context)
    enum = context.schema.enum.get(type_.name) if isinstance(type_, Con) else None
    if enum is not None:
        low, high = (
            _ranked(subject, op, b, enum, context, part) for op, b in zip((">=", "<="), term.args[1:], strict=True)
        )
        inner = f"{low} && {high}"
    else:
        low, high = (value(bound, type_, scope, context, part) for bound in term.args[1:])
        inner = f"{subject} >= {low} && {subject} <= {high}"
    made = _maybe_not(inner, term, scope, context)
    return made if made.text.startswith("!") else Filter(inner, _AND)


def _like(term: App, scope: Scope, context: Context) -> Filter:
    subject, type_, part = _side(term.args[0], None, scope, context)
    pattern = term.args[1].value if isinstance(term.args[1], Lit) else ""
    body = pattern.strip("%")
    if not body or "%" in body or "_" in body:
        raise NotSaid(say.no_construct(part, f"the pattern `{pattern}`"))
    if pattern == f"%{body}%":
        inner = f"{subject} =~ {string(body)}"
    elif pattern in (f"{body}%", f"%{body}"):
        if type_ != Con("Text"):
            raise NotSaid(say.no_construct(part, f"the pattern `{pattern}` on a name"))
        inner = f"{'starts_with' if pattern.endswith('%') else 'ends_with'}({subject}, {string(body)})"
    else:
        inner = f"{subject} == {value(Lit('text', body), type_, scope, context, part)}"
    return _maybe_not(inner, term, scope, context)


def _any(term: App, scope: Scope, context: Context) -> Filter:
    info = field_of(term.args[0], scope)
    if info is None or info.name is None:
        raise NotSaid(say.no_counterpart(info.part if info is not None else "a condition"))
    return Filter(f"true({info.name})", _ATOM)


def _none(term: App, scope: Scope, context: Context) -> Filter:
    info = field_of(term.args[0], scope)
    raise NotSaid(say.marked_none(info.part if info is not None else "a condition"))


def _missing(term: App, scope: Scope, context: Context) -> Filter:
    info = field_of(term.args[0], scope)
    there = present(info.name, info.type, context) if info is not None and info.name is not None else None
    if there is None:
        raise NotSaid(say.no_construct(info.part if info is not None else "", "that a value is missing"))
    return there if term.fn == "is_not_missing" else Filter(f"!({there.text})", _ATOM)


def _is(term: App, scope: Scope, context: Context) -> Filter:
    """`.f is { it >= 3 }`: the specification said of the field."""
    spec = term.args[1]
    if not (isinstance(spec, Abs) and spec.kind == "spec" and len(spec.params) == 1):
        raise NotSaid(say.no_construct("", "this specification"))
    from ...compiler.terms import Var, children, rebuild

    def put(node: Term) -> Term:
        if node == Var(spec.params[0]):
            return term.args[0]
        below = children(node)
        return rebuild(node, tuple(put(child) for child in below)) if below else node

    made = condition(put(spec.body), scope, context)
    if made is None:
        raise NotSaid(say.no_construct("", "this specification"))
    return made


def _call(term: App, scope: Scope, context: Context) -> Filter:
    subject, type_, part = _side(term.args[0], None, scope, context)
    inner = type_.args[0] if term.fn == "contains" and isinstance(type_, Con) and type_.args else Con("Text")
    return Filter(f"{_CALLS[term.fn]}({subject}, {value(term.args[1], inner, scope, context, part)})", _ATOM)


_HANDLERS: Final[dict[str, Callable[[App, Scope, Context], Filter]]] = {
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "~", "!~"), _compare),
    "in": _member,
    "not_in": _member,
    "between": _between,
    "not_between": _between,
    "like": _like,
    "not_like": _like,
    "is_any": _any,
    "is_none": _none,
    "is_missing": _missing,
    "is_not_missing": _missing,
    "is": _is,
    **dict.fromkeys(_CALLS, _call),
}
