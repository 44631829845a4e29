"""Values of SQL as DL expressions: columns, constants, arithmetic, CASE, functions, aggregates, scalar subqueries."""

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ...compiler.terms import App, Hole, Lit, Term
from ...compiler.types import BOOL, DATE, DATETIME, NUMBER, TEXT, TIME, Type
from . import coerce, errors
from .dialects import place
from .scope import BINARY, Context, Frame, Val, column, only, unsupported

Rule = Callable[[Any, Frame, Context], Val]
_HOLE = re.compile(r"p([0-9]{1,6})(?:_[A-Za-z_][A-Za-z0-9_]*)?\Z")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")


def value(node: Any, frame: Frame, context: Context) -> Val:
    """A value with its type. Raises CompileError (DLC242 to DLC244)."""
    rule = _RULES.get(type(node))
    if rule is not None:
        only(node, _ARGUMENTS.get(type(node), BINARY))
        return rule(node, frame, context)
    from .conditions import condition, is_condition

    if is_condition(node):
        context.lint(errors.truth_value(place(node)), loss=True)
        return Val(condition(node, frame, context), BOOL)
    if isinstance(node, exp.Window):
        raise unsupported("a window function", node)
    if isinstance(node, exp.Anonymous):
        raise unsupported(f"the function {node.name}", node)
    name = node.sql_name() if isinstance(node, exp.Func) else node.key.upper()
    raise unsupported(f"the function {name}" if isinstance(node, exp.Func) else name, node)


def _literal(node: Any, frame: Frame, context: Context) -> Val:
    text = node.this
    if node.args.get("is_string"):
        return Val(Lit("text", text), TEXT, literal=True)
    return Val(Lit("number", _spelled(text)), NUMBER, literal=True)


def _spelled(text: str) -> str:
    """A number as DL spells it: a digit on both sides of the point."""
    if _NUMBER.match(text):
        return text
    if text.startswith("."):
        text = "0" + text
    head, point, tail = text.partition(".")
    if point and (not tail or tail[0] in "eE"):
        text = f"{head}.0{tail}"
    if not _NUMBER.match(text):
        raise unsupported(f"the number {text}")
    return text


def _negative(node: Any, frame: Frame, context: Context) -> Val:
    inner = node.this
    if isinstance(inner, exp.Literal) and not inner.args.get("is_string"):
        return Val(Lit("number", "-" + _spelled(inner.this)), NUMBER, literal=True)
    val = value(inner, frame, context)
    return Val(App("negate_number", (coerce.as_number(val, "a negative", node, context),)), NUMBER)


def _paren(node: Any, frame: Frame, context: Context) -> Val:
    return value(node.this, frame, context)


def _null(node: Any, frame: Frame, context: Context) -> Val:
    return Val(App("no_value"), None)


def _boolean(node: Any, frame: Frame, context: Context) -> Val:
    return Val(Lit("bool", "true" if node.this else "false"), BOOL, literal=True)


def _placeholder(node: Any, frame: Frame, context: Context) -> Val:
    match = _HOLE.match(str(node.this or ""))
    if match is None:
        raise unsupported("a parameter", node, "placeholders are :p0, :p1_Time and so on")
    return Val(Hole(int(match[1])), None)


def _arithmetic(fn: str) -> Rule:
    def rule(node: Any, frame: Frame, context: Context) -> Val:
        kind, parts = type(node), []
        inner = node
        while type(inner) is kind:
            parts.append(inner.expression)
            inner = inner.this
        if fn == "/":
            context.lint(errors.division(place(node)))
        term = coerce.as_number(value(inner, frame, context), "arithmetic", node, context)
        for part in reversed(parts):
            term = App(fn, (term, coerce.as_number(value(part, frame, context), "arithmetic", node, context)))
        return Val(term, NUMBER)

    return rule


def _concat(node: Any, frame: Frame, context: Context) -> Val:
    parts: list[Any] = []
    inner = node
    while isinstance(inner, exp.DPipe):
        parts.append(inner.expression)
        inner = inner.this
    parts.append(inner)
    parts.reverse()
    return _joined(parts, node, frame, context)


def _joined(parts: list[Any], node: Any, frame: Frame, context: Context) -> Val:
    terms = [coerce.as_text(value(part, frame, context), node, context) for part in parts]
    term = terms[0]
    for other in terms[1:]:
        term = App("concat", (term, other))
    return Val(term, TEXT)


