"""DL expressions and conditions as SQL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Ascribe, Entity, Field, Hole, Lit, Term, Var, children, rebuild
from ...compiler.types import Con, Type
from ...grammar.diagnostic import Diagnostic
from ..rows import Note
from . import errors
from .blocks import Bound
from .constants import BASIC, amount, number_literal, text_of_term
from .dialects import is_plain
from .names import Catalog, ColumnInfo


class NotSaid(Exception):
    """SQL cannot say a part; carries the reason."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


@dataclass(slots=True)
class Writing:
    """What is shared by all queries of one turn."""

    catalog: Catalog
    dialect: str
    lets: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        """The schema."""
        return self.catalog.schema

    @property
    def affine(self) -> bool:
        """Whether the dialect converts between numbers and text by itself, as SQLite does."""
        return self.dialect == "sqlite"

    def drop(self, diagnostic: Diagnostic, loss: bool = True, part: str = "") -> None:
        """Note something that is left out."""
        self.notes.append(Note(diagnostic.code, diagnostic.message, None, loss, part))


@dataclass(frozen=True, slots=True)
class Scope:
    """The binders an expression can name. `qualified`: whether columns carry their table's name."""

    bounds: Mapping[str, Bound]
    qualified: bool
    own: frozenset[str]
    visible: frozenset[str] = frozenset()


def ident(name: str) -> Any:
    """An identifier, quoted if it must be."""
    return exp.Identifier(this=name, quoted=not is_plain(name))


# ---------------------------------------------------------------- what a term is


def info_of(term: Term, scope: Scope) -> ColumnInfo | None:
    """The column a term is, if it is one."""
    while isinstance(term, App) and term.fn in ("pick", "the", "coerce") and term.args:
        if term.fn == "the":
            return _shown_info(term.args[0], scope)
        term = term.args[0]
    if isinstance(term, Field) and isinstance(term.subject, Var):
        bound = scope.bounds.get(term.subject.name)
        found = bound.columns.get(term.name) if bound is not None else None
        return found if isinstance(found, ColumnInfo) else found.info if found is not None else None
    return None


def _shown_info(term: Term, scope: Scope) -> ColumnInfo | None:
    while isinstance(term, App) and term.args and term.fn in ("distinct", "take", "sort", "at"):
        term = term.args[0]
    if isinstance(term, App) and term.fn == "show" and len(term.named) == 1:
        over = term.named[0][1]
        inner = over.body if isinstance(over, Abs) else over
        while isinstance(inner, App) and inner.fn in ("pick", "number_of", "untyped") and inner.args:
            inner = inner.args[0]
        if isinstance(inner, Field) and isinstance(inner.subject, Var):
            info = _table_column(term.args[0], inner.subject.name, inner.name)
            return _catalog_column(scope, info) if info is not None else None
    return None


def _table_column(term: Term, binder: str, name: str) -> tuple[str, str] | None:
    """The table a binder of a relation stands for, and the column."""
    if isinstance(term, App):
        if not term.args:
            return (term.fn, name) if term.fn == binder else None
        if term.fn == "as" and isinstance(term.args[1], Lit) and term.args[1].value == binder:
            inner = term.args[0]
            return (inner.fn, name) if isinstance(inner, App) and not inner.args else None
        for arg in term.args[:2] if term.fn.startswith("join") else term.args[:1]:
            found = _table_column(arg, binder, name)
            if found is not None:
                return found
    return None


_CATALOG_KEY = ""


def _catalog_column(scope: Scope, place: tuple[str, str]) -> ColumnInfo | None:
    """A column by table and name, from the catalog the scope carries."""
    carrier = scope.bounds.get(_CATALOG_KEY)
    catalog = carrier.value if carrier is not None else None
    if not isinstance(catalog, Catalog):
        return None
    table = catalog.by_name.get(place[0])
    return table.columns.get(place[1]) if table is not None else None


