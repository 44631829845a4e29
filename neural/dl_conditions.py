"""Conditions of DL: comparisons, membership, marks, connectives, with parentheses exactly where the printer puts them.

A condition is drawn where it stands: after its left side comes a space, then an operator or whatever follows the
condition, and only one reader can read that space. Chains in parentheses are procedures.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..compiler.classes import has_class
from ..compiler.expected import ground_types
from ..compiler.types import BOOL, DYNAMIC, TEXT, Con, Constraint, Param, Type, list_of, parts
from .dl_context import Context, Dl, fields
from .dl_sums import Sums, expression, leads
from .dl_values import above, below, can_write, deep, has_plain, is_in, operand, short, short_plain, subject_of
from .net import Part

Spot = tuple[int, int]
"""Where something has ended: right after it, and after the space that follows it."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a condition may end: after one comparison, a chain of `and`, a chain with `or`."""

    one: Spot
    conjunction: Spot
    disjunction: Spot

    @property
    def any(self) -> tuple[Spot, ...]:
        """All of them."""
        return (self.one, self.conjunction, self.disjunction)


def condition(dl: Dl, part: Part, start: int, context: Context, constants: bool = False) -> Ends:
    """Draw a condition from `start`. Operands are plain (a comparison, a negation), or a chain in parentheses:
    of `and` only beside `and`, of `or` beside either. constants: it may be nothing but a constant."""
    first = _operand(dl, part, start, context)
    if constants:
        part.call(start, operand(dl, BOOL, context, "fit"), first[0][0])
    and_end, or_end, mixed = _spot(part), _spot(part), _spot(part)

    def more(into: Spot) -> Callable[[int], None]:
        def draw(state: int) -> None:
            for spot in _operand(dl, part, state, context):
                _meet(part, spot, into)

        return draw

    def other(state: int) -> None:
        one, both, either = _operand(dl, part, state, context)
        _meet(part, one, or_end)
        _meet(part, either, or_end)
        _connect(part, (one, both, either), "and ", inner)

    conjunct, disjunct, inner = part.lazy(more(and_end)), part.lazy(other), part.lazy(more(mixed))
    _connect(part, first, "and ", conjunct)
    _connect(part, (first[0], first[2], and_end), "or ", disjunct)
    _connect(part, (and_end,), "and ", conjunct)
    _connect(part, (or_end, mixed), "or ", disjunct)
    _connect(part, (mixed,), "and ", inner)
    either_end = _spot(part)
    _meet(part, or_end, either_end)
    _meet(part, mixed, either_end)
    return Ends(first[0], and_end, either_end)


def _spot(part: Part) -> Spot:
    return part.new(), part.new()


def _meet(part: Part, spot: Spot, into: Spot) -> None:
    part.join(spot[0], into[0])
    part.join(spot[1], into[1])


def _connect(part: Part, spots: tuple[Spot, ...], word: str, target: int) -> None:
    for _, spaced in spots:
        part.text(spaced, word, target)


def _operand(dl: Dl, part: Part, start: int, context: Context) -> tuple[Spot, Spot, Spot]:
    """Spots after an operand: a plain one, `and` in parentheses, `or` in parentheses."""
    done, ands, ors = _spot(part), _spot(part), _spot(part)
    _comparison(dl, part, start, context, done)
    chains = _chains(dl, context)

    def parenthesized(source: int, spots: tuple[Spot, Spot]) -> None:
        inside = part.text(source, "(")
        for chain, spot in zip(chains, spots, strict=True):
            _close(part, part.text(part.call(inside, chain), ")"), spot)

    def negated(state: int) -> None:
        part.call(state, deep(dl, "not", ("not ",)), state)
        _comparison(dl, part, state, context, done)
        parenthesized(state, (done, done))

    part.call(start, deep(dl, "not", ("not ",)), part.lazy(negated))
    parenthesized(start, (ands, ors))
    return done, ands, ors


def _close(part: Part, after: int, spot: Spot) -> None:
    part.join(after, spot[0])
    part.text(after, " ", spot[1])


def _chains(dl: Dl, context: Context) -> tuple[int, int]:
    """Procedures of what stands in parentheses: a chain of `and`, a chain with `or`. Both are drawn alike; which of
    them it was is known at the closing parenthesis."""

    def build(which: int) -> Callable[[Part], None]:
        def draw(part: Part) -> None:
            ends = condition(dl, part, part.start, context)
            part.end((ends.conjunction, ends.disjunction)[which][0])

        return draw

    def text(word: bytes) -> Callable[[], bytes | None]:
        one = short_condition(dl, context)
        return lambda: one + word + one if one is not None else None

    conjunction = dl.net.procedure(("and chain", context), build(0), text(b" and "))
    disjunction = dl.net.procedure(("or chain", context), build(1), text(b" or "))
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
    types |= dict.fromkeys(row.type for row in context.rows if row.type is not None)
    types |= dict.fromkeys(t for _, t in context.bound)
    return tuple(t for t in types if isinstance(t, Con) and _known(t) and has_plain(dl, t, context))


def _known(type_: Type) -> bool:
    if isinstance(type_, Con) and type_.name in ("Rel", "Groups", "Action"):
        return False
    return not isinstance(type_, Param) and all(_known(part) for part in parts(type_))


