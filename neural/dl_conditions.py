"""Conditions of DL: comparisons, membership, marks, connectives, with parentheses exactly where the printer puts them."""

from collections.abc import Callable
from dataclasses import dataclass

from ..compiler.classes import coercible, has_class
from ..compiler.expected import ground_types
from ..compiler.types import (
    BOOL,
    DATE,
    DATETIME,
    DURATION,
    INT,
    MONEY,
    NUMBER,
    TEXT,
    TIME,
    Con,
    Constraint,
    Type,
    list_of,
)
from .dl_context import Context, Dl, fields
from .dl_values import can_write, has_plain, plain, short_plain, short_value, value
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
    and_end, or_end, mixed = part.new(), part.new(), part.new()

    def more(into: int) -> Callable[[int], None]:
        def draw(state: int) -> None:
            for done in _operand(dl, part, state, context):
                part.join(done, into)

        return draw

    def other(state: int) -> None:
        one, both, either = _operand(dl, part, state, context)
        part.join(one, or_end)
        part.join(either, or_end)
        _connect(part, (one, both, either), " and ", inner)

    conjunct, disjunct, inner = part.lazy(more(and_end)), part.lazy(other), part.lazy(more(mixed))
    _connect(part, first, " and ", conjunct)
    _connect(part, (first[0], first[2], and_end), " or ", disjunct)
    part.text(and_end, " and ", conjunct)
    part.text(or_end, " or ", disjunct)
    part.text(mixed, " and ", inner)
    part.text(mixed, " or ", disjunct)
    return Ends((first[0],), (and_end,), (or_end, mixed))


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

    def build(which: int) -> Callable[[Part], None]:
        def draw(part: Part) -> None:
            ends = condition(dl, part, part.start, context)
            for state in (ends.conjunction, ends.disjunction)[which]:
                part.end(state)

        return draw

    def short(word: bytes) -> Callable[[], bytes | None]:
        one = short_condition(dl, context)
        return lambda: one + word + one if one is not None else None

    conjunction = dl.net.procedure(("and chain", context), build(0), short(b" and "))
    disjunction = dl.net.procedure(("or chain", context), build(1), short(b" or "))
    return conjunction, disjunction


def comparable(dl: Dl, context: Context) -> tuple[Type, ...]:
    """Types that something left of a comparison may have here."""
    found = dl.memo.get(("comparable", context))
    if found is None:
        found = dl.memo["comparable", context] = _comparable(dl, context)
    return found


def _comparable(dl: Dl, context: Context) -> tuple[Type, ...]:
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
            if type_ != BOOL:
                after = body.call(body.start, plain(dl, type_, context))
                body.call(after, _tail(dl, type_, context), end)

    part.call(start, dl.net.procedure(("comparison", context), closed, lambda: short_comparison(dl, context)), done)
    for type_ in types:
        if type_ in _UNITS:
            part.call(start, _open(dl, type_, context, None), done)
            for source in (type_, *(s for s in _UNITS if s != type_ and coercible(dl.schema, s, type_))):
                if source == type_ or _firm(dl, source, context):
                    summed = part.call(start, _open(dl, type_, context, source))
                    part.join(_added(dl, part, summed, source), done)
    if BOOL in types:
        # A field that is a Bool is a condition already; what follows it is read here, beside `and` and `or`.
        bare = dl.net.procedure(
            ("bare", context), lambda body: body.end(body.call(body.start, plain(dl, BOOL, context)))
        )
        after = part.call(start, bare)
        part.join(after, done)
        _draw_tail(dl, part, after, BOOL, context, done)


def _open(dl: Dl, type_: Type, context: Context, source: Type | None) -> int:
    """Comparisons whose right side is of a type that literals can be added to: any value that fits (`source` None,
    nothing is added), or one of type `source`. What is coerced is the sum, not its first operand: `4L + 1` has no
    type. So a source that is coerced must show its type."""
    if source is None:
        right_side = value(dl, type_, context)
    else:
        right_side = value(dl, source, context, False, firm=source != type_)

    def tail(body: Part) -> None:
        right, end = body.new(), body.new()
        operators = (" = ", " != ", *((" < ", " <= ", " > ", " >= ") if _is(dl, type_, "Ord") else ()))
        body.words(body.start, operators, right)
        body.call(right, right_side, end)
        body.end(end)

    def build(body: Part) -> None:
        after = body.call(body.start, plain(dl, type_, context))
        body.end(body.call(after, dl.net.procedure(("open tail", type_, context, source), tail)))

    def short() -> bytes | None:
        left = short_plain(dl, type_, context)
        given = short_value(dl, type_) if source in (None, type_) else None
        return left + b" = " + given if left is not None and given is not None else None

    return dl.net.procedure(("open comparison", type_, context, source), build, short)


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


def short_tail(dl: Dl, type_: Type) -> bytes:
    """A short end of a comparison."""
    given = short_value(dl, type_)
    return b" = " + given if _is(dl, type_, "Eq") and given is not None and type_ not in _UNITS else b" is any"


def short_comparison(dl: Dl, context: Context) -> bytes | None:
    """A short comparison, its left side no Bool."""
    lefts = [(short_plain(dl, t, context), t) for t in comparable(dl, context) if t != BOOL]
    return min((left + short_tail(dl, t) for left, t in lefts if left is not None), key=len, default=None)


def short_condition(dl: Dl, context: Context) -> bytes | None:
    """A short condition; None if nothing can be compared."""
    bare = short_plain(dl, BOOL, context) if BOOL in comparable(dl, context) else None
    return min((c for c in (bare, short_comparison(dl, context)) if c is not None), key=len, default=None)


def _is(dl: Dl, type_: Type, cls: str) -> bool:
    return has_class(dl.schema, type_, Constraint(cls))


def _tail(dl: Dl, type_: Type, context: Context) -> int:
    """What comes after something of a type on the left: an operator and a right side, or a mark."""

    def build(part: Part) -> None:
        end = part.new()
        part.end(end)
        _draw_tail(dl, part, part.start, type_, context, end)

    return dl.net.procedure(("tail", type_, context), build, lambda: short_tail(dl, type_))


def _draw_tail(dl: Dl, part: Part, after: int, type_: Type, context: Context, done: int) -> None:
    compared = type_ not in _UNITS
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
    from .dl_queries import can_show, subquery

    if context.depth < dl.limits.nesting and can_show(dl, (type_,)):
        inner = part.call(part.text(member, "("), subquery(dl, context, (type_,)))
        part.text(inner, ")", done)
    if ordered and _firm(dl, type_, context):
        low = part.call(member, value(dl, type_, context, firm=True))
        part.call(part.text(low, " .. "), value(dl, type_, context), done)


def _firm(dl: Dl, type_: Type, context: Context) -> bool:
    named = isinstance(type_, Con) and (type_.name in dl.schema.enum or type_ == TEXT)
    return named or bool(dl.words.literals(type_)) or any(t == type_ for _, _, t in fields(dl, context))


_UNITS: dict[Type, tuple[Type, ...]] = {TIME: (DURATION,), DATE: (DURATION,), DATETIME: (DURATION,)}
_UNITS |= {t: (t,) for t in (NUMBER, INT, MONEY, DURATION)}