def type_of(term: Term, scope: Scope) -> Type | None:
    """The type of a column or constant; None for what is not worth knowing."""
    info = info_of(term, scope)
    if info is not None:
        return info.type
    match term:
        case Lit("number"):
            return Con("Number")
        case Lit("text"):
            return Con("Text")
        case Lit("bool"):
            return Con("Bool")
    return None


def _numeric_column(term: Term, scope: Scope) -> bool:
    info = info_of(term, scope)
    return (
        info is not None
        and isinstance(info.type, Con)
        and info.type.name in ("Number", "Int", "Bool")
        and not info.stored
    )


def _text_column(term: Term, scope: Scope) -> bool:
    info = info_of(term, scope)
    return info is not None and not _numeric_column(term, scope)


def substituted(term: Term, name: str, value: Term) -> Term:
    """The term with a free variable replaced."""
    if isinstance(term, Var):
        return value if term.name == name else term
    if isinstance(term, Abs) and name in term.params:
        return term
    below = children(term)
    if not below:
        return term
    return rebuild(term, tuple(substituted(child, name, value) for child in below))


# ---------------------------------------------------------------- values


def column(term: Field, scope: Scope, w: Writing, raw: bool = False) -> Any:
    """A column. `raw`: as it is kept; otherwise missing ones are NULL and numbers kept as text are numbers."""
    subject = term.subject
    if not isinstance(subject, Var) or subject.name not in scope.bounds:
        raise NotSaid(errors.no_construct(f"`.{term.name}` of a value"))
    bound = scope.bounds[subject.name]
    if bound.origin is None:
        raise NotSaid(errors.no_counterpart(term.name))
    found = bound.columns.get(term.name)
    if found is None:
        raise NotSaid(errors.no_counterpart(f"{subject.name}.{term.name}"))
    name = found.sql if isinstance(found, ColumnInfo) else found.column_name()
    qualified = scope.qualified or subject.name not in scope.own
    owner = ident(bound.origin.visible) if qualified else None
    made: Any = exp.Column(this=ident(name), table=owner) if owner is not None else exp.Column(this=ident(name))
    info = found if isinstance(found, ColumnInfo) else found.info
    if raw or info is None:
        return made
    for token in info.missing:
        made = exp.Nullif(this=made, expression=exp.Literal.string(token))
    return made


def _computed(info: ColumnInfo | None, made: Any) -> Any:
    """A number kept as text, as a number."""
    if info is not None and info.stored in ("text", "amount"):
        return exp.Cast(this=made, to=exp.DataType(this=exp.DataType.Type.DOUBLE, nested=False))
    return made


def value(term: Term, scope: Scope, w: Writing) -> Any:
    """An expression. Raises NotSaid."""
    match term:
        case Field():
            info = info_of(term, scope)
            return _computed(info, column(term, scope, w))
        case Lit("number" | "int", text):
            return number_literal(text)
        case Lit("text" | "raw" | "date" | "datetime" | "time", _):
            return exp.Literal.string(text_of_term(w.schema, Con("Text"), term) or "")
        case Lit("bool", text):
            return exp.Boolean(this=text == "true")
        case Lit("quantity"):
            raise NotSaid(errors.no_value(f"the quantity {term.value}"))
        case Entity(text, identifier):
            if text is None and identifier is None:
                raise NotSaid(errors.no_value("an entity"))
            return exp.Literal.string(text if text is not None else str(identifier))
        case Hole(index):
            return exp.Placeholder(this=f"p{index}")
        case Var(name):
            return _row_value(name, scope, w)
        case Ascribe(term=inner):
            return value(inner, scope, w)
        case App(fn=fn):
            rule = _VALUES.get(fn)
            if rule is not None:
                return rule(term, scope, w)
            if fn in CONDITIONS:
                return exp.Coalesce(this=condition(term, scope, w), expressions=[exp.Boolean(this=False)])
            if not term.args and not term.named:
                return exp.Literal.string(_member(fn, w))
            raise NotSaid(errors.no_counterpart(fn))
    raise NotSaid(errors.no_construct("a function, record or specification as a value"))


