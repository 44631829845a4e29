"""Functions over a small product of cells: a truth table held in one int.

`Table` and `diagram.Diagram` answer the same questions, so that everything above works on either.
"""

from .cells import coordinates, product, spread


class Table:
    """Truth tables over variables with `sizes` cells; the first variable runs fastest."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.sizes = sizes
        self.total = product(sizes)
        self.true = (1 << self.total) - 1
        self.false = 0
        strides, stride = [], 1
        for size in sizes:
            strides.append(stride)
            stride *= size
        self.strides = tuple(strides)

    def literal(self, variable: int, mask: int) -> int:
        """Variable in a set of its cells."""
        return spread(mask, self.sizes, variable)

    def conj(self, a: int, b: int) -> int:
        return a & b

    def disj(self, a: int, b: int) -> int:
        return a | b

    def neg(self, a: int) -> int:
        return self.true & ~a

    def cofactor(self, a: int, variable: int, cell: int) -> int:
        """The function with a variable fixed; comparable between the cells of one variable."""
        return (a >> (cell * self.strides[variable])) & spread(1, self.sizes, variable)

    def exists(self, a: int, variables: list[int]) -> int:
        """Whether some cell of each of the variables makes it true."""
        for variable in variables:
            stride, size = self.strides[variable], self.sizes[variable]
            found = 0
            for cell in range(size):
                found |= self.cofactor(a, variable, cell)
            copies = ((1 << (stride * size)) - 1) // ((1 << stride) - 1)
            a = found * copies if stride == 1 or found == 0 else self._repeat(found, stride, size)
        return a

    @staticmethod
    def _repeat(a: int, stride: int, size: int) -> int:
        out = a
        for _ in range(size - 1):
            a <<= stride
            out |= a
        return out

    def table(self, a: int) -> "tuple[Table, int]":
        """The same function as a table."""
        return self, a

    def remapped(self, a: int, representatives: list[list[int]]) -> "tuple[Table, int]":
        """The function over fewer cells; `representatives[v][c]` is an old cell the new cell c of v stands for."""
        sizes = tuple(len(r) for r in representatives)
        target = Table(sizes)
        offsets = [0]
        for variable, cells in enumerate(representatives):
            stride = self.strides[variable]
            offsets = [o + c * stride for c in cells for o in offsets]
        out = 0
        for index, old in enumerate(offsets):
            if a >> old & 1:
                out |= 1 << index
        return target, out

    def cubes(self, a: int, limit: int) -> "list[tuple[int, ...]] | None":
        """Products of cell sets whose union is the function: prime, none superfluous, always the same ones.

        The first uncovered cell is widened to a product that cannot be widened further, whole variables first;
        then products covered by the others go. None if there would be more than `limit`.
        """
        cells = [[spread(1 << c, self.sizes, v) for c in range(size)] for v, size in enumerate(self.sizes)]
        found: list[tuple[tuple[int, ...], int]] = []
        left = a
        while left:
            if len(found) >= limit:
                return None
            start = coordinates((left & -left).bit_length() - 1, self.sizes)
            found.append(self._widened(a, [1 << c for c in start], cells))
            left &= ~found[-1][1]
        kept: list[tuple[tuple[int, ...], int]] = list(found)
        for item in found:
            others = 0
            for cube in kept:
                if cube is not item:
                    others |= cube[1]
            if not item[1] & ~others:
                kept = [cube for cube in kept if cube is not item]
        return [masks for masks, _ in kept]

    def _widened(self, a: int, cube: list[int], cells: list[list[int]]) -> tuple[tuple[int, ...], int]:
        outside = self.true & ~a

        def covered(trial: list[int]) -> int:
            out = self.true
            for variable, mask in enumerate(trial):
                out &= spread(mask, self.sizes, variable)
            return out

        for variable, size in enumerate(self.sizes):
            trial = [*cube[:variable], (1 << size) - 1, *cube[variable + 1 :]]
            if not covered(trial) & outside:
                cube = trial
        for variable, size in enumerate(self.sizes):
            for cell in range(size):
                if not cube[variable] >> cell & 1:
                    trial = [*cube[:variable], cube[variable] | 1 << cell, *cube[variable + 1 :]]
                    if not covered(trial) & outside:
                        cube = trial
        return tuple(cube), covered(cube)
