"""DL conditions as SQL."""

from typing import Any

from sqlglot import exp

from ...compiler.terms import Abs, App, Entity, Field, Hole, Lit, Term
from ...compiler.types import TEXT, Con
from . import errors
from .constants import BASIC, amount, number_literal, text_of_term
from .names import ColumnInfo
from .write_terms import NotSaid, Scope, Writing, info_of, numeric_column, shown_info, substituted, text_column, type_of
from .write_values import ValueRule, column, computed, parenthesized, placeholder, plain_text, value


def condition(term: Term, scope: Scope, w: Writing) -> Any:
    """A condition. Raises NotSaid."""
    if isinstance(term, App):
        rule = CONDITIONS.get(term.fn)
        if rule is not None:
            return rule(term, scope, w)
    if isinstance(term, Lit) and term.kind == "bool":
        return exp.Boolean(this=term.value == "true")
    return value(term, scope, w)


def _connective(kind: Any) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        made: Any = None
        for arg in term.args:
            if isinstance(arg, App) and arg.fn in ("is_any", "is_none"):
                w.drop(errors.mark_dropped(arg.fn.removeprefix("is_"), _said(arg.args[0])), part=_said(arg.args[0]))
                if kind is exp.And:
                    continue
                return exp.Boolean(this=True)
            try:
                part = condition(arg, scope, w)
            except NotSaid as reason:
                if kind is not exp.And:
                    raise
                w.drop(reason.diagnostic)
                continue
            if isinstance(part, exp.And | exp.Or) and not (isinstance(part, exp.And) and kind is exp.Or):
                part = exp.Paren(this=part)
            made = part if made is None else kind(this=made, expression=part)
        return made if made is not None else exp.Boolean(this=True)

    return write


def _said(term: Term) -> str:
    return term.name if isinstance(term, Field) else "it"


def _mark(term: App, scope: Scope, w: Writing) -> Any:
    w.drop(errors.mark_dropped(term.fn.removeprefix("is_"), _said(term.args[0])), part=_said(term.args[0]))
    return exp.Boolean(this=True)


def _not(term: App, scope: Scope, w: Writing) -> Any:
    inner = term.args[0]
    if isinstance(inner, App) and inner.fn in ("is_missing", "is_not_missing"):
        return condition(App("is_not_missing" if inner.fn == "is_missing" else "is_missing", inner.args), scope, w)
    made = condition(inner, scope, w)
    if isinstance(made, exp.Boolean):
        return exp.Boolean(this=not made.this)
    if isinstance(inner, App) and inner.fn in ("exists", "not"):
        return exp.Not(this=made)
    return exp.Not(this=exp.Coalesce(this=made, expressions=[exp.Boolean(this=False)]))