def _member(name: str, w: Writing) -> str:
    if name in w.schema.function or name not in w.schema.enums_of_member:
        raise NotSaid(errors.no_counterpart(name))
    return text_of_term(w.schema, Con(w.schema.enums_of_member[name][0].name), App(name)) or name


def _row_value(name: str, scope: Scope, w: Writing) -> Any:
    """A row as a value is its key."""
    bound = scope.bounds.get(name)
    if bound is not None and bound.key is not None:
        return column(Field(Var(name), bound.key), scope, w)
    if bound is not None and len(bound.columns) == 1:
        return column(Field(Var(name), next(iter(bound.columns))), scope, w)
    raise NotSaid(errors.no_construct(f"the row `{name}` as a value"))


def parenthesized(node: Any) -> Any:
    """An operand of arithmetic or of a comparison."""
    if isinstance(node, exp.Binary | exp.Unary | exp.Between | exp.In) and not isinstance(
        node, exp.Paren | exp.Neg | exp.Dot
    ):
        return exp.Paren(this=node)
    return node


def _arithmetic(kind: Any) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        left, right = (_plain_number(a, scope, w) for a in term.args)
        if not (
            isinstance(left, kind)
            or (kind in (exp.Add, exp.Sub) and isinstance(left, exp.Mul | exp.Div | exp.Add | exp.Sub))
        ):
            left = parenthesized(left)
        if not (kind in (exp.Add, exp.Sub) and isinstance(right, exp.Mul | exp.Div)):
            right = parenthesized(right)
        if kind is exp.Div:
            return exp.Div(this=left, expression=right, typed=True, safe=True)
        return kind(this=left, expression=right)

    return write


def _plain_number(term: Term, scope: Scope, w: Writing) -> Any:
    """An operand SQL makes a number by itself."""
    if isinstance(term, App) and term.fn == "number_of" and (w.affine or _numeric_column(term.args[0], scope)):
        return value(term.args[0], scope, w)
    return value(term, scope, w)


def _plain_text(term: Term, scope: Scope, w: Writing) -> Any:
    """An operand SQL makes a text by itself."""
    if isinstance(term, App) and term.fn == "text_of" and w.affine:
        return value(term.args[0], scope, w)
    return value(term, scope, w)


def _number_of(term: App, scope: Scope, w: Writing) -> Any:
    inner = term.args[0]
    if type_of(inner, scope) == Con("Bool") or (isinstance(inner, App) and inner.fn in CONDITIONS):
        return value(inner, scope, w)
    return exp.Cast(this=value(inner, scope, w), to=exp.DataType.build("DOUBLE"))


def _text_of(term: App, scope: Scope, w: Writing) -> Any:
    inner = term.args[0]
    if _text_column(inner, scope) or isinstance(inner, Entity):
        return value(inner, scope, w)
    return exp.Cast(this=value(inner, scope, w), to=exp.DataType.build("TEXT"))


def _argument(term: App, scope: Scope, w: Writing) -> Any:
    return value(term.args[0], scope, w)


def _pick(term: App, scope: Scope, w: Writing) -> Any:
    inner = value(term.args[0], scope, w)
    return inner if w.dialect in ("sqlite", "mysql") else exp.AnyValue(this=inner)


def _cast(to: str) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        return exp.Cast(this=value(term.args[0], scope, w), to=exp.DataType.build(to))

    return write


def _if_else(term: App, scope: Scope, w: Writing) -> Any:
    branches: list[Any] = []
    rest: Term = term
    while isinstance(rest, App) and rest.fn == "if_else" and len(rest.args) == 3:
        test, result, rest = rest.args
        branches.append(exp.If(this=condition(test, scope, w), true=value(result, scope, w)))
    made = exp.Case(ifs=branches)
    if rest != App("no_value"):
        made.set("default", value(rest, scope, w))
    return made


