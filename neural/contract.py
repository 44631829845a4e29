"""The decoder's stated language: which well-typed programs of printed DL it can write (docs/decoding.md).

`outside(turn, schema)` says why a turn is not in it, judged on core terms alone and without the automaton: the
automaton is tested against this, and gold is counted with it. A turn must be well typed before it is asked about.
"""

from collections.abc import Iterator

from ..compiler.lower import default_label, fresh_label
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
    Statement,
    Term,
    Turn,
    Var,
    children,
    subterms,
)
from ..compiler.types import DYNAMIC, Con, Param, RecordType, parts
from .dl_context import VARIABLES, Limits, label_types
from .dl_instances import mentions

_COMPARED = frozenset(("=", "!=", "<", "<=", ">", ">="))
_LEFT = _COMPARED | frozenset(("~", "!~", "like", "not_like", "in", "not_in", "between", "not_between", "is"))
_LEFT = _LEFT | frozenset(("is_any", "is_none", "is_missing", "is_not_missing"))
_CONDITIONS = _LEFT | frozenset(("and", "or", "not", "exists"))
_SIGNS = frozenset(("+", "-"))
_ARITHMETIC = _SIGNS | frozenset(("*", "/", "%"))
_JOINS = frozenset(("join", "join_left", "join_right", "join_full"))
_SETS = frozenset(("union", "union_all", "except", "except_all", "intersect", "intersect_all"))
_STAGES = (
    frozenset(("where", "sort", "take", "at", "show", "distinct", "group", "whole", "then", "as")) | _JOINS | _SETS
)
_AGGREGATES = frozenset(("count", "count_distinct", "sum", "avg", "sum_distinct", "avg_distinct", "min", "max", "pick"))
_EVERY_COLUMN = (App("all_fields"), App("pick_all"))


def outside(turn: Turn, schema: Schema, limits: Limits | None = None) -> str | None:
    """Why a well-typed turn is not in the decoder's language over `schema` (the prelude merged in); None if it is."""
    return next(_outside(turn, schema, limits or Limits()), None)


def _outside(turn: Turn, schema: Schema, limits: Limits) -> Iterator[str]:
    for act in turn.acts:
        if act.named or any(not (isinstance(a, Lit) and a.kind == "path") for a in act.args):
            yield "an act about more than fields"
        if not limits.lints and (turn.speaker, act.name) not in schema.act:
            yield f"the undeclared act {act.name}"
    bound = [s.let for s in turn.statements if s.let is not None]
    if len(bound) > limits.lets or tuple(bound) != VARIABLES[: len(bound)]:
        yield "a variable by another name, or one too many"
    relations = {s.let for s in turn.statements if s.let is not None and _is_query(s.term, schema)}
    for statement in turn.statements:
        yield from _statement(statement, schema, limits)
        for term in subterms(statement.term):
            shown = term.named if isinstance(term, App) and term.fn == "show" else ()
            if any(_is_one_of(over, relations) for _, over in shown):
                yield "a relation as a shown item"


def _is_query(term: Term, schema: Schema) -> bool:
    return isinstance(term, App) and (term.fn in _STAGES or term.fn in schema.table)


def _is_one_of(over: Term, names: set[str]) -> bool:
    """Whether an item is one of some variables, and not a row of that name."""
    return isinstance(over, Abs) and isinstance(over.body, Var) and over.body.name in names.difference(over.params)