def _comparison(dl: Dl, part: Part, start: int, context: Context, done: Spot) -> None:
    """A left side by its type, then what may follow it. A Bool is a condition already."""
    from .dl_queries import subquery

    tails: dict[tuple[Type, bool], int] = {}

    def tail(type_: Type, marked: bool = True) -> int:
        key = (type_, marked)
        if key not in tails:
            tails[key] = part.lazy(lambda state: _tail(dl, part, state, type_, context, done, marked))
        return tails[key]

    types = comparable(dl, context)
    subject = subject_of(context)
    for type_ in types:
        lefts = [(operand(dl, type_, context, "left"), True)]
        if subject == type_:
            # What is said of the subject with `is` is written without it.
            lefts.append((deep(dl, "it", ("it",)), False))
        for left, marked in lefts:
            after = part.call(start, left)
            part.text(after, " ", tail(type_, marked))
            if type_ == BOOL:
                _close(part, after, done)
    goals = frozenset(t for t in types if leads((None, "", t), frozenset((t,)), True))
    if goals:
        # What a chain gives is compared; nothing else may follow it.
        nowhere = part.new()
        Sums(dl, part, context, goals, lambda found: (nowhere, tail(found))).begin(start, "plain")
    if context.depth < dl.limits.nesting:
        inner = part.call(
            part.call(start, deep(dl, "exists", ("exists (",))), subquery(dl, context.inside(), None, True)
        )
        _close(part, part.text(inner, ")"), done)
    if subject is not None:
        said = part.call(start, deep(dl, "is", ("is ",)))
        part.join(said, part.lazy(lambda state: _is(dl, part, state, subject, context, done)))


def _tail(dl: Dl, part: Part, after: int, type_: Type, context: Context, done: Spot, marked: bool) -> None:
    """After something of a type and a space: an operator and a right side, or a mark."""
    equal, ordered, matched = is_in(dl, type_, "Eq"), is_in(dl, type_, "Ord"), is_in(dl, type_, "Match")
    if can_write(dl, type_, context) and (equal or ordered):
        operators = (("= ", "!= ") if equal else ()) + (("< ", "<= ", "> ", ">= ") if ordered else ())
        right = part.new()
        part.words(after, operators, right)
        expression(dl, part, right, type_, context, "fit", *done)
        for wider in above(dl, type_):
            expression(dl, part, right, wider, context, "shown", *done)
    if matched:
        right = part.new()
        part.words(after, ("~ ", "!~ ", "like ", "not like "), right)
        expression(dl, part, right, TEXT, context, "fit", *done)
    if equal:
        member = part.new()
        part.words(after, ("in ", "not in "), member)
        _members(dl, part, member, type_, context, done, ordered)
    if marked:
        part.join(part.text(after, "is "), part.lazy(lambda state: _is(dl, part, state, type_, context, done)))


def _is(dl: Dl, part: Part, said: int, type_: Type, context: Context, done: Spot) -> None:
    wanted = operand(dl, Con("Spec", (type_,)), context, "exact")
    for procedure in (deep(dl, "is what", ("any", "none", "missing", "not missing")), wanted):
        _close(part, part.call(said, procedure), done)


def _members(dl: Dl, part: Part, member: int, type_: Type, context: Context, done: Spot, ordered: bool) -> None:
    from .dl_queries import Goal, can_reach, subquery

    for item in (type_, *below(dl, type_)):
        _close(part, part.call(member, operand(dl, list_of(item), context, "exact")), done)
        goal = Goal((item,))
        if context.depth < dl.limits.nesting and can_reach(dl, goal):
            inner = part.call(part.text(member, "("), subquery(dl, context.inside(), goal))
            _close(part, part.text(inner, ")"), done)
    if ordered:
        low, right, nowhere = part.new(), part.new(), part.new()
        expression(dl, part, member, type_, context, "fit", nowhere, low, queries=False)
        part.text(low, ".. ", right)
        expression(dl, part, right, type_, context, "fit", *done)


# ---------------------------------------------------------------- short texts, for finishing


def short_tail(dl: Dl, type_: Type, context: Context) -> bytes:
    """A short end of a comparison."""
    given = short(dl, type_, context, "fit")
    return b" = " + given if is_in(dl, type_, "Eq") and given is not None else b" is any"


def short_comparison(dl: Dl, context: Context) -> bytes | None:
    """A short comparison, its left side no Bool."""
    lefts = [(short_plain(dl, t, context, False), t) for t in comparable(dl, context) if t != BOOL]
    texts = [left + short_tail(dl, t, context) for left, t in lefts if left is not None]
    if subject_of(context) is not None:
        texts.append(b"is any")
    return min(texts, key=len, default=None)


def short_condition(dl: Dl, context: Context) -> bytes | None:
    """A short condition; None if nothing can be compared."""
    key = ("short condition", context)
    if key not in dl.memo:
        bare = short_plain(dl, BOOL, context, False) if BOOL in comparable(dl, context) else None
        options = [c for c in (bare, short_comparison(dl, context)) if c is not None]
        dl.memo[key] = min(options, key=len, default=None)
    return dl.memo[key]  # type: ignore[no-any-return]


__all__ = ["DYNAMIC", "Constraint", "Ends", "Spot", "comparable", "condition", "has_class", "short_condition"]
