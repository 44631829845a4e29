"""Conditions of DL: comparisons, membership, marks, connectives, with parentheses exactly where the printer puts them.

A condition is drawn where it stands: after its left side comes a space, then an operator or whatever follows the
condition, and only one reader can read that space. Chains in parentheses are procedures.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..compiler.classes import has_class
from ..compiler.types import BOOL, DYNAMIC, NUMBER, TEXT, Con, Constraint, Type, list_of
from .dl_aggregates import aggregate_of
from .dl_calls import all_calls, each_call, is_value
from .dl_context import NOWHERE, Context, Dl, named
from .dl_instances import above, below, can_write, is_in
from .dl_short import short, short_own, shortest_call, subject_of
from .dl_sums import CHAINED, Sums, expression
from .dl_values import operand
from .net import NEVER, Count, Part, Short

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


Rest = Callable[[], bytes | None]
"""Gives a short text from where a condition ends to the end of the procedure it is drawn in; None if it knows none."""


def _plus(before: bytes | None, rest: Rest) -> bytes | None:
    after = rest() if before is not None else None
    return before + after if before is not None and after is not None else None


def condition(
    dl: Dl, part: Part, start: int, context: Context, rest: Rest, constants: bool = False, either: Part | None = None
) -> Ends:
    """Draw a condition from `start`. Operands are plain (a comparison, a negation), or a chain in parentheses:
    of `and` only beside `and`, of `or` beside either. rest: what follows it. constants: it may be nothing but a
    constant. either: the hand for what has an `or`; given one, the condition must be a chain."""

    def one() -> bytes | None:
        return short_condition(dl, context)

    def another() -> bytes | None:
        found = one()
        return _plus(b" and " + found, rest) if found is not None else None

    first = _operand(dl, part, start, context, rest if either is None else another, another, another)
    either = either or part
    if constants:
        part.call(start, operand(dl, BOOL, context, "fit"), first[0][0])
    and_end, or_end, mixed, either_end = (_spot(part) for _ in range(4))

    def more(hand: Part, into: Spot) -> int:
        def draw(state: int) -> None:
            for spot in _operand(dl, hand, state, context, rest, rest, rest):
                _meet(hand, spot, into)

        return hand.lazy(draw, lambda: _plus(one(), rest))

    def other(state: int) -> None:
        plain, both, any_ = _operand(dl, either, state, context, rest, another, rest)
        _meet(either, plain, or_end)
        _meet(either, any_, or_end)
        _connect(either, (plain, both, any_), "and ", inner)

    conjunct, inner = more(part, and_end), more(either, mixed)
    disjunct = either.lazy(other, lambda: _plus(one(), rest))
    _connect(part, (*first, and_end), "and ", conjunct)
    _connect(part, (first[0], first[2], and_end, or_end, mixed), "or ", disjunct)
    _connect(part, (mixed,), "and ", inner)
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


def _operand(
    dl: Dl, part: Part, start: int, context: Context, rest: Rest, after_and: Rest, after_or: Rest
) -> tuple[Spot, Spot, Spot]:
    """Spots after an operand: a plain one, `and` in parentheses, `or` in them. The rests are what may follow each."""
    done, ands, ors = _spot(part), _spot(part), _spot(part)
    _comparison(dl, part, start, context, done, rest)
    chain, with_and, with_or = _chain(dl, context)

    def parenthesized(source: int, spots: dict[int, tuple[Spot, Rest]]) -> None:
        """A chain in parentheses: by its result, where it ends and what may follow."""
        closings: dict[int, int] = {}

        def close(result: int) -> bytes | None:
            return _plus(b")", spots[result][1])

        def then(result: int) -> int | None:
            if result in spots and result not in closings:
                spot = spots[result][0]
                closings[result] = part.lazy(lambda s: _close(part, part.text(s, ")"), spot), lambda: close(result))
            return closings.get(result)

        def dearest(count: Count) -> int:
            return max(NEVER if text is None else count(text) for text in map(close, spots))

        part.call(part.text(source, "("), chain, dl.net.continuation(then, dearest))

    def negation(count: int) -> int:
        """After so many `not`. The checker bounds them together with brackets: a chain stands after one alone."""

        def draw(state: int) -> None:
            if count < dl.limits.negations:
                part.call(state, dl.words.deep("not", ("not ",)), negation(count + 1))
            _comparison(dl, part, state, context, done, rest)
            if count == 1:
                parenthesized(state, {with_and: (done, rest), with_or: (done, rest)})

        return part.lazy(draw, lambda: _plus(short_condition(dl, context), rest))

    part.call(start, dl.words.deep("not", ("not ",)), negation(1))
    parenthesized(start, {with_and: (ands, after_and), with_or: (ors, after_or)})
    return done, ands, ors


def _close(part: Part, after: int, spot: Spot) -> None:
    part.join(after, spot[0])
    part.text(after, " ", spot[1])


def _chain(dl: Dl, context: Context) -> tuple[int, int, int]:
    """The procedure of chains, which stand in parentheses, and its results: of `and` alone, with `or`."""
    with_and, with_or = dl.net.name("chain of and"), dl.net.name("chain with or")

    def build(part: Part) -> None:
        hands = replace(part, returned=with_and), replace(part, returned=with_or)
        ends = condition(dl, hands[0], part.start, context, lambda: b"", either=hands[1])
        part.end(ends.conjunction[0], with_and)
        part.end(ends.disjunction[0], with_or)

    def text() -> Short | None:
        one = short_condition(dl, context)
        return (one + b" and " + one, with_and) if one is not None else None

    procedure = dl.net.procedure(("chain of conditions", context), build)
    dl.net.shorten(procedure, text)
    dl.net.returning(procedure, lambda: (with_and, with_or))
    return procedure, with_and, with_or


def comparable(dl: Dl, context: Context) -> tuple[Type, ...]:
    """Types that something left of a comparison may have here."""
    found = dl.memo.get(("comparable", context))
    if found is None:
        found = dl.memo["comparable", context] = tuple(dict.fromkeys((*own_types(dl, context), *_given(dl))))
    return found


def own_types(dl: Dl, context: Context) -> tuple[Type, ...]:
    """Those that what only this context has may have: fields, variables, the subject, aggregates."""
    found = dl.memo.get(("own types", context))
    if found is None:
        types = dict.fromkeys(named(dl, context).values())
        if context.keys is not None:
            types |= dict.fromkeys((*comparable(dl, context.ungrouped()), NUMBER))
        types |= dict.fromkeys(row.type for row in context.rows if row.type is not None and len(context.rows) == 1)
        found = dl.memo["own types", context] = tuple(t for t in types if is_value(t))
    return found


def _given(dl: Dl) -> tuple[Type, ...]:
    """Types that calls give, wherever they stand."""
    found = dl.memo.get("given by calls")
    if found is None:
        found = dl.memo["given by calls"] = tuple(dict.fromkeys(c.result for c in all_calls(dl) if is_value(c.result)))
    return found


def _comparison(dl: Dl, part: Part, start: int, context: Context, done: Spot, rest: Rest) -> None:
    """A left side by its type, then what may follow it. A Bool is a condition already."""
    from .dl_queries import subquery

    tails: dict[tuple[Type, bool, bool], int] = {}
    goals, nowhere = CHAINED.intersection(comparable(dl, context)), part.new()
    # What a chain gives is compared; nothing else may follow it.
    sums = Sums(dl, part, context, goals, lambda found: (nowhere, tail(found, True, False)),
                rest=lambda found: _plus(short_tail(dl, found), rest))  # fmt: skip

    def after(type_: Type, marked: bool) -> bytes | None:
        return short_tail(dl, type_) if marked else short_unmarked(dl, type_)

    def tail(type_: Type, marked: bool, first: bool) -> int:
        """After a left side and a space. first: it may be the first operand of a chain."""

        def draw(state: int) -> None:
            _tail(dl, part, state, type_, context, done, marked, rest)
            if first and sums.begins(type_):
                part.join(state, sums.after(type_))

        def text() -> bytes | None:
            found = after(type_, marked)
            return _plus(found[1:], rest) if found is not None else None

        key = (type_, marked, first)
        if key not in tails:
            tails[key] = part.lazy(draw, text)
        return tails[key]

    def arrive(state: int, side: tuple[Type, bool]) -> None:
        """Right after a left side."""
        part.text(state, " ", tail(*side, True))
        if side[0] == BOOL:
            _close(part, state, done)

    def arrived(type_: Type, marked: bool = True) -> bytes | None:
        return rest() if type_ == BOOL else _plus(after(type_, marked), rest)

    subject = subject_of(context)
    sides = {spelled: (type_, True) for spelled, type_ in named(dl, context).items() if is_value(type_)}
    if subject is not None and is_value(subject):
        # What is said of the subject with `is` is written without it.
        sides["it"] = subject, False
    if sides:
        types = {word: side[0] for word, side in sides.items()}
        dl.words.choose(part, start, sides, arrive, lambda side: arrived(*side), depth=2, types=types)

    def whole(type_: Type) -> int:
        return part.lazy(lambda state: arrive(state, (type_, True)), lambda: arrived(type_))

    for type_ in own_types(dl, context) if context.keys is not None else ():
        aggregate = aggregate_of(dl, type_, context)
        if aggregate is not None:
            part.call(start, aggregate, whole(type_))
    each_call(dl, part, start, context, whole, left_tail, rest)
    sums.parenthesized(start)
    if context.depth < dl.limits.nesting:
        inner = part.call(
            part.call(start, dl.words.deep("exists", ("exists (",))), subquery(dl, context.inside(), None, True)
        )
        _close(part, part.text(inner, ")"), done)
    if subject is not None:
        said = part.lazy(lambda state: _is(dl, part, state, subject, context, done), lambda: _plus(b"any", rest))
        part.call(start, dl.words.deep("is", ("is ",)), said)


def _tail(dl: Dl, part: Part, after: int, type_: Type, context: Context, done: Spot, marked: bool, rest: Rest) -> None:
    """After something of a type and a space: an operator and a right side, or a mark."""
    equal, ordered, matched = is_in(dl, type_, "Eq"), is_in(dl, type_, "Ord"), is_in(dl, type_, "Match")
    if can_write(dl, type_, context) and (equal or ordered):
        operators = (("= ", "!= ") if equal else ()) + (("< ", "<= ", "> ", ">= ") if ordered else ())

        def compared(right: int) -> None:
            expression(dl, part, right, type_, context, "fit", *done, rest=rest)
            for wider in above(dl, type_):
                expression(dl, part, right, wider, context, "shown", *done, rest=rest)

        right = part.lazy(compared, lambda: _plus(short(dl, type_, context, "fit"), rest))
        part.words(after, operators, right)
    if matched:
        right = part.lazy(
            lambda state: expression(dl, part, state, TEXT, context, "fit", *done, rest=rest),
            lambda: _plus(short(dl, TEXT, context, "fit"), rest),
        )
        part.words(after, ("~ ", "!~ ", "like ", "not like "), right)
    if equal:
        members = part.lazy(
            lambda state: _members(dl, part, state, type_, context, done, ordered, rest), lambda: _plus(b"[]", rest)
        )
        part.words(after, ("in ", "not in "), members)
    if marked:
        said = part.lazy(lambda state: _is(dl, part, state, type_, context, done), lambda: _plus(b"any", rest))
        part.text(after, "is ", said)


def _is(dl: Dl, part: Part, said: int, type_: Type, context: Context, done: Spot) -> None:
    wanted = operand(dl, Con("Spec", (type_,)), context, "exact")
    for procedure in (dl.words.deep("is what", ("any", "none", "missing", "not missing")), wanted):
        _close(part, part.call(said, procedure), done)


def _members(
    dl: Dl, part: Part, member: int, type_: Type, context: Context, done: Spot, ordered: bool, rest: Rest
) -> None:
    from .dl_queries import Goal, can_reach, gives, subquery

    for item in (type_, *below(dl, type_)):
        _close(part, part.call(member, operand(dl, list_of(item), context, "exact")), done)
        for name in gives(dl, context, item):
            _close(part, dl.words.word(part, member, name, depth=2), done)
        goal = Goal((item,))
        if context.depth < dl.limits.nesting and can_reach(dl, goal):
            inner = part.call(part.text(member, "("), subquery(dl, context.inside(), goal))
            _close(part, part.text(inner, ")"), done)
    if ordered:

        def last() -> bytes | None:
            return _plus(short(dl, type_, context, "fit"), rest)

        def range_() -> bytes | None:
            return _plus(b" .. ", last)

        low, nowhere = part.new(), part.new()
        expression(dl, part, member, type_, context, "fit", nowhere, low, False, range_)
        right = part.lazy(lambda s: expression(dl, part, s, type_, context, "fit", *done, rest=rest), last)
        part.text(low, ".. ", right)


# ---------------------------------------------------------------- short texts, for finishing


def short_tail(dl: Dl, type_: Type) -> bytes:
    """A short end of a comparison after its left side."""
    return _short_equal(dl, type_) or b" is any"


def short_unmarked(dl: Dl, type_: Type) -> bytes | None:
    """The same of which no mark is said; None if nothing else can be."""
    return _short_equal(dl, type_) or (b" in []" if is_in(dl, type_, "Eq") else None)


def _short_equal(dl: Dl, type_: Type) -> bytes | None:
    given = short(dl, type_, NOWHERE, "fit") if is_in(dl, type_, "Eq") else None
    return b" = " + given if given is not None else None


def left_tail(dl: Dl, type_: Type) -> bytes:
    """A short end of a comparison after a call as its left side. A Bool is a condition already."""
    return short_tail(dl, type_) if type_ != BOOL else b""


def short_comparison(dl: Dl, context: Context) -> bytes | None:
    """A short comparison, its left side no Bool."""
    texts = []
    for type_ in own_types(dl, context):
        left = short_own(dl, type_, context, False) if type_ != BOOL else None
        if left is not None:
            texts.append(left + short_tail(dl, type_))
    if subject_of(context) is not None:
        texts.append(b"is any")
    if "short comparison" not in dl.memo:
        called = (c for c in all_calls(dl) if is_value(c.result) and c.result != BOOL)
        dl.memo["short comparison"] = [c.short + short_tail(dl, c.result) for c in called]
    return min((*texts, *dl.memo["short comparison"]), key=len, default=None)


def short_condition(dl: Dl, context: Context) -> bytes | None:
    """A short condition; None if nothing can be compared."""
    key = ("short condition", context)
    if key not in dl.memo:
        bare = short_own(dl, BOOL, context, False) or shortest_call(dl, BOOL)
        options = [c for c in (bare, short_comparison(dl, context)) if c is not None]
        dl.memo[key] = min(options, key=len, default=None)
    return dl.memo[key]  # type: ignore[no-any-return]


__all__ = ["DYNAMIC", "Constraint", "Ends", "Spot", "comparable", "condition", "has_class", "short_condition"]