def _statement(statement: Statement, schema: Schema, limits: Limits) -> Iterator[str]:
    term = statement.term
    if statement.let is not None and statement.outcome is not None:
        yield "an outcome of what is bound"
    if statement.let is not None and _is_action(term, schema):
        yield "an action that is bound"
    if not (isinstance(term, Var | App) or (isinstance(term, Field) and isinstance(term.subject, App))):
        yield "a statement that is no query or call"
    if isinstance(term, App) and (term.fn in _ARITHMETIC or term.fn in _CONDITIONS or term.fn in ("the", "list")):
        yield "a statement that is no query or call"
    if isinstance(term, App) and not term.args and term.fn in schema.enums_of_member and statement.let is None:
        yield "a statement that is no query or call"
    function = schema.function.get(term.fn) if isinstance(term, App) else None
    if isinstance(term, App) and function is not None and not function.action and not _decided(term, schema):
        yield "a call whose type nothing in it shows"
    if statement.outcome is not None:
        yield from _outcome(statement.outcome, term, schema)
    yield from _term(term, schema, limits)


def _outcome(outcome: Outcome, of: Term, schema: Schema) -> Iterator[str]:
    declared = _declared(of, schema)
    for record in outcome.results:
        for label, value in record.fields:
            if isinstance(value, Record | Abs | Ascribe | Var) or _is_action(value, schema):
                yield "a result that is no constant"
            if isinstance(value, App) and value.fn in _CONDITIONS | _AGGREGATES:
                yield "a result that is no constant"
            if label not in declared and not _is_decided(label, value, schema):
                yield "a field of a result that nothing here declares, of a type that nothing shows"
    if outcome.count is not None and not isinstance(outcome.count, Lit | Hole):
        yield "a count that is no number"


def _declared(of: Term, schema: Schema) -> set[str]:
    """Fields that a statement's tables, calls and shown items declare."""
    found: set[str] = set()
    for term in subterms(of):
        if isinstance(term, App):
            found |= {label for label, _ in term.named}
            found |= {column.name for column in schema.table[term.fn].columns} if term.fn in schema.table else set()
            function = schema.function.get(term.fn)
            if function is not None:
                found |= function.labelled.keys()
                found |= dict(function.result.fields).keys() if isinstance(function.result, RecordType) else set()
    return found


def _is_decided(label: str, value: Term, schema: Schema) -> bool:
    """Whether a value shows its type, and a field declared elsewhere has one type wherever it is."""
    types = set(label_types(schema).get(label, ()))
    if isinstance(value, App) and not value.args and value.fn in schema.enums_of_member:
        types |= {Con(enum.name) for enum in schema.enums_of_member[value.fn]}
    return len(types) < 2 and _shows_type(value, schema, plain=False)


def _term(term: Term, schema: Schema, limits: Limits) -> Iterator[str]:
    match term:
        case Apply() | Ascribe() | Record():
            yield f"{type(term).__name__.lower()} as a value"
        case Abs("fn"):
            yield "lambda"
        case Field(Field(Field()), _):
            yield "a field of a field of a field"
        case App("negate_number"):
            yield "a sign before what is no literal"
        case App(fn, args, _, targs):
            if targs:
                yield "a type argument"
            yield from _applied(term, fn, args, schema, limits)
    for child in children(term):
        if not isinstance(term, Abs) and _is_action(child, schema):
            yield "an action as a value"
        yield from _term(child, schema, limits)


