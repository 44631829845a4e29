"""DL expressions as SQL."""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ...compiler.terms import App, Ascribe, Entity, Field, Hole, Lit, Term, Var
from ...compiler.types import Con, Type
from . import errors
from .constants import number_literal, text_of_term
from .names import ColumnInfo
from .write_terms import NotSaid, Scope, Writing, ident, info_of, numeric_column, text_column, type_of

ValueRule = Callable[[App, Scope, Writing], Any]


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


def computed(info: ColumnInfo | None, made: Any) -> Any:
    """A number kept as text, as a number."""
    if info is not None and info.stored in ("text", "amount"):
        return exp.Cast(this=made, to=exp.DataType(this=exp.DataType.Type.DOUBLE, nested=False))
    return made


def conditions() -> "dict[str, ValueRule]":
    """The rules of conditions; they need those of values, so they are asked for when they are used."""
    from .write_conditions import CONDITIONS

    return CONDITIONS


def held(term: Term, scope: Scope, w: Writing) -> Any:
    """A condition inside an expression."""
    from .write_conditions import condition

    return condition(term, scope, w)


def value(term: Term, scope: Scope, w: Writing) -> Any:
    """An expression. Raises NotSaid."""
    match term:
        case Field():
            info = info_of(term, scope)
            return computed(info, column(term, scope, w))
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
        case Hole(type=type_):
            return placeholder(term, type_)
        case Var(name):
            return _row_value(name, scope, w)
        case Ascribe(term=inner):
            return value(inner, scope, w)
        case App(fn=fn):
            rule = _VALUES.get(fn)
            if rule is not None:
                return rule(term, scope, w)
            if fn in conditions():
                return exp.Coalesce(this=conditions()[fn](term, scope, w), expressions=[exp.Boolean(this=False)])
            if not term.args and not term.named:
                return exp.Literal.string(_member(fn, w))
            raise NotSaid(errors.no_counterpart(fn))
    raise NotSaid(errors.no_construct("a function, record or specification as a value"))


def placeholder(hole: Hole, type_: Type | None) -> Any:
    """A parameter for a delexicalized constant. Its kind is its type, so the type is part of the name."""
    kind = type_.name if isinstance(type_, Con) else ""
    return exp.Placeholder(this=f"p{hole.index}" + (f"_{kind}" if kind.isidentifier() else ""))


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
    if isinstance(term, App) and term.fn == "number_of" and (w.affine or numeric_column(term.args[0], scope)):
        return value(term.args[0], scope, w)
    return value(term, scope, w)


def plain_text(term: Term, scope: Scope, w: Writing) -> Any:
    """An operand SQL makes a text by itself."""
    if isinstance(term, App) and term.fn == "text_of" and w.affine:
        return value(term.args[0], scope, w)
    return value(term, scope, w)


def _number_of(term: App, scope: Scope, w: Writing) -> Any:
    inner = term.args[0]
    if type_of(inner, scope) == Con("Bool") or (isinstance(inner, App) and inner.fn in conditions()):
        return value(inner, scope, w)
    return exp.Cast(this=value(inner, scope, w), to=exp.DataType.build("DOUBLE"))


def _text_of(term: App, scope: Scope, w: Writing) -> Any:
    inner = term.args[0]
    if text_column(inner, scope) or isinstance(inner, Entity):
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
        branches.append(exp.If(this=held(test, scope, w), true=value(result, scope, w)))
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
    left, right = (plain_text(a, scope, w) for a in term.args)
    left = left if isinstance(left, exp.DPipe) else parenthesized(left)
    return exp.DPipe(this=left, expression=parenthesized(right), safe=True)


def _call(kind: Any, *names: str, text: bool = False) -> "ValueRule":
    def write(term: App, scope: Scope, w: Writing) -> Any:
        arguments = [(plain_text if text else _plain_number)(a, scope, w) for a in term.args]
        return kind(**dict(zip(names, arguments, strict=False)))

    return write


def _substring(term: App, scope: Scope, w: Writing) -> Any:
    made = exp.Substring(this=plain_text(term.args[0], scope, w), start=_plain_number(term.args[1], scope, w))
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
        # The least and the greatest text is not the least and the greatest number; sums are of numbers anyway.
        ordered = kind in (exp.Min, exp.Max)
        inner = value(term.args[0], scope, w) if ordered else _plain_number(term.args[0], scope, w)
        if term.fn.endswith("_distinct"):
            inner = exp.Distinct(expressions=[inner])
        return kind(this=inner)

    return write


def _the(term: App, scope: Scope, w: Writing) -> Any:
    from .write_stages import nested

    return exp.Subquery(this=nested(term.args[0], scope, w, 1))


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
