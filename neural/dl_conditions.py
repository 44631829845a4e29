"""Conditions of DL: comparisons, membership, marks, connectives, with parentheses exactly where the printer puts them."""

from dataclasses import dataclass
from functools import cache

from ..compiler.classes import has_class
from ..compiler.expected import ground_types
from ..compiler.types import BOOL, DATE, DATETIME, DURATION, INT, MONEY, NUMBER, TEXT, TIME, Con, Constraint, Type, list_of
from .dl_context import Context, Dl
from .dl_values import can_write, has_plain, plain, value
from .net import Part


@dataclass(frozen=True, slots=True)
class Ends:
    """States where a condition may end: after one comparison, a chain of `and`, a chain with `or`."""

    one: tuple[int, ...]
    conjunction: tuple[int, ...]
    disjunction: tuple[int, ...]

    @property
    def any(self) -> tuple[int, ...]:
        """All of them."""
        return self.one + self.conjunction + self.disjunction


def condition(dl: Dl, part: Part, start: int, context: Context) -> Ends:
    """Draw a condition from `start`. Operands are plain (a comparison, a negation), or a chain in parentheses:
    of `and` only beside `and`, of `or` beside either."""
    first = _operand(dl, part, start, context)
    conjunct, and_end = part.new(), part.new()
    _connect(part, first, " and ", conjunct)
    for state in _operand(dl, part, conjunct, context):
        part.join(state, and_end)
    part.text(and_end, " and ", conjunct)
    disjunct, or_end = part.new(), part.new()
    one, _, other = first
    for state in (one, other, and_end):
        part.text(state, " or ", disjunct)
    second = _operand(dl, part, disjunct, context)
    part.join(second[0], or_end)
    part.join(second[2], or_end)
    part.text(or_end, " or ", disjunct)
    inner = part.new()
    _connect(part, second, " and ", inner)
    mixed = part.new()
    for state in _operand(dl, part, inner, context):
        part.join(state, mixed)
    part.text(mixed, " and ", inner)
    part.text(mixed, " or ", disjunct)
    return Ends((one,), (and_end,), (or_end, mixed))


def _connect(part: Part, states: tuple[int, ...], word: str, target: int) -> None:
    for state in states:
        part.text(state, word, target)


def _operand(dl: Dl, part: Part, start: int, context: Context) -> tuple[int, int, int]:
    """States after an operand: a plain one, `and` in parentheses, `or` in parentheses."""
    done, ands, ors = part.new(), part.new(), part.new()
    _comparison(dl, part, start, context, done)
    # As deep in calls as the name of a function that a comparison may begin with.
    negated = dl.words.word(part, start, "not ", depth=3)
    _comparison(dl, part, negated, context, done)
    conjunction, disjunction = _chains(dl, context)
    inside = part.text(start, "(")
    part.text(part.call(inside, conjunction), ")", ands)
    part.text(part.call(inside, disjunction), ")", ors)
    inside = part.text(negated, "(")
    part.text(part.call(inside, conjunction), ")", done)
    part.text(part.call(inside, disjunction), ")", done)
    return done, ands, ors


def _chains(dl: Dl, context: Context) -> tuple[int, int]:
    """Procedures of what stands in parentheses: a chain of `and`, a chain with `or`. Both are drawn alike; which of
    them it was is known at the closing parenthesis."""

    def build(which: int) -> "callable":  # type: ignore[valid-type]
        def draw(part: Part) -> None:
            ends = condition(dl, part, part.start, context)
            for state in (ends.conjunction, ends.disjunction)[which]:
                part.end(state)

        return draw

    conjunction = dl.net.procedure(("and chain", context), build(0))
    disjunction = dl.net.procedure(("or chain", context), build(1))
    return conjunction, disjunction


def comparable(dl: Dl, context: Context) -> tuple[Type, ...]:
    """Types that something left of a comparison may have here."""
    return _comparable(dl, context)


@cache
def _comparable(dl: Dl, context: Context) -> tuple[Type, ...]:
    from .dl_context import fields

    types = dict.fromkeys((*(t for _, _, t in fields(dl, context)), *(f.result for f in dl.schema.functions)))
    if context.keys is not None:
        types |= dict.fromkeys(t for _, _, t in fields(dl, context.ungrouped()))
    types |= dict.fromkeys(ground_types(dl.schema))
    types |= dict.fromkeys(row.type for row in context.rows if row.binder == "it" and row.type is not None)
    return tuple(t for t in types if isinstance(t, Con) and _known(t) and has_plain(dl, t, context))