def _case(node: Any, frame: Frame, context: Context) -> Val:
    from .conditions import condition

    subject = value(node.this, frame, context) if node.args.get("this") is not None else None
    default = node.args.get("default")
    type_: Type | None = None
    branches: list[tuple[Term, Val]] = []
    for branch in node.args["ifs"]:
        if subject is None:
            test = condition(branch.this, frame, context)
        else:
            other = value(branch.this, frame, context)
            test = App("=", coerce.comparable(subject, other, node, context))
        result = value(branch.args["true"], frame, context)
        type_ = type_ or result.type
        branches.append((test, result))
    last = value(default, frame, context) if default is not None else Val(App("no_value"), None)
    type_ = type_ or last.type
    term = coerce.made_one(type_, last)
    for test, result in reversed(branches):
        term = App("if_else", (test, coerce.made_one(type_, result), term))
    return Val(term, type_)


def _if(node: Any, frame: Frame, context: Context) -> Val:
    from .conditions import condition

    test = condition(node.this, frame, context)
    first = value(node.args["true"], frame, context)
    otherwise = node.args.get("false")
    second = value(otherwise, frame, context) if otherwise is not None else Val(App("no_value"), None)
    type_ = first.type or second.type
    return Val(App("if_else", (test, coerce.made_one(type_, first), coerce.made_one(type_, second))), type_)


def _coalesce(node: Any, frame: Frame, context: Context) -> Val:
    vals = [value(part, frame, context) for part in (node.this, *node.expressions)]
    type_ = next((v.type for v in vals if v.type is not None), None)
    return _folded("first_present", vals, type_)


def _extreme(fn: str) -> Rule:
    def rule(node: Any, frame: Frame, context: Context) -> Val:
        vals = [value(part, frame, context) for part in (node.this, *node.expressions)]
        type_ = next((v.type for v in vals if v.type is not None), None)
        return _folded(fn, vals, type_)

    return rule


def _folded(fn: str, vals: list[Val], type_: Type | None) -> Val:
    terms = [coerce.made_one(type_, v) for v in vals]
    term = terms[-1]
    for other in reversed(terms[:-1]):
        term = App(fn, (other, term))
    return Val(term, type_)


def _nullif(node: Any, frame: Frame, context: Context) -> Val:
    first, second = value(node.this, frame, context), value(node.expression, frame, context)
    if first.info is not None and isinstance(second.term, Lit) and second.term.value in first.info.missing:
        return first
    test = App("=", coerce.comparable(first, second, node, context))
    return Val(App("if_else", (test, App("no_value"), first.term)), first.type)


def _cast(node: Any, frame: Frame, context: Context) -> Val:
    val = value(node.this, frame, context)
    to = node.args["to"].this
    name = str(getattr(to, "value", to)).upper()
    if name in ("INT", "BIGINT", "SMALLINT", "TINYINT", "UBIGINT", "MEDIUMINT"):
        return Val(App("to_whole", (val.term,)), NUMBER, affine=True)
    if name in ("FLOAT", "DOUBLE", "DECIMAL", "REAL"):
        if val.info is not None and val.info.stored in ("text", "amount"):
            return val
        return Val(App("to_number", (val.term,)), NUMBER, affine=True)
    if name in ("TEXT", "VARCHAR", "CHAR", "NVARCHAR", "NCHAR"):
        return Val(App("to_text", (val.term,)), TEXT, affine=True)
    raise unsupported(f"CAST to {name}", node)


def _subquery(node: Any, frame: Frame, context: Context) -> Val:
    from .read import subquery

    rel = subquery(node, frame, context, 1, None)
    shown = rel.columns[0]
    return Val(App("the", (rel.term,)), shown.type, shown.info, shown.info is not None)


# ---------------------------------------------------------------- functions


