"""`executor="cpu"`: batches as arrays, on the compiled loops of `core`; tables grow when a new place is met."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..grammar.diagnostic import CompileError
from . import core, errors
from .growth import hold, release
from .machine import Cell, Machine
from .net import NEVER
from .tables import Tables
from .vocabulary import Vocabulary

Bits = NDArray[np.uint32]
Ints = NDArray[np.int32]
PARALLEL = 64
"""Sequences from which on all cores are used: below, starting threads costs more than they save."""
_FIRST = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ArrayState:
    """A batch of sequences: int32 [batch, core.WIDTH], and the sums of log Z, float64 [batch]."""

    rows: Ints
    log_z: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def done(self) -> NDArray[np.bool_]:
        """bool [batch]: whether the end token has come."""
        return self.rows[:, core.DONE].astype(np.bool_)

    @property
    def budgets(self) -> Ints:
        """Tokens left: int32 [batch]."""
        return self.rows[:, core.BUDGET]


class BatchExecutor:
    """Tables of one or more machines, and the loops that read them. threads: whether large batches use all cores."""

    def __init__(self, machines: Sequence[Machine], vocabulary: Vocabulary, threads: bool = True) -> None:
        self.machines = tuple(machines)
        self.tables = Tables(machines)
        self.vocabulary = vocabulary
        self.ends = machines[0].pack(vocabulary.ends)
        self.threads = threads
        self._load()

    def _load(self) -> None:
        """Have the loops compiled (from the disk, where they have been before), so that no step waits for it."""
        nothing = self.start((), (), ())
        self.advance(nothing, np.zeros(0, dtype=np.int64))
        self.bits(nothing)
        self.complete(nothing)

    def start(self, which: Sequence[int], cells: Sequence[Cell], budgets: Sequence[int]) -> ArrayState:
        """A state of configurations, each of a machine, with the tokens each may take."""
        rows = np.zeros((len(cells), core.WIDTH), dtype=np.int32)
        for row, machine, cell, budget in zip(rows, which, cells, budgets, strict=True):
            write_row(self.tables, row, machine, cell, budget)
        return ArrayState(rows, np.zeros(len(cells)))

    def visit(self, which: int, cell: Cell) -> None:
        """Work out what the tokens do in a configuration of a machine."""
        self.bits(self.start((which,), (cell,), (NEVER,)))

    def bits(self, state: ArrayState) -> Bits:
        """Allowed tokens, packed: uint32 [batch, words]."""
        out = np.empty((len(state), self.ends.size), dtype=np.uint32)
        self.fill_rows(state, np.arange(len(state)), out)
        return out

    def fill(self, state: ArrayState, row: int, out: Bits) -> None:
        """One row of `bits`, written into `out` [words]."""
        self._fill(state.rows[row : row + 1], _FIRST, out[None])

    def fill_rows(self, state: ArrayState, at: NDArray[np.int64], out: Bits) -> None:
        """Rows `at` of `bits`, written into the same rows of `out` [batch, words]."""
        self._fill(state.rows, at, out)

    def _fill(self, rows: Ints, at: NDArray[np.int64], out: Bits) -> None:
        loop = core.fill_parallel if self.threads and len(at) >= PARALLEL else core.fill
        tables = self.tables
        codes = np.zeros(len(rows), dtype=np.int32)
        misses = np.zeros((len(rows), 4), dtype=np.int32)
        # Mostly nothing is missed, and nothing is made that would wake the collector: no function, no cell of one.
        if loop(tables.memory, tables.head, tables.rows, self.ends, rows, at, out, codes, misses):
            held = hold()
            try:
                self._fill_missed(loop, rows, at, out, codes, misses)
            finally:
                release(held)

    def _fill_missed(
        self, loop: Callable[..., int], rows: Ints, at: NDArray[np.int64], out: Bits, codes: Ints, misses: Ints
    ) -> None:
        tables = self.tables
        self._grow(at, codes, misses, lambda at: loop(
            tables.memory, tables.head, tables.rows, self.ends, rows, at, out, codes, misses
        ))  # fmt: skip

    def advance(self, state: ArrayState, tokens: NDArray[np.int64]) -> ArrayState:
        """The state after one token a row. Raises CompileError (DLC505, DLC514)."""
        held = hold()
        try:
            rows = state.rows.copy()
            loop = core.advance_parallel if self.threads and len(rows) >= PARALLEL else core.advance
            codes, misses = np.zeros(len(rows), dtype=np.int32), np.zeros((len(rows), 4), dtype=np.int32)
            refused = self._run(np.arange(len(rows)), codes, misses, lambda at: loop(
                self.tables.memory, self.tables.head, self.ends, rows, at, tokens, codes, misses
            ))  # fmt: skip
            for i in refused:
                raise CompileError(errors.token_not_allowed(i, int(tokens[i])))
            return ArrayState(rows, state.log_z)
        finally:
            release(held)

    def _run(
        self, at: NDArray[np.int64], codes: Ints, misses: Ints, loop: Callable[[NDArray[np.int64]], int]
    ) -> list[int]:
        """Run a loop over rows `at` until none of them misses anything; the rows that refused their token."""
        return self._grow(at, codes, misses, loop) if loop(at) else []

    def _grow(
        self, at: NDArray[np.int64], codes: Ints, misses: Ints, loop: Callable[[NDArray[np.int64]], int]
    ) -> list[int]:
        """The same, once a loop has told of something."""
        left = True
        while left:
            for i in np.flatnonzero(codes == core.OVERFLOWED).tolist():
                raise CompileError(errors.too_deep(i))
            at = at[codes[at] == core.MISSED]
            for miss in {tuple(each) for each in misses[at].tolist()}:
                self.tables.grow(*miss)
            left = len(at) > 0 and loop(at) > 0
        refused: list[int] = np.flatnonzero(codes == core.REFUSED).tolist()
        return refused

    def complete(self, state: ArrayState) -> NDArray[np.bool_]:
        """bool [batch]: whether each row is a whole program, ended or not."""
        held = hold()
        try:
            found = np.zeros(len(state), dtype=np.bool_)
            codes, misses = np.zeros(len(state), dtype=np.int32), np.zeros((len(state), 4), dtype=np.int32)
            self._run(np.arange(len(state)), codes, misses, lambda at: core.complete(
                self.tables.memory, self.tables.head, state.rows, at, found, codes, misses
            ))  # fmt: skip
            return found
        finally:
            release(held)

    def fork(self, state: ArrayState, index: Sequence[int]) -> ArrayState:
        """Rows picked by index."""
        at = np.asarray(index, dtype=np.int64)
        return ArrayState(state.rows[at], state.log_z[at])

    def join(self, states: Sequence[ArrayState]) -> ArrayState:
        """The rows of several states."""
        return ArrayState(np.concatenate([s.rows for s in states]), np.concatenate([s.log_z for s in states]))

    def cell(self, state: ArrayState, row: int) -> tuple[int, Cell]:
        """The machine of a row and its configuration."""
        fields = state.rows[row].tolist()
        number, control = self.tables.controls[fields[core.STATE]]
        machine = self.machines[number]
        frames = fields[core.STACK : core.STACK + fields[core.DEPTH]]
        stack = machine.push(machine.bottom, tuple(self.tables.frames[frame][1] for frame in frames))
        names = fields[core.ENV : core.ENV + fields[core.NAMES]]
        return number, machine.cell(control, stack, tuple(self.tables.results[result][1] for result in names))

    def with_budgets(self, state: ArrayState, budgets: Sequence[int]) -> ArrayState:
        """The state with other numbers of tokens left."""
        rows = state.rows.copy()
        rows[:, core.BUDGET] = budgets
        return replace(state, rows=rows)

    def with_log_z(self, state: ArrayState, log_z: Sequence[float]) -> ArrayState:
        """The state with other sums of log Z."""
        return replace(state, log_z=np.asarray(log_z, dtype=np.float64))


def write_row(tables: Tables, row: Ints, machine: int, cell: Cell, budget: int) -> None:
    """Write a configuration into a row [core.WIDTH] of zeros."""
    frames, stack = [], cell.stack
    while stack.frame is not None and stack.parent is not None:
        frames.append((tables.frame(machine, stack.frame), stack.cost))
        stack = stack.parent
    if len(frames) > core.ROOM or len(cell.env) > core.SLOTS:
        raise CompileError(errors.too_deep(0))
    row[core.STATE] = tables.control(machine, cell.control)
    row[core.DEPTH] = len(frames)
    row[core.BUDGET] = budget
    row[core.PLANNED] = core.NO_PLAN
    row[core.NAMES] = len(cell.env)
    row[core.ENV : core.ENV + len(cell.env)] = [tables.result(machine, result) for result in cell.env]
    for i, (frame, cost) in enumerate(reversed(frames)):
        row[core.STACK + i] = frame
        row[core.SUMS + i + 1] = cost
