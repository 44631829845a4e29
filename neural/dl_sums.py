"""Expressions of DL: an operand, and the arithmetic that may follow it, parenthesized exactly where the printer does.

A space may follow an operand whether or not an operator does, and whoever reads the next word reads it. So sums are
drawn where they stand, not called, and an expression has two ends: right after it, and after the space that follows.
A chain is typed as it is read: a node of it is the type of its first product, or the type of the sum so far with the
sign and the type of the product now being read.
"""

from collections.abc import Callable
from functools import cache

from ..compiler.operators import MIXED
from ..compiler.types import DATE, DATETIME, DURATION, INT, MONEY, NUMBER, TIME, Con, Type
from .dl_context import Context, Dl
from .dl_instances import EXPECTED, below, can_write
from .dl_short import short
from .dl_values import operand
from .net import Part

Node = tuple[Type | None, str, Type]
Ends = tuple[int, int | None]
"""Where an expression has ended: right after it, and after a space (None: nothing follows a space here)."""

_SIGNS, _PRODUCTS = ("+", "-"), ("*", "/", "%")
_NUMERIC = (NUMBER, INT, MONEY, DURATION)
_UNITS = (*_NUMERIC, TIME, DATE, DATETIME)


def expression(
    dl: Dl, part: Part, start: int, type_: Type, context: Context, kind: str, done: int, spaced: int | None = None,
    queries: bool = True, rest: Callable[[], bytes | None] | None = None,
) -> None:  # fmt: skip
    """Draw expressions of a type from `start` to `done` (and `spaced`). Kinds are those of `operand`. queries: a query
    in parentheses may stand for its single value. rest: gives a short text from `done` to the procedure's end."""
    from .dl_queries import scalar

    after = part.new()
    part.call(start, operand(dl, type_, context, kind), after)
    for inner in (type_, *(below(dl, type_) if kind == "fit" else ())) if queries else ():
        query = scalar(dl, context, inner)
        if query is not None:
            part.text(part.call(part.text(start, "("), query), ")", after)
    part.join(after, done)
    if spaced is not None:
        part.text(after, " ", spaced)
    goals = frozenset(t for t in (type_, *(below(dl, type_) if kind == "fit" else ())) if t in _UNITS)
    if goals:
        after_all = rest or (lambda: None)
        sums = Sums(dl, part, context, goals, lambda _: (done, spaced), rest=lambda _: after_all())
        sums.begin(start, "plain" if kind == "plain" else "shown")
        if kind in EXPECTED and type_ in goals:
            sums.from_placeholder(start, type_)


