"""Functions over a large product of cells: reduced ordered multi-valued decision diagrams.

A node is a variable and one child per cell of it; equal nodes are one node, a node whose children are all
the same is that child. So equal functions are equal node numbers.
"""

from .cells import product
from .table import Table


class TooLarge(Exception):
    """More nodes than the guard allows."""


class Diagram:
    """Diagrams over variables with `sizes` cells, tested in order. 0 is false, 1 is true."""

    def __init__(self, sizes: tuple[int, ...], limit: int = 50_000) -> None:
        self.sizes = sizes
        self.limit = limit
        self.true, self.false = 1, 0
        self._nodes: list[tuple[int, tuple[int, ...]]] = [(len(sizes), ()), (len(sizes), ())]
        self._unique: dict[tuple[int, tuple[int, ...]], int] = {}
        self._memo: dict[tuple[str, int, int], int] = {}

    def node(self, variable: int, children: tuple[int, ...]) -> int:
        """The node with these children."""
        if children.count(children[0]) == len(children):
            return children[0]
        key = (variable, children)
        found = self._unique.get(key)
        if found is None:
            if len(self._nodes) >= self.limit:
                raise TooLarge
            found = self._unique[key] = len(self._nodes)
            self._nodes.append(key)
        return found

    def literal(self, variable: int, mask: int) -> int:
        """Variable in a set of its cells."""
        return self.node(variable, tuple(mask >> c & 1 for c in range(self.sizes[variable])))

    def conj(self, a: int, b: int) -> int:
        if a == 0 or b == 0:
            return 0
        if a == 1 or a == b:
            return b
        if b == 1:
            return a
        return self._apply("and", a, b)

    def disj(self, a: int, b: int) -> int:
        if a == 1 or b == 1:
            return 1
        if a == 0 or a == b:
            return b
        if b == 0:
            return a
        return self._apply("or", a, b)

    def _apply(self, operation: str, a: int, b: int) -> int:
        if a > b:
            a, b = b, a
        key = (operation, a, b)
        found = self._memo.get(key)
        if found is None:
            combine = self.conj if operation == "and" else self.disj
            variable = min(self._nodes[a][0], self._nodes[b][0])
            pairs = zip(self._branches(a, variable), self._branches(b, variable), strict=True)
            found = self._memo[key] = self.node(variable, tuple([combine(x, y) for x, y in pairs]))
        return found

    def _branches(self, a: int, variable: int) -> tuple[int, ...]:
        own, children = self._nodes[a]
        return children if own == variable else (a,) * self.sizes[variable]

    def neg(self, a: int) -> int:
        if a < 2:
            return 1 - a
        key = ("not", a, 0)
        found = self._memo.get(key)
        if found is None:
            variable, children = self._nodes[a]
            found = self._memo[key] = self.node(variable, tuple([self.neg(c) for c in children]))
        return found

    def cofactor(self, a: int, variable: int, cell: int) -> int:
        """The function with a variable fixed; comparable between the cells of one variable."""
        own, children = self._nodes[a]
        if own > variable:
            return a
        if own == variable:
            return children[cell]
        key = (f"cofactor {variable}", a, cell)
        found = self._memo.get(key)
        if found is None:
            found = self.node(own, tuple([self.cofactor(c, variable, cell) for c in children]))
            self._memo[key] = found
        return found

    def exists(self, a: int, variables: list[int]) -> int:
        """Whether some cell of each of the variables makes it true."""
        for variable in variables:
            out = 0
            for cell in range(self.sizes[variable]):
                out = self.disj(out, self.cofactor(a, variable, cell))
            a = out
        return a

    def table(self, a: int) -> tuple[Table, int]:
        """The same function as a truth table."""
        target = Table(self.sizes)
        memo: dict[int, int] = {0: 0, 1: target.true}

        def walk(node: int) -> int:
            if node not in memo:
                variable, children = self._nodes[node]
                out = 0
                for cell, child in enumerate(children):
                    out |= target.literal(variable, 1 << cell) & walk(child)
                memo[node] = out
            return memo[node]

        return target, walk(a)

    def remapped(self, a: int, representatives: list[list[int]]) -> "tuple[Diagram | Table, int]":
        """The function over fewer cells; `representatives[v][c]` is an old cell the new cell c of v stands for."""
        sizes = tuple(len(r) for r in representatives)
        target = Diagram(sizes, self.limit)
        memo = {0: 0, 1: 1}

        def walk(node: int) -> int:
            if node not in memo:
                variable, children = self._nodes[node]
                memo[node] = target.node(variable, tuple([walk(children[c]) for c in representatives[variable]]))
            return memo[node]

        mapped = walk(a)
        return target.table(mapped) if product(sizes) <= TABLE_LIMIT else (target, mapped)


# Up to this many cells a function is a table, beyond it a diagram.
TABLE_LIMIT = 1 << 14