def _function(fn: str, kinds: str, result: Type, *arguments: str) -> Rule:
    """A function of fixed arguments: `kinds` a letter each, n number, t text, a anything."""

    def rule(node: Any, frame: Frame, context: Context) -> Val:
        terms: list[Term] = []
        for kind, name in zip(kinds, arguments, strict=True):
            part = node.args.get(name)
            if part is None:
                raise unsupported(f"{node.sql_name()} without its argument {len(terms) + 1}", node)
            val = value(part, frame, context)
            if kind == "n":
                terms.append(coerce.as_number(val, node.sql_name(), node, context))
            elif kind == "t":
                terms.append(coerce.as_text(val, node, context))
            else:
                terms.append(val.term)
        return Val(App(fn, tuple(terms)), result)

    return rule


def _abs(node: Any, frame: Frame, context: Context) -> Val:
    return Val(App("abs", (coerce.as_number(value(node.this, frame, context), "ABS", node, context),)), NUMBER)


def _round(node: Any, frame: Frame, context: Context) -> Val:
    decimals = node.args.get("decimals")
    subject = coerce.as_number(value(node.this, frame, context), "ROUND", node, context)
    places: Term = Lit("number", "0")
    if decimals is not None:
        places = coerce.as_number(value(decimals, frame, context), "ROUND", node, context)
    return Val(App("round", (subject, places)), NUMBER)


def _substring(node: Any, frame: Frame, context: Context) -> Val:
    subject = coerce.as_text(value(node.this, frame, context), node, context)
    start = coerce.as_number(value(node.args["start"], frame, context), "SUBSTR", node, context)
    length = node.args.get("length")
    named: tuple[tuple[str, Term], ...] = ()
    if length is not None:
        named = (("length", coerce.as_number(value(length, frame, context), "SUBSTR", node, context)),)
    return Val(App("substring", (subject, start), named), TEXT)


def _concat_call(node: Any, frame: Frame, context: Context) -> Val:
    return _joined(list(node.expressions), node, frame, context)


def _format_time(node: Any, frame: Frame, context: Context) -> Val:
    form = node.args.get("format")
    if not (isinstance(form, exp.Literal) and form.is_string):
        raise unsupported("STRFTIME with a computed format", node)
    inner = node.this
    while isinstance(inner, exp.TsOrDsToTimestamp | exp.TsOrDsToDate):
        inner = inner.this
    return Val(App("format_time", (value(inner, frame, context).term, Lit("text", form.this))), TEXT)


def _date_call(fn: str, type_: Type) -> Rule:
    def rule(node: Any, frame: Frame, context: Context) -> Val:
        if node.args.get("expressions") or node.args.get("zone") or node.this is None:
            raise unsupported(f"{node.sql_name()} with modifiers", node)
        inner = value(node.this, frame, context)
        return Val(App(fn, (inner.term,)), type_)

    return rule


def _now(node: Any, frame: Frame, context: Context) -> Val:
    return Val(App("now"), DATETIME)


def _today(fn: str, type_: Type) -> Rule:
    def rule(node: Any, frame: Frame, context: Context) -> Val:
        return Val(App(fn, (App("now"),)), type_)

    return rule


# ---------------------------------------------------------------- aggregates


def _aggregated(node: Any, frame: Frame, context: Context) -> tuple[Val, bool]:
    """An aggregate's argument, and whether it is DISTINCT."""
    _grouped(node, frame)
    inner = node.this
    distinct = isinstance(inner, exp.Distinct)
    if distinct:
        if len(inner.expressions) != 1 or inner.args.get("on") is not None:
            raise unsupported("DISTINCT over several columns", node)
        inner = inner.expressions[0]
    if node.args.get("expressions"):
        raise unsupported(f"{node.sql_name()} of several values", node)
    frame.inside = True
    try:
        return value(inner, frame, context), distinct
    finally:
        frame.inside = False


def _grouped(node: Any, frame: Frame) -> None:
    if frame.keys is None:
        raise unsupported("an aggregate outside a group", node, "aggregates stand in SELECT, HAVING and ORDER BY")
    if frame.inside:
        raise unsupported("an aggregate of an aggregate", node)


def _count(node: Any, frame: Frame, context: Context) -> Val:
    if isinstance(node.this, exp.Star) or node.this is None:
        _grouped(node, frame)
        return Val(App("count"), NUMBER)
    val, distinct = _aggregated(node, frame, context)
    return Val(App("count_distinct" if distinct else "count", (val.term,)), NUMBER)


