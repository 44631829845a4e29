"""From a function over cells to a condition: one fixed printing, short and the same for equal functions.

A function is split into factors over disjoint variables as far as it goes, by `and` and by `or` in turn; a
factor over one variable is printed by that variable. What cannot be split is a sum of products, or a
product of sums if that takes fewer literals. All choices look at the function only, never at how it was
written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from ...compiler.terms import App, Lit, Term
from .cells import product
from .diagram import Diagram
from .table import Table

TRUE, FALSE = Lit("bool", "true"), Lit("bool", "false")

# Beyond this many cells, or products, an unsplittable factor is printed as a case distinction instead.
_CUBE_CELLS = 1 << 12
_CUBE_LIMIT = 48
# Up to this many variables every way to split is tried; beyond it only single variables and pairs.
_SPLIT_ALL = 10


class TooLong(Exception):
    """The condition would have more literals than the guard allows."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a function: its place in it, and how membership in a set of its cells is written."""

    index: int
    size: int
    write: Callable[[int], Term]


class Printer:
    """Writes one function as a condition, within a budget of literals."""

    def __init__(self, space: Table | Diagram, budget: int = 1000) -> None:
        self.space = space
        self.budget = budget

    def term(self, function: int, variables: list[Variable]) -> Term:
        """The condition that is true where `function` is."""
        space = self.space
        if function == space.true:
            return TRUE
        if function == space.false:
            return FALSE
        support = [v for v in variables if self._depends(function, v)]
        if len(support) == 1:
            return self._single(function, support[0])
        blocks = self._split(function, support)
        if len(blocks) > 1:
            return both([self.term(self._project(function, b, support), b) for b in blocks])
        inverse = space.neg(function)
        blocks = self._split(inverse, support)
        if len(blocks) > 1:
            return either([self.term(space.neg(self._project(inverse, b, support)), b) for b in blocks])
        return self._unsplittable(function, inverse, support)

    def _depends(self, function: int, variable: Variable) -> bool:
        first = self.space.cofactor(function, variable.index, 0)
        return any(self.space.cofactor(function, variable.index, c) != first for c in range(1, variable.size))

    def _single(self, function: int, variable: Variable) -> Term:
        mask = 0
        for cell in range(variable.size):
            if self.space.cofactor(function, variable.index, cell) != self.space.false:
                mask |= 1 << cell
        return self._write(variable, mask)

    def _write(self, variable: Variable, mask: int) -> Term:
        self.budget -= 1
        if self.budget < 0:
            raise TooLong
        return variable.write(mask)

    def _project(self, function: int, onto: list[Variable], support: list[Variable]) -> int:
        return self.space.exists(function, [v.index for v in support if v not in onto])

    def _split(self, function: int, support: list[Variable]) -> list[list[Variable]]:
        """The finest blocks such that the function is the conjunction of its projections onto them."""
        blocks: list[list[Variable]] = []
        rest = list(support)
        for size in range(1, len(support)):
            if 2 * size > len(rest) or (len(rest) > _SPLIT_ALL and size > 2):
                break
            for chosen in combinations(list(rest), size):
                if 2 * size > len(rest) or any(v not in rest for v in chosen):
                    continue
                others = [v for v in rest if v not in chosen]
                if self._separable(function, list(chosen), others):
                    blocks.append(list(chosen))
                    function = self._project(function, others, rest)
                    rest = others
        return [*blocks, rest] if rest else blocks

    def _separable(self, function: int, some: list[Variable], others: list[Variable]) -> bool:
        space = self.space
        here = space.exists(function, [v.index for v in others])
        there = space.exists(function, [v.index for v in some])
        return space.conj(here, there) == function

    def _unsplittable(self, function: int, inverse: int, support: list[Variable]) -> Term:
        if product(v.size for v in support) <= _CUBE_CELLS:
            wide = [list(range(self.space.sizes[i])) for i in range(len(self.space.sizes))]
            inside = {v.index for v in support}
            narrow = [cells if i in inside else [0] for i, cells in enumerate(wide)]
            table, small = self.space.remapped(function, narrow)
            table, small = table.table(small)
            sums = table.cubes(small, _CUBE_LIMIT)
            factors = table.cubes(table.neg(small), _CUBE_LIMIT)
            if sums is not None or factors is not None:
                return self._shorter(sums, factors, table, support)
        return self._cases(function, support)

    def _shorter(
        self,
        sums: list[tuple[int, ...]] | None,
        factors: list[tuple[int, ...]] | None,
        table: Table,
        support: list[Variable],
    ) -> Term:
        full = [(1 << size) - 1 for size in table.sizes]

        def width(cubes: list[tuple[int, ...]]) -> int:
            return sum(mask != every for cube in cubes for mask, every in zip(cube, full, strict=True))

        by_index = {v.index: v for v in support}
        if factors is None or (sums is not None and width(sums) <= width(factors)):
            assert sums is not None
            return either([both(self._masks(cube, full, by_index)) for cube in sums])
        flipped = [
            tuple(every & ~m if m != every else every for m, every in zip(c, full, strict=True)) for c in factors
        ]
        return both([either(self._masks(cube, full, by_index)) for cube in flipped])

    def _masks(self, cube: tuple[int, ...], full: list[int], by_index: dict[int, Variable]) -> list[Term]:
        return [self._write(by_index[i], m) for i, (m, every) in enumerate(zip(cube, full, strict=True)) if m != every]

    def _cases(self, function: int, support: list[Variable]) -> Term:
        """One case per group of cells of the first variable that leave the same rest."""
        first, rest = support[0], support[1:]
        groups: dict[int, int] = {}
        for cell in range(first.size):
            left = self.space.cofactor(function, first.index, cell)
            groups[left] = groups.get(left, 0) | 1 << cell
        cases = []
        for left, mask in groups.items():
            if left != self.space.false:
                # A table's cofactor lives in the variable's first cell; spread it over all of them again.
                everywhere = self.space.exists(left, [first.index])
                inner = self.term(everywhere, rest)
                cases.append(both([self._write(first, mask), inner]))
        return either(cases)


def both(terms: list[Term]) -> Term:
    """The conjunction, flattened; `true` of none."""
    return _joined("and", TRUE, FALSE, terms)


def either(terms: list[Term]) -> Term:
    """The disjunction, flattened; `false` of none."""
    return _joined("or", FALSE, TRUE, terms)


def _joined(fn: str, unit: Lit, zero: Lit, terms: list[Term]) -> Term:
    flat: list[Term] = []
    for term in terms:
        if term == zero:
            return zero
        if isinstance(term, App) and term.fn == fn:
            flat.extend(term.args)
        elif term != unit:
            flat.append(term)
    if len(flat) < 2:
        return flat[0] if flat else unit
    return App(fn, tuple(flat))


_NEGATIVE = frozenset(("!=", "!~", "not_in", "not_between", "not_like"))


def weight(term: Term) -> int:
    """How much there is to read in a condition: what short means."""
    if isinstance(term, App):
        if term.fn in ("and", "or"):
            return sum(weight(a) for a in term.args)
        if term.fn == "not":
            return 1 + weight(term.args[0])
        return 3 if term.fn in _NEGATIVE else 2
    return 2