def _nested(fn: str, kind: Any) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        parts: list[Any] = []
        rest: Term = term
        while isinstance(rest, App) and rest.fn == fn:
            parts.append(value(rest.args[0], scope, w))
            rest = rest.args[1]
        parts.append(value(rest, scope, w))
        return kind(this=parts[0], expressions=parts[1:])

    return write


def _concat(term: App, scope: Scope, w: Writing) -> Any:
    left, right = (_plain_text(a, scope, w) for a in term.args)
    left = left if isinstance(left, exp.DPipe) else parenthesized(left)
    return exp.DPipe(this=left, expression=parenthesized(right), safe=True)


def _call(kind: Any, *names: str, text: bool = False) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        arguments = [(_plain_text if text else _plain_number)(a, scope, w) for a in term.args]
        return kind(**dict(zip(names, arguments, strict=False)))

    return write


def _substring(term: App, scope: Scope, w: Writing) -> Any:
    made = exp.Substring(this=_plain_text(term.args[0], scope, w), start=_plain_number(term.args[1], scope, w))
    for _, length in term.named:
        made.set("length", _plain_number(length, scope, w))
    return made


def _format_time(term: App, scope: Scope, w: Writing) -> Any:
    form = term.args[1]
    if not isinstance(form, Lit):
        raise NotSaid(errors.no_construct("a computed time format"))
    if w.dialect == "sqlite":
        return exp.Anonymous(
            this="STRFTIME", expressions=[exp.Literal.string(form.value), value(term.args[0], scope, w)]
        )
    inner = exp.TsOrDsToTimestamp(this=value(term.args[0], scope, w))
    return exp.TimeToStr(this=inner, format=exp.Literal.string(form.value))


def _dated(kind: Any, today: Any) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        return today() if term.args[0] == App("now") else kind(this=value(term.args[0], scope, w))

    return write


def _negated(term: App, scope: Scope, w: Writing) -> Any:
    return exp.Neg(this=parenthesized(_plain_number(term.args[0], scope, w)))


def _count(term: App, scope: Scope, w: Writing) -> Any:
    return exp.Count(this=value(term.args[0], scope, w) if term.args else exp.Star(), big_int=True)


def _aggregate(kind: Any) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        inner = _plain_number(term.args[0], scope, w)
        if term.fn.endswith("_distinct"):
            inner = exp.Distinct(expressions=[inner])
        return kind(this=inner)

    return write


def _the(term: App, scope: Scope, w: Writing) -> Any:
    from .write import nested

    return exp.Subquery(this=nested(term.args[0], scope, w, 1))


# ---------------------------------------------------------------- conditions


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
            part = condition(arg, scope, w)
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
        return value(left, scope, w), value(right, scope, w)
    text = text_of_term(w.schema, info.type, right, info.stored)
    if info.stored == "amount":
        if isinstance(right, Lit) and right.kind == "raw":
            return column(inner, scope, w, raw=True), exp.Literal.string(right.value)
        number = amount(right, info)
        if number is None:
            raise NotSaid(errors.no_value("a quantity of another unit"))
        return _computed(info, column(inner, scope, w)), number
    if text is None:
        raise NotSaid(errors.no_value("the constant"))
    if info.stored == "text" and not plain and not (isinstance(right, Lit) and right.kind == "raw"):
        return _computed(info, column(inner, scope, w)), number_literal(text)
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
    if isinstance(term, App) and len(term.args) == 1:
        inner = term.args[0]
        if term.fn == "number_of":
            same = _numeric_column(_unconverted(other), scope) or _numeric_column(inner, scope)
            if w.affine and same:
                return value(inner, scope, w)
            if isinstance(inner, Lit) and inner.kind == "text" and not w.affine and _is_number(inner.value):
                return number_literal(inner.value)
        elif term.fn == "text_of":
            if w.affine and (_text_column(_unconverted(other), scope) or _text_column(inner, scope)):
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
    from .write import nested

    erase = _numeric_column(_unconverted(left), scope)
    query = nested(right, scope, w, 1, erase)
    info = _shown_info(right, scope)
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
    subject, pattern = (_plain_text(a, scope, w) for a in term.args)
    made = exp.Like(this=parenthesized(subject), expression=parenthesized(pattern))
    return exp.Not(this=made) if term.fn == "not_like" else made