def _total(fn: str) -> Rule:
    def rule(node: Any, frame: Frame, context: Context) -> Val:
        val, distinct = _aggregated(node, frame, context)
        term = coerce.as_number(val, fn, node, context)
        type_ = val.type if val.type is not None and not coerce.is_basic(val.type) else NUMBER
        return Val(App(f"{fn}_distinct" if distinct else fn, (term,)), type_)

    return rule


def _best(fn: str) -> Rule:
    def rule(node: Any, frame: Frame, context: Context) -> Val:
        val, _ = _aggregated(node, frame, context)
        term = App("number_of", (val.term,)) if val.type == BOOL else val.term
        return Val(App(fn, (term,)), NUMBER if val.type == BOOL else val.type, val.info)

    return rule


_ARGUMENTS: dict[Any, frozenset[str]] = {
    exp.Column: frozenset(("this", "table")),
    exp.Literal: frozenset(("this", "is_string")),
    exp.Div: frozenset(("this", "expression", "typed", "safe")),
    exp.DPipe: frozenset(("this", "expression", "safe")),
    exp.Concat: frozenset(("expressions", "safe", "coalesce")),
    exp.Case: frozenset(("this", "ifs", "default")),
    exp.If: frozenset(("this", "true", "false")),
    exp.Coalesce: frozenset(("this", "expressions")),
    exp.Cast: frozenset(("this", "to")),
    exp.Subquery: frozenset(("this", "with_", "order", "limit", "offset")),
    exp.Count: frozenset(("this", "big_int", "expressions")),
    exp.Min: frozenset(("this", "expressions")),
    exp.Max: frozenset(("this", "expressions")),
    exp.Round: frozenset(("this", "decimals")),
    exp.Trim: frozenset(("this",)),
    exp.Replace: frozenset(("this", "expression", "replacement")),
    exp.StrPosition: frozenset(("this", "substr")),
    exp.Substring: frozenset(("this", "start", "length")),
    exp.Least: frozenset(("this", "expressions")),
    exp.Greatest: frozenset(("this", "expressions")),
    exp.TimeToStr: frozenset(("this", "format")),
    exp.Date: frozenset(("this", "expressions", "zone")),
    exp.Time: frozenset(("this", "zone")),
    exp.CurrentTimestamp: frozenset(),
}

AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)

_RULES: dict[Any, Rule] = {
    exp.Column: column,
    exp.Literal: _literal,
    exp.Neg: _negative,
    exp.Paren: _paren,
    exp.Null: _null,
    exp.Boolean: _boolean,
    exp.Placeholder: _placeholder,
    exp.Add: _arithmetic("+"),
    exp.Sub: _arithmetic("-"),
    exp.Mul: _arithmetic("*"),
    exp.Div: _arithmetic("/"),
    exp.Mod: _arithmetic("%"),
    exp.DPipe: _concat,
    exp.Concat: _concat_call,
    exp.Case: _case,
    exp.If: _if,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Cast: _cast,
    exp.Subquery: _subquery,
    exp.Count: _count,
    exp.Sum: _total("sum"),
    exp.Avg: _total("avg"),
    exp.Min: _best("min"),
    exp.Max: _best("max"),
    exp.Abs: _abs,
    exp.Round: _round,
    exp.Length: _function("length", "t", NUMBER, "this"),
    exp.Upper: _function("upper", "t", TEXT, "this"),
    exp.Lower: _function("lower", "t", TEXT, "this"),
    exp.Trim: _function("trim", "t", TEXT, "this"),
    exp.Replace: _function("replace", "ttt", TEXT, "this", "expression", "replacement"),
    exp.StrPosition: _function("position_of", "tt", NUMBER, "this", "substr"),
    exp.Substring: _substring,
    exp.Ceil: _function("ceiling", "n", NUMBER, "this"),
    exp.Floor: _function("floor", "n", NUMBER, "this"),
    exp.Sign: _function("sign", "n", NUMBER, "this"),
    exp.Least: _extreme("least"),
    exp.Greatest: _extreme("greatest"),
    exp.TimeToStr: _format_time,
    exp.Date: _date_call("date_of", DATE),
    exp.Time: _date_call("time_of", TIME),
    exp.CurrentTimestamp: _now,
    exp.CurrentDate: _today("date_of", DATE),
    exp.CurrentTime: _today("time_of", TIME),
}

__all__ = ["AGGREGATES", "value"]