class Sums:
    """The chains of one place, drawn as they are reached.

    goals: types that the place takes. ends(type): where a chain of that type arrives. rest(type): a short text from
    there to the procedure's end.
    """

    def __init__(
        self, dl: Dl, part: Part, context: Context, goals: frozenset[Type], ends: Callable[[Type], Ends],
        products: bool = True, rest: Callable[[Type], bytes | None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.rest = rest
        self.dl, self.part, self.context, self.goals, self.ends = dl, part, context, goals, ends
        self.products = products
        self._nodes: dict[tuple[Node, bool, int], int] = {}

    def begin(self, start: int, kind: str) -> None:
        """Chains of at least one operator, whose first operand is of a kind."""
        for type_, _ in firsts(self.goals, self.products):
            if short(self.dl, type_, self.context, kind) is not None:
                state = self.part.call(start, operand(self.dl, type_, self.context, kind))
                self.part.text(state, " ", self.after(type_))
        self.parenthesized(start)

    def parenthesized(self, start: int) -> None:
        """Chains whose first operand is a sum in parentheses."""
        for type_, parenthesize in firsts(self.goals, self.products):
            if parenthesize:
                inner = self.part.call(self.part.text(start, "("), parenthesized(self.dl, type_, self.context, False))
                self.part.text(self.part.text(inner, ")"), " ", self._space((None, "", type_), _PRODUCTS, 0))

    def begins(self, type_: Type) -> bool:
        """Whether an operand of a type can be the first of a chain."""
        return leads((None, "", type_), self.goals, self.products)

    def after(self, type_: Type) -> int:
        """The state after a first operand of a type, and a space."""
        return self._space((None, "", type_), (*_PRODUCTS, *_SIGNS), 0)

    def from_placeholder(self, start: int, type_: Type) -> None:
        """A placeholder, then literals and the like added to it or taken from it: those fix its type."""
        added = DURATION if type_ in (TIME, DATE, DATETIME) else type_
        if not can_write(self.dl, type_, self.context):
            return
        part, (done, spaced) = self.part, self.ends(type_)
        hole = part.call(start, placeholder(self.dl))

        def more(used: int) -> Callable[[int], None]:
            """One more, after an operator."""

            def draw(right: int) -> None:
                after = part.call(right, operand(self.dl, added, self.context, "shown"))
                part.join(after, done)
                again = part.text(after, " ")
                if used < self.dl.limits.operators:
                    signs(again, used)
                if spaced is not None:
                    part.join(again, spaced)

            return draw

        def text() -> bytes | None:
            given, after = short(self.dl, added, self.context, "shown"), self.rest(type_)
            return given + after if given is not None and after is not None else None

        def signs(state: int, used: int) -> None:
            part.words(state, [f"{sign} " for sign in _SIGNS], part.lazy(more(used + 1), text))

        signs(part.text(hole, " "), 0)

    def _space(self, node: Node, operators: tuple[str, ...], used: int) -> int:
        """The state after a node's operand and a space, after so many operators."""
        key = (node, operators == _PRODUCTS, used)
        known = self._nodes.get(key)
        if known is None:
            known = self._nodes[key] = self.part.lazy(
                lambda state: self._operators(state, node, operators, used),
                lambda: self._short(node, operators, used),
            )
        return known

    def _short(self, node: Node, operators: tuple[str, ...], used: int) -> bytes | None:
        """A short text from after a node's space to the end, the next operator being one of these."""
        found = _route(node, operators, self.goals, self.products)
        if found is None or used + len(found[0]) > self.dl.limits.operators:
            return None
        steps, type_ = found
        operands = [short(self.dl, wanted, self.context, "shown") for _, wanted in steps]
        after = self.rest(type_)
        if after is None or any(operand is None for operand in operands):
            return None
        chain = [f"{operator} ".encode() + (text or b"") for (operator, _), text in zip(steps, operands, strict=True)]
        return b" ".join(chain) + after

    def _short_right(self, node: Node, operator: str, used: int) -> bytes | None:
        whole = self._short(node, (operator,), used)
        return whole.removeprefix(f"{operator} ".encode()) if whole is not None else None

    def _operators(self, state: int, node: Node, operators: tuple[str, ...], used: int) -> None:
        for operator in operators:
            nexts = tuple(n for n in dict.fromkeys(_steps(node, (operator,))) if self._may(n, used + 1))
            if nexts:
                right = self.part.lazy(
                    lambda s, o=operator, n=nexts: self._operands(s, node, o, n, used + 1),  # type: ignore[misc]
                    lambda o=operator: self._short_right(node, o, used),  # type: ignore[misc]
                )
                self.part.text(state, f"{operator} ", right)

    def _may(self, node: Node, used: int) -> bool:
        """Whether a chain at a node can be one of a goal's type with the operators that are left."""
        if not leads(node, self.goals, self.products):
            return False
        route = None if self._ends(node) else _route(node, (*_SIGNS, *_PRODUCTS), self.goals, self.products)
        return used + (len(route[0]) if route is not None else 0) <= self.dl.limits.operators

    def _ends(self, node: Node) -> bool:
        """Whether a chain may end at a node."""
        return result(node) in self.goals and (self.products or node[0] is not None)

    def _operands(self, right: int, node: Node, operator: str, nexts: tuple[Node, ...], used: int) -> None:
        """What may stand right of an operator."""
        for next_ in nexts:
            after = self.part.new()
            for type_ in _right(node, operator, next_):
                self.part.call(right, operand(self.dl, type_, self.context, "shown"), after)
                inner = parenthesized(self.dl, type_, self.context, operator in _PRODUCTS)
                self.part.text(self.part.call(self.part.text(right, "("), inner), ")", after)
            self._arrive(after, next_, used)

    def _arrive(self, after: int, node: Node, used: int) -> None:
        if used < self.dl.limits.operators:
            self.part.text(after, " ", self._space(node, (*_PRODUCTS, *_SIGNS), used))
        found = result(node)
        if found is not None and self._ends(node):
            done, spaced = self.ends(found)
            self.part.join(after, done)
            if spaced is not None:
                self.part.text(after, " ", spaced)


def placeholder(dl: Dl) -> int:
    """A placeholder alone, as deep in calls as one in an operand."""
    from .dl_values import hole

    return dl.net.deeper(hole(dl, (), False))


def parenthesized(dl: Dl, type_: Type, context: Context, products: bool) -> int:
    """The procedure of chains of a type inside parentheses: of sums, or of products too."""

    def build(part: Part) -> None:
        end = part.new()
        part.end(end)
        goals = frozenset((type_,))
        Sums(dl, part, context, goals, lambda _: (end, None), products, lambda _: b"").begin(part.start, "shown")

    def text() -> bytes | None:
        one = short(dl, type_, context, "shown")
        if one is None or type_ not in _NUMERIC:
            added = dl.words.short_literal(DURATION)
            return one + b" + " + added if one is not None and added is not None else None
        return one + b" + " + one

    return dl.net.procedure(("chain", type_, context, products), build, text)


def result(node: Node) -> Type | None:
    """The type of a chain that ends at a node."""
    summed, sign, last = node
    return last if summed is None else mixed(sign, summed, last)


def mixed(operator: str, left: Type, right: Type) -> Type | None:
    """The type of `left operator right`; None if there is none."""
    assert isinstance(left, Con) and isinstance(right, Con)
    found = MIXED.get((operator, left, right))
    return found or (left if left == right and left in _NUMERIC else None)


def _steps(node: Node, operators: tuple[str, ...]) -> list[Node]:
    """Nodes after one more operator and operand. What follows a sign can itself be added, product or not."""
    summed, sign, last = node
    found: list[Node] = []
    for operator in operators:
        for type_ in _UNITS:
            if operator in _PRODUCTS:
                made = mixed(operator, last, type_)
                if made is not None and (summed is None or mixed(sign, summed, made) is not None):
                    found.append((summed, sign, made))
            else:
                so_far = result(node)
                if so_far is not None and mixed(operator, so_far, type_) is not None:
                    found.append((so_far, operator, type_))
    return found


@cache
def firsts(goals: frozenset[Type], products: bool) -> tuple[tuple[Type, bool], ...]:
    """Types that the first operand of a chain may have, and whether it may be a sum in parentheses."""
    kept = []
    for type_ in _UNITS:
        first: Node = (None, "", type_)
        if leads(first, goals, products):
            kept.append((type_, any(leads(n, goals, products) for n in _steps(first, _PRODUCTS))))
    return tuple(kept)


def _right(node: Node, operator: str, after: Node) -> list[Type]:
    """Types of the operand that leads from one node to the next."""
    if operator in _SIGNS:
        return [after[2]]
    return [t for t in _UNITS if mixed(operator, node[2], t) == after[2]]


@cache
def _route(
    node: Node, operators: tuple[str, ...], goals: frozenset[Type], products: bool
) -> tuple[tuple[tuple[str, Type], ...], Type] | None:
    """The fewest operators, with types of their right sides, from a node to one of a goal's type; the first of them
    is one of `operators`. With the type arrived at."""
    todo: list[tuple[Node, tuple[tuple[str, Type], ...]]] = [(node, ())]
    seen: set[Node] = set()
    for at, steps in todo:
        for operator in operators if not steps else (*_SIGNS, *_PRODUCTS):
            for next_ in _steps(at, (operator,)):
                if next_ not in seen and leads(next_, goals, products):
                    seen.add(next_)
                    way = (*steps, (operator, _right(at, operator, next_)[0]))
                    found = result(next_)
                    if found is not None and found in goals and (products or next_[0] is not None):
                        return way, found
                    todo.append((next_, way))
    return None


def leads(node: Node, goals: frozenset[Type], products: bool) -> bool:
    """Whether a chain at a node can be, or become by more operators, one of a goal's type."""
    return node in _leading(goals, products)


@cache
def _leading(goals: frozenset[Type], products: bool) -> frozenset[Node]:
    good = {n for n in _before() if result(n) in goals and (n[0] is not None or products)}
    todo = list(good)
    while todo:
        for node in _before()[todo.pop()]:
            if node not in good:
                good.add(node)
                todo.append(node)
    return frozenset(good)


@cache
def _before() -> dict[Node, list[Node]]:
    """Every node of a chain, with the nodes that one more operator leads from to it."""
    before: dict[Node, list[Node]] = {(None, "", t): [] for t in _UNITS}
    todo = list(before)
    while todo:
        node = todo.pop()
        for next_ in _steps(node, (*_SIGNS, *_PRODUCTS)):
            if next_ not in before:
                before[next_] = []
                todo.append(next_)
            before[next_].append(node)
    return before


CHAINED = frozenset(type_ for type_ in _UNITS if leads((None, "", type_), frozenset((type_,)), True))
"""Types that chains may have."""