_COMPARISONS = {"=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


_TURNED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _comparison(term: App, scope: Scope, w: Writing) -> Any:
    left, right = term.args
    special = _special(term.fn, left, right, scope, w) or _special(_TURNED[term.fn], right, left, scope, w, True)
    if special is not None:
        return special
    a, b = compared(left, right, scope, w)
    return _COMPARISONS[term.fn](this=parenthesized(a), expression=parenthesized(b))


def is_constant(term: Term) -> bool:
    """A value known when the query is written."""
    return isinstance(term, Lit | Entity | Hole) or (isinstance(term, App) and not term.args and not term.named)


def _special(fn: str, left: Term, right: Term, scope: Scope, w: Writing, turned: bool = False) -> Any | None:
    """A column with a finer type than SQL's against a constant."""
    info = info_of(left, scope)
    if info is None or not is_constant(right) or right == App("now"):
        return None
    name = info.type.name if isinstance(info.type, Con) else ""
    if name in BASIC and not info.stored and not info.missing:
        return None
    if isinstance(right, Lit) and right.kind == "raw" and fn not in ("=", "!="):
        # It is ordered with nothing, so the comparison holds for no row; what it said cannot be read back.
        w.drop(errors.no_value(f'"{right.value}"'), part=info.name)
        return exp.Boolean(this=False)
    enum = w.schema.enum.get(name)
    if fn not in ("=", "!=") and enum is not None:
        return _ranked(fn, left, right, enum.names, scope, w)
    subject, constant = _kept(info, left, right, fn in ("=",), scope, w)
    kind = _COMPARISONS[_TURNED[fn] if turned else fn]
    pair = (constant, subject) if turned else (subject, constant)
    return kind(this=pair[0], expression=pair[1])


def _kept(info: ColumnInfo, left: Term, right: Term, plain: bool, scope: Scope, w: Writing) -> tuple[Any, Any]:
    """A column and a constant, both as the database keeps them; numbers if they must be ordered."""
    inner = _bare(left)
    if isinstance(right, Hole):
        return value(left, scope, w), placeholder(right, right.type or info.type)
    text = text_of_term(w.schema, info.type, right, info.stored)
    if info.stored == "amount":
        if isinstance(right, Lit) and right.kind == "raw":
            return column(inner, scope, w, raw=True), exp.Literal.string(right.value)
        number = amount(right, info)
        if number is None:
            raise NotSaid(errors.no_value("a quantity of another unit"))
        return computed(info, column(inner, scope, w)), number
    if text is None:
        raise NotSaid(errors.no_value("the constant"))
    if info.stored == "text" and not plain and not (isinstance(right, Lit) and right.kind == "raw"):
        return computed(info, column(inner, scope, w)), number_literal(text)
    numeric = isinstance(info.type, Con) and info.type.name in ("Number", "Int", "Bool") and not info.stored
    constant = value(right, scope, w) if numeric else exp.Literal.string(text)
    return column(inner, scope, w, raw=plain and text not in info.missing), constant


def _bare(term: Term) -> Field:
    while isinstance(term, App) and term.args:
        term = term.args[0]
    if not isinstance(term, Field):
        raise NotSaid(errors.no_construct("a condition on a value of a query"))
    return term


def _ranked(fn: str, left: Term, right: Term, names: frozenset[str], scope: Scope, w: Writing) -> Any:
    """An order that the database does not know: one of the members that satisfy it."""
    if not (isinstance(right, App) and right.fn in names):
        raise NotSaid(errors.no_value("a constant that an order does not list"))
    info = info_of(left, scope)
    assert info is not None and isinstance(info.type, Con)
    members = [m.name for m in w.schema.enum[info.type.name].members]
    at = members.index(right.fn)
    kept = {"<": members[:at], "<=": members[: at + 1], ">": members[at + 1 :], ">=": members[at:]}[fn]
    if not kept:
        return exp.Boolean(this=False)
    texts = [exp.Literal.string(text_of_term(w.schema, info.type, App(m)) or m) for m in kept]
    return exp.In(this=column(_bare(left), scope, w, raw=True), expressions=texts)


def compared(left: Term, right: Term, scope: Scope, w: Writing) -> tuple[Any, Any]:
    """Both sides of a comparison, conversions erased where SQLite makes them by itself."""
    return erased(left, right, scope, w), erased(right, left, scope, w)


def erased(term: Term, other: Term, scope: Scope, w: Writing) -> Any:
    """One side of a comparison: without the conversion that the other side's affinity implies."""
    if isinstance(term, Hole):
        return placeholder(term, term.type or type_of(other, scope))
    if isinstance(term, App) and len(term.args) == 1:
        inner = term.args[0]
        if term.fn == "number_of":
            same = numeric_column(_unconverted(other), scope) or numeric_column(inner, scope)
            if w.affine and same:
                return value(inner, scope, w)
            if isinstance(inner, Lit) and inner.kind == "text" and not w.affine and _is_number(inner.value):
                return number_literal(inner.value)
        elif term.fn == "text_of":
            if w.affine and (text_column(_unconverted(other), scope) or text_column(inner, scope)):
                return value(inner, scope, w)
            if isinstance(inner, Lit) and inner.kind == "number":
                return exp.Literal.string(inner.value)
        elif term.fn == "untyped":
            return value(inner, scope, w)
    return value(term, scope, w)


def _unconverted(term: Term) -> Term:
    while isinstance(term, App) and term.fn in ("number_of", "text_of", "untyped") and term.args:
        term = term.args[0]
    return term


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _between(term: App, scope: Scope, w: Writing) -> Any:
    subject, low, high = term.args
    info = info_of(subject, scope)
    if info is not None and isinstance(info.type, Con) and (info.type.name in w.schema.enum):
        parts = App("and", (App(">=", (subject, low)), App("<=", (subject, high))))
        if term.fn == "not_between":
            parts = App("or", (App("<", (subject, low)), App(">", (subject, high))))
        return condition(parts, scope, w)
    if info is not None and is_constant(low) and is_constant(high) and not (_basic_info(info)):
        first, a = _kept(info, subject, low, False, scope, w)
        _, b = _kept(info, subject, high, False, scope, w)
        made: Any = exp.Between(this=first, low=a, high=b)
    else:
        first, a = compared(subject, low, scope, w)
        made = exp.Between(
            this=parenthesized(first), low=parenthesized(a), high=parenthesized(erased(high, subject, scope, w))
        )
    return exp.Not(this=made) if term.fn == "not_between" else made


def _basic_info(info: ColumnInfo) -> bool:
    name = info.type.name if isinstance(info.type, Con) else ""
    return name in BASIC and not info.stored and not info.missing


def _in(term: App, scope: Scope, w: Writing) -> Any:
    left, right = term.args
    if isinstance(right, App) and right.fn == "list" and not right.targs:
        return _in_list(term, left, right.args, scope, w)
    from .write_stages import nested

    erase = numeric_column(_unconverted(left), scope)
    query = nested(right, scope, w, 1, erase)
    info = shown_info(right, scope)
    inner = left
    if isinstance(left, App) and left.fn in ("number_of", "text_of", "untyped") and w.affine:
        numeric = info is not None and isinstance(info.type, Con) and info.type.name in ("Number", "Int", "Bool")
        inner = left.args[0] if numeric or left.fn != "number_of" else left
    made = exp.In(this=parenthesized(value(inner, scope, w)), query=exp.Subquery(this=query))
    return exp.Not(this=made) if term.fn == "not_in" else made


def _in_list(term: App, left: Term, items: tuple[Term, ...], scope: Scope, w: Writing) -> Any:
    info = info_of(left, scope)
    if not items:
        return exp.Boolean(this=term.fn == "not_in")
    if info is not None and not _basic_info(info) and all(map(is_constant, items)):
        pairs = [_kept(info, left, item, True, scope, w) for item in items]
        subject, constants = pairs[0][0], [b for _, b in pairs]
        if term.fn == "not_in" or any(isinstance(p[0], exp.Nullif) for p in pairs):
            subject = column(_bare(left), scope, w)
    else:
        subject = erased(left, items[0], scope, w)
        constants = [erased(item, left, scope, w) for item in items]
    made = exp.In(this=parenthesized(subject), expressions=constants)
    return exp.Not(this=made) if term.fn == "not_in" else made


def _missing(term: App, scope: Scope, w: Writing) -> Any:
    inner = term.args[0]
    subject = column(inner, scope, w) if isinstance(inner, Field) else value(inner, scope, w)
    made = exp.Is(this=parenthesized(subject), expression=exp.Null())
    return exp.Not(this=made) if term.fn == "is_not_missing" else made


def _like(term: App, scope: Scope, w: Writing) -> Any:
    subject, pattern = (plain_text(a, scope, w) for a in term.args)
    made = exp.Like(this=parenthesized(subject), expression=parenthesized(pattern))
    return exp.Not(this=made) if term.fn == "not_like" else made


def _holds_text(subject: Any, wanted: Any) -> Any:
    """How often the text stands in the subject, whatever the case."""
    return exp.StrPosition(this=exp.Lower(this=subject), substr=exp.Lower(this=wanted))


def _match(term: App, scope: Scope, w: Writing) -> Any:
    subject = plain_text(term.args[0], scope, w)
    wanted = placeholder(term.args[1], TEXT) if isinstance(term.args[1], Hole) else plain_text(term.args[1], scope, w)
    kind = exp.EQ if term.fn == "!~" else exp.GT
    return kind(this=_holds_text(subject, wanted), expression=exp.Literal.number(0))


def _any_match(term: App, scope: Scope, w: Writing) -> Any:
    subject, wanted = term.args
    if not (isinstance(wanted, App) and wanted.fn == "list" and wanted.args):
        raise NotSaid(errors.no_construct("a match with a computed list"))
    made = App("or", tuple(App("~", (subject, item)) for item in wanted.args))
    return condition(made if len(made.args) > 1 else made.args[0], scope, w)


def _exists(term: App, scope: Scope, w: Writing) -> Any:
    from .write_stages import nested

    return exp.Exists(this=nested(term.args[0], scope, w, None))


def _is(term: App, scope: Scope, w: Writing) -> Any:
    subject, predicate = term.args
    if predicate == App("everything"):
        return exp.Boolean(this=True)
    if isinstance(predicate, Abs) and len(predicate.params) == 1:
        return condition(substituted(predicate.body, predicate.params[0], subject), scope, w)
    raise NotSaid(errors.no_construct("a computed specification"))


CONDITIONS: dict[str, ValueRule] = {
    "and": _connective(exp.And),
    "or": _connective(exp.Or),
    "not": _not,
    **{fn: _comparison for fn in _COMPARISONS},
    "between": _between,
    "not_between": _between,
    "in": _in,
    "not_in": _in,
    "is_missing": _missing,
    "is_not_missing": _missing,
    "is_any": _mark,
    "is_none": _mark,
    "like": _like,
    "not_like": _like,
    "~": _match,
    "!~": _match,
    "any_match": _any_match,
    "exists": _exists,
    "is": _is,
}