def _known(type_: Type) -> bool:
    from ..compiler.types import Param, parts

    return not isinstance(type_, Param) and all(_known(part) for part in parts(type_))


def _comparison(dl: Dl, part: Part, start: int, context: Context, done: int) -> None:
    """A comparison is a procedure; what may be added to its right side is read outside it, since a space follows
    both. Which types the right side can have is known from which procedures ended."""
    types = comparable(dl, context)

    def closed(body: Part) -> None:
        end = body.new()
        body.end(end)
        for type_ in types:
            after = body.call(body.start, plain(dl, type_, context))
            if type_ == BOOL:
                body.join(after, end)
            _tail(dl, body, after, type_, context, end, type_ not in _UNITS)

    part.call(start, dl.net.procedure(("comparison", context), closed), done)
    for type_ in types:
        if type_ in _UNITS:
            part.join(_added(dl, part, part.call(start, _open(dl, type_, context)), type_), done)


def _open(dl: Dl, type_: Type, context: Context) -> int:
    """Comparisons whose right side is of a type that literals can be added to."""

    def build(body: Part) -> None:
        right, end = body.new(), body.new()
        operators = (" = ", " != ", *((" < ", " <= ", " > ", " >= ") if _is(dl, type_, "Ord") else ()))
        body.words(body.call(body.start, plain(dl, type_, context)), operators, right)
        body.call(right, value(dl, type_, context), end)
        body.end(end)

    return dl.net.procedure(("open comparison", type_, context), build)


def _added(dl: Dl, part: Part, at: int, type_: Type) -> int:
    """Literals added or taken away after a right side."""
    done = part.new()
    part.join(at, done)
    for _ in range(dl.limits.operands - 1):
        right = part.new()
        part.words(at, (" + ", " - "), right)
        at = part.new()
        for unit in _UNITS[type_]:
            for literal in dl.words.literals(unit):
                part.call(right, literal, at)
        part.join(at, done)
    return done


def _is(dl: Dl, type_: Type, cls: str) -> bool:
    return has_class(dl.schema, type_, Constraint(cls))


def _tail(dl: Dl, part: Part, after: int, type_: Type, context: Context, done: int, compared: bool) -> None:
    equal, ordered, matched = _is(dl, type_, "Eq"), _is(dl, type_, "Ord"), _is(dl, type_, "Match")
    if compared and can_write(dl, type_, context) and (equal or ordered):
        operators = ((" = ", " != ") if equal else ()) + ((" < ", " <= ", " > ", " >= ") if ordered else ())
        right = part.new()
        part.words(after, operators, right)
        part.call(right, value(dl, type_, context), done)
    if matched:
        right = part.new()
        part.words(after, (" ~ ", " !~ ", " like ", " not like "), right)
        part.call(right, value(dl, TEXT, context), done)
    if equal:
        member = part.new()
        part.words(after, (" in ", " not in "), member)
        _members(dl, part, member, type_, context, done, ordered)
    said = part.text(after, " is ")
    marks = dl.words.names("is", ("any", "none", "missing", "not missing"))
    part.call(said, value(dl, Con("Spec", (type_,)), context, False, marks), done)


def _members(dl: Dl, part: Part, member: int, type_: Type, context: Context, done: int, ordered: bool) -> None:
    items = list_of(type_)
    listed = part.call(member, value(dl, items, context, False))
    part.join(listed, done)
    if context.depth < dl.limits.nesting:
        from .dl_queries import subquery

        inner = part.call(part.text(member, "("), subquery(dl, context, (type_,)))
        part.text(inner, ")", done)
    if ordered and can_write(dl, type_, context):
        low = part.call(member, value(dl, type_, context))
        part.call(part.text(low, " .. "), value(dl, type_, context), done)


_UNITS: dict[Type, tuple[Type, ...]] = {TIME: (DURATION,), DATE: (DURATION,), DATETIME: (DURATION,)}
_UNITS |= {t: (t,) for t in (NUMBER, INT, MONEY, DURATION)}