def _applied(term: App, fn: str, args: tuple[Term, ...], schema: Schema, limits: Limits) -> Iterator[str]:
    if fn in _LEFT and not _shows_type(args[0], schema, plain=True):
        yield f"a left side of {fn} that does not show its type"
    if fn == "not" and _too_negated(term, limits):
        yield "more negations than there may be"
    if fn in ("and", "or", "not"):
        for arg in args:
            if not _is_condition(arg, schema):
                yield "a condition that is no comparison, field or call"
    if fn in _ARITHMETIC:
        yield from _sum(term, schema)
        if _operators(term) > limits.operators:
            yield "a chain of more operators than there may be"
    if fn == "where" and isinstance(args[1], Abs) and not _is_condition(args[1].body, schema):
        yield "a condition that is no comparison, field or call"
    if fn in _JOINS and len(args) > 2 and isinstance(args[2], Abs) and not _is_condition(args[2].body, schema):
        yield "a condition that is no comparison, field or call"
    if fn == "sort":
        for key in args[1:]:
            if isinstance(key, Abs) and isinstance(key.body, App) and not _shows_type(key.body.args[0], schema, True):
                yield "a key of sort that does not show its type"
    if fn == "group" and any(not (isinstance(k, Abs) and _own_field(k.body)) for k in args[1:]):
        yield "a key of group that is no field"
    if fn == "show":
        yield from _show(term, schema)
    if fn in ("where", "sort", "show") and not _is_grouped(args[0]):
        if any(_picks(body) for body in (*args[1:], *(over for _, over in term.named))):
            yield "pick outside a group"
    if fn in ("take", "at") and any(not isinstance(a, Lit | Hole) for a in args[1:]):
        yield "a number of rows that is no number"
    if fn == "then" and not (isinstance(args[1], Abs) and _is_action(args[1].body, schema)):
        yield "a chain to what is no action"
    if fn == "as" and isinstance(args[1], Lit):
        yield from _alias(args[0], args[1].value, schema, limits)
    if fn in schema.function and not schema.function[fn].action and not _decided(term, schema, True):
        yield "a call whose type nothing in it shows"
    if any(_hides_type(arg, schema) for arg in _composite(term, schema)):
        yield "a value of no known type that a list or specification takes its type from"
    if fn == "list" and any(isinstance(a, App) and a.fn in _CONDITIONS for a in args):
        yield "a condition in a list"


def _composite(term: App, schema: Schema) -> Iterator[Term]:
    """Arguments for which a list, a specification or a reference is wanted."""
    if term.fn in ("in", "not_in"):
        yield term.args[1]
    if term.fn in schema.function:
        for parameter, arg in zip(schema.function[term.fn].positional, term.args, strict=False):
            if parts(parameter.type):
                yield arg


def _hides_type(term: Term, schema: Schema) -> bool:
    """Whether a call's type variable is decided by an argument of no known type (`if_else(c, untyped(x), y)`)."""
    if not isinstance(term, App) or term.fn not in schema.function or not schema.function[term.fn].tparams:
        return False
    for parameter, arg in zip(schema.function[term.fn].positional, term.args, strict=False):
        if isinstance(parameter.type, Param):
            dynamic = isinstance(arg, App) and arg.fn in schema.function and schema.function[arg.fn].result == DYNAMIC
            if dynamic or _hides_type(arg, schema):
                return schema.function[term.fn].result != DYNAMIC
    return False


def _own_field(term: Term) -> bool:
    return isinstance(term, Field) and isinstance(term.subject, Var)


def _is_action(term: Term, schema: Schema) -> bool:
    return isinstance(term, App) and term.fn in schema.function and schema.function[term.fn].action


def _alias(named: Term, alias: str, schema: Schema, limits: Limits) -> Iterator[str]:
    own = named.fn if isinstance(named, App) and not named.args else ""
    numbered = own and alias in {f"{own}{n}" for n in range(2, limits.rows + 1)}
    letter = len(alias) == 1 or (len(alias) == 2 and alias[0] in "tT" and alias[1] in "123456789")
    known = alias in schema.table or alias in schema.function or alias in schema.enums_of_member
    if not (letter or numbered) or alias == own or known:
        yield "a name for rows that is neither their own with a number nor a letter"


def _is_grouped(rows: Term) -> bool:
    while isinstance(rows, App) and rows.fn in ("where", "sort", "take", "at", "distinct", "as"):
        rows = rows.args[0]
    return isinstance(rows, App) and rows.fn in ("group", "whole")


def _picks(term: Term) -> bool:
    """Whether there is a `pick` in a term, queries inside it left out."""
    if isinstance(term, App) and (term.fn == "pick" or term.fn in _STAGES):
        return term.fn == "pick"
    return any(_picks(child) for child in children(term))


