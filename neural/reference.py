"""`executor="numpy"`: batches one sequence after the other, on the objects of `machine`. What the others must equal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..grammar.diagnostic import CompileError
from . import errors
from .machine import Cell, Machine, Plan
from .net import NEVER
from .vocabulary import Vocabulary

Bits = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class CellState:
    """A batch of sequences, row by row: which machine, configuration, tokens left, whether the end token has come,
    the plan followed, and the sum of log Z as far as `observe` was told of logits."""

    machines: tuple[int, ...]
    cells: tuple[Cell, ...]
    budgets: tuple[int, ...]
    done: tuple[bool, ...]
    plans: tuple[Plan | None, ...]
    log_z: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.cells)


class ReferenceExecutor:
    """Machines, one for each schema, and the vocabulary they share."""

    def __init__(self, machines: Sequence[Machine], vocabulary: Vocabulary) -> None:
        self.machines = tuple(machines)
        self.vocabulary = vocabulary
        self.ends = machines[0].pack(vocabulary.ends)

    def start(self, which: Sequence[int], cells: Sequence[Cell], budgets: Sequence[int]) -> CellState:
        """A state of configurations, each of a machine, with the tokens each may take."""
        n = len(cells)
        return CellState(tuple(which), tuple(cells), tuple(budgets), (False,) * n, (None,) * n, (0.0,) * n)

    def visit(self, which: int, cell: Cell) -> None:
        """Work out what the tokens do in a configuration of a machine."""
        self.machines[which].row(cell, NEVER)

    def bits(self, state: CellState) -> Bits:
        """Allowed tokens, packed: uint32 [batch, words]."""
        out = np.empty((len(state), self.ends.size), dtype=np.uint32)
        for i in range(len(state)):
            self.fill(state, i, out[i])
        return out

    def fill(self, state: CellState, row: int, out: Bits) -> None:
        """One row of `bits`, written into `out` [words]."""
        if state.done[row]:
            out[:] = self.ends
            return
        cell = state.cells[row]
        out[:] = self.machines[state.machines[row]].row(cell, state.budgets[row], state.plans[row])
        if cell.complete:
            out |= self.ends

    def advance(self, state: CellState, tokens: NDArray[np.int64]) -> CellState:
        """The state after one token a row. Raises CompileError (DLC505)."""
        cells, budgets, done, plans = list(state.cells), list(state.budgets), list(state.done), list(state.plans)
        for i, token in enumerate(tokens.tolist()):
            if done[i]:
                continue
            if token in self.vocabulary.ends and cells[i].complete:
                done[i] = True
                continue
            inside = 0 <= token < self.vocabulary.size
            machine = self.machines[state.machines[i]]
            found = machine.advance(cells[i], budgets[i], plans[i], token) if inside else None
            if found is None:
                raise CompileError(errors.token_not_allowed(i, token))
            (cells[i], plans[i]), budgets[i] = found, budgets[i] - 1
        return replace(state, cells=tuple(cells), budgets=tuple(budgets), done=tuple(done), plans=tuple(plans))

    def complete(self, state: CellState) -> NDArray[np.bool_]:
        """bool [batch]: whether each row is a whole program, ended or not."""
        return np.fromiter((c.complete for c in state.cells), dtype=np.bool_, count=len(state))

    def fork(self, state: CellState, index: Sequence[int]) -> CellState:
        """Rows picked by index."""
        return CellState(
            tuple(state.machines[i] for i in index),
            tuple(state.cells[i] for i in index),
            tuple(state.budgets[i] for i in index),
            tuple(state.done[i] for i in index),
            tuple(state.plans[i] for i in index),
            tuple(state.log_z[i] for i in index),
        )

    def join(self, states: Sequence[CellState]) -> CellState:
        """The rows of several states."""
        fields = ("machines", "cells", "budgets", "done", "plans", "log_z")
        return CellState(*(tuple(x for state in states for x in getattr(state, name)) for name in fields))

    def cell(self, state: CellState, row: int) -> tuple[int, Cell]:
        """The machine of a row and its configuration."""
        return state.machines[row], state.cells[row]

    def with_budgets(self, state: CellState, budgets: Sequence[int]) -> CellState:
        """The state with other numbers of tokens left."""
        return replace(state, budgets=tuple(budgets))

    def with_log_z(self, state: CellState, log_z: Sequence[float]) -> CellState:
        """The state with other sums of log Z."""
        return replace(state, log_z=tuple(log_z))