def _holds_text(subject: Any, wanted: Any) -> Any:
    """How often the text stands in the subject, whatever the case."""
    return exp.StrPosition(this=exp.Lower(this=subject), substr=exp.Lower(this=wanted))


def _match(term: App, scope: Scope, w: Writing) -> Any:
    subject, wanted = (_plain_text(a, scope, w) for a in term.args)
    kind = exp.EQ if term.fn == "!~" else exp.GT
    return kind(this=_holds_text(subject, wanted), expression=exp.Literal.number(0))


def _any_match(term: App, scope: Scope, w: Writing) -> Any:
    subject, wanted = term.args
    if not (isinstance(wanted, App) and wanted.fn == "list" and wanted.args):
        raise NotSaid(errors.no_construct("a match with a computed list"))
    made = App("or", tuple(App("~", (subject, item)) for item in wanted.args))
    return condition(made if len(made.args) > 1 else made.args[0], scope, w)


def _exists(term: App, scope: Scope, w: Writing) -> Any:
    from .write import nested

    return exp.Exists(this=nested(term.args[0], scope, w, None))


def _is(term: App, scope: Scope, w: Writing) -> Any:
    subject, predicate = term.args
    if predicate == App("everything"):
        return exp.Boolean(this=True)
    if isinstance(predicate, Abs) and len(predicate.params) == 1:
        return condition(substituted(predicate.body, predicate.params[0], subject), scope, w)
    raise NotSaid(errors.no_construct("a computed specification"))


ValueRule = Callable[[App, Scope, Writing], Any]

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

_VALUES: dict[str, ValueRule] = {
    "+": _arithmetic(exp.Add),
    "-": _arithmetic(exp.Sub),
    "*": _arithmetic(exp.Mul),
    "/": _arithmetic(exp.Div),
    "%": _arithmetic(exp.Mod),
    "negate_number": _negated,
    "number_of": _number_of,
    "text_of": _text_of,
    "untyped": _argument,
    "coerce": _argument,
    "pick": _pick,
    "to_number": _cast("REAL"),
    "to_whole": _cast("INT"),
    "to_text": _cast("TEXT"),
    "if_else": _if_else,
    "no_value": lambda term, scope, w: exp.Null(),
    "first_present": _nested("first_present", exp.Coalesce),
    "least": _nested("least", exp.Least),
    "greatest": _nested("greatest", exp.Greatest),
    "concat": _concat,
    "abs": _call(exp.Abs, "this"),
    "round": _call(exp.Round, "this", "decimals"),
    "ceiling": _call(exp.Ceil, "this"),
    "floor": _call(exp.Floor, "this"),
    "sign": _call(exp.Sign, "this"),
    "length": _call(exp.Length, "this", text=True),
    "upper": _call(exp.Upper, "this", text=True),
    "lower": _call(exp.Lower, "this", text=True),
    "trim": _call(exp.Trim, "this", text=True),
    "replace": _call(exp.Replace, "this", "expression", "replacement", text=True),
    "position_of": _call(exp.StrPosition, "this", "substr", text=True),
    "substring": _substring,
    "format_time": _format_time,
    "date_of": _dated(exp.Date, exp.CurrentDate),
    "time_of": _dated(exp.Time, exp.CurrentTime),
    "now": lambda term, scope, w: exp.CurrentTimestamp(),
    "count": _count,
    "count_distinct": lambda term, scope, w: exp.Count(
        this=exp.Distinct(expressions=[value(term.args[0], scope, w)]), big_int=True
    ),
    "sum": _aggregate(exp.Sum),
    "avg": _aggregate(exp.Avg),
    "sum_distinct": _aggregate(exp.Sum),
    "avg_distinct": _aggregate(exp.Avg),
    "min": _aggregate(exp.Min),
    "max": _aggregate(exp.Max),
    "the": _the,
}