def _show(term: App, schema: Schema) -> Iterator[str]:
    taken: set[str] = set()
    for label, over in term.named:
        if not isinstance(over, Abs):
            continue
        if label != fresh_label(default_label(over.body), taken):
            yield "a label that is not the one implied"
        taken.add(label)
        if over.body in _EVERY_COLUMN:
            continue
        if not _shows_type(over.body, schema, plain=True):
            yield "a shown item that does not show its type"
        if isinstance(over.body, App) and over.body.fn == "pick" and not isinstance(over.body.args[0], Field):
            yield "pick of what is no field, shown"


def _is_condition(term: Term, schema: Schema) -> bool:
    if isinstance(term, App) and term.fn in _CONDITIONS:
        return True
    return _shows_type(term, schema, plain=True) and not (isinstance(term, App) and term.fn in _ARITHMETIC)


def _sum(term: App, schema: Schema) -> Iterator[str]:
    """Every operand shows its type, but for a placeholder that literals are added to."""
    left, right = term.args
    if (isinstance(right, Hole | Entity) and right.type is None) or not _shows_type(right, schema, plain=False):
        yield "an operand that does not show its type"
    first = left
    while isinstance(first, App) and first.fn in ("+", "-"):
        first = first.args[0]
    if isinstance(first, Hole) and first.type is None and term.fn in ("+", "-"):
        if isinstance(right, App) and right.fn in _ARITHMETIC:
            yield "a placeholder beside a product"
        return
    if not _shows_type(left, schema, plain=False):
        yield "an operand that does not show its type"


def _too_negated(term: Term, limits: Limits) -> bool:
    """Whether more `not` stand before a condition than may; before a chain in parentheses one may."""
    count = 0
    while isinstance(term, App) and term.fn == "not":
        term, count = term.args[0], count + 1
    return count > (1 if isinstance(term, App) and term.fn in ("and", "or") else limits.negations)


def _operators(term: Term) -> int:
    """Operators of a chain as it is printed, those in its parentheses not counted."""
    if not (isinstance(term, App) and term.fn in _ARITHMETIC):
        return 0
    left, right = term.args
    if term.fn in _SIGNS:
        return 1 + _operators(left) + (0 if _is_sum(right) else _operators(right))
    return 1 + (0 if _is_sum(left) else _operators(left))


def _is_sum(term: Term) -> bool:
    return isinstance(term, App) and term.fn in _SIGNS


def _shows_type(term: Term, schema: Schema, plain: bool) -> bool:
    """Whether a term has its type whatever is around it. plain: constants do not count, unless added to something."""
    match term:
        case Field(subject, _):
            return not isinstance(subject, App) or _shows_type(subject, schema, plain)
        case Var():
            return True
        case Lit(kind):
            return not plain and kind != "raw"
        case Hole(_, type_) | Entity(_, _, type_):
            return not plain and type_ is not None
        case App("list", items):
            return not plain and bool(items) and _shows_type(items[0], schema, False)
        case App("the"):
            return not plain
        case App(fn, args):
            if fn in _ARITHMETIC:
                return _shows_type(args[0], schema, plain) and _shows_type(args[1], schema, False)
            if fn in _AGGREGATES:
                return all(_shows_type(a, schema, plain=True) for a in args)
            if fn in schema.function:
                return not schema.function[fn].action and _decided(term, schema)
            if not plain and not args and fn in schema.enums_of_member:
                return len(schema.enums_of_member[fn]) == 1 and fn not in schema.table
    return False


def _decided(term: App, schema: Schema, known: bool = False) -> bool:
    """Whether a call's arguments show every type variable (known: those of its result are decided outside)."""
    function = schema.function[term.fn]
    shown = {n for n, _ in function.tparams if known and mentions(function.result, n)}
    for parameter, arg in zip(function.positional, term.args, strict=False):
        new = {n for n, _ in function.tparams if mentions(parameter.type, n)} - shown
        shown |= new
        if new and not _shows_type(arg, schema, plain=False):
            return False
    return all(name in shown for name, _ in function.tparams)


__all__ = ["outside"]
