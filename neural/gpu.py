"""`executor="gpu"`: states and masks live on a device; `kernels` (Triton) where it runs, `device` (torch) elsewhere.

`bits` and `advance` look at what went wrong after each call, which waits for the device. `step_bits` and
`step` never wait: they are for loops and CUDA graphs, which call `settle` when they can afford to look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..grammar.diagnostic import CompileError
from . import core, device, errors
from .batch import write_row
from .growth import hold, release
from .logits import constrain
from .machine import Cell, Machine
from .tables import Tables
from .vocabulary import Vocabulary

Tensor = torch.Tensor


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A batch of sequences on a device. rows: int32 [batch, core.WIDTH]; log_z: float32 [batch], sums of log Z;
    code: int32 [batch], what went wrong in the last step (`core`); miss: int32 [batch, 4], what the tables lacked."""

    rows: Tensor
    log_z: Tensor
    code: Tensor
    miss: Tensor

    def __len__(self) -> int:
        return self.rows.shape[0]

    @property
    def done(self) -> Tensor:
        """bool [batch]: whether the end token has come."""
        return self.rows[:, core.DONE] != 0

    @property
    def budgets(self) -> Tensor:
        """Tokens left: int32 [batch]."""
        return self.rows[:, core.BUDGET]


class DeviceExecutor:
    """Tables on a device. place: a torch device (default: CUDA where there is one). triton: whether to use the
    kernels (default: on CUDA)."""

    def __init__(
        self, machines: Sequence[Machine], vocabulary: Vocabulary, place: Any = None, triton: bool | None = None
    ) -> None:
        self.tables = Tables(machines)
        self.vocabulary = vocabulary
        self.ends = machines[0].pack(vocabulary.ends)
        self.device = torch.device(place or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.triton = self.device.type == "cuda" if triton is None else triton
        self._uploaded: device.DeviceTables | None = None

    def uploaded(self) -> device.DeviceTables:
        """The tables on the device, up to date."""
        if self._uploaded is None or self._uploaded.version != self.tables.version:
            self._uploaded = device.upload(self.tables, self.ends, self.device)
        return self._uploaded

    def start(self, which: Sequence[int], cells: Sequence[Cell], budgets: Sequence[int]) -> DeviceState:
        """A state of configurations, each of a machine, with the tokens each may take."""
        rows = np.zeros((len(cells), core.WIDTH), dtype=np.int32)
        for row, machine, cell, budget in zip(rows, which, cells, budgets, strict=True):
            write_row(self.tables, row, machine, cell, budget)
        return self._state(torch.from_numpy(rows).to(self.device))

    def _state(self, rows: Tensor) -> DeviceState:
        batch = rows.shape[0]
        zero = torch.zeros(batch, dtype=torch.int32, device=self.device)
        return DeviceState(rows, torch.zeros(batch, device=self.device), zero, zero[:, None].repeat(1, 4))

    def visit(self, which: int, cell: Cell) -> None:
        """Work out what the tokens do from the control state of a configuration, on the host."""
        self.tables.visit(which, cell.control)

    # ------------------------------------------------------------ without waiting

    def step_bits(self, state: DeviceState) -> tuple[Tensor, DeviceState]:
        """Masks as bits, int32 [batch, words] (rows that lack something: none), and the state saying what went
        wrong."""
        tables = self.uploaded()
        if self.triton:
            from . import kernels

            bits, wrong = kernels.bits(tables, state.rows)
        else:
            made, wrong = device.recipe(tables, state.rows)
            bits = device.packed(tables, made)
        return bits, replace(state, code=wrong.code, miss=wrong.miss)

    def step(self, state: DeviceState, tokens: Tensor) -> DeviceState:
        """The state after one token a row, int [batch]; rows that something is wrong with stay as they were."""
        if self.triton:
            from . import kernels

            rows, wrong = kernels.advance(self.uploaded(), state.rows, tokens)
        else:
            rows, wrong = device.advance(self.uploaded(), state.rows, tokens)
        return replace(state, rows=rows, code=wrong.code, miss=wrong.miss)

    def constrain(self, logits: Tensor, bits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [batch, width] against masks as bits: masked logits, log Z, which rows are unusable (`logits`). The
        kernels do it in one pass over the logits; elsewhere the bits are unpacked first."""
        if self.triton:
            from . import kernels

            return kernels.masked(logits, bits)
        return constrain(logits, device.unpacked(bits, self.vocabulary.size))

    def settle(self, state: DeviceState) -> bool:
        """Fill in what the last step lacked: waits for the device. True if there was something, and the step should
        be tried again. Raises CompileError (DLC514)."""
        code = state.code.cpu().numpy()
        for i in np.flatnonzero(code == core.OVERFLOWED).tolist():
            raise CompileError(errors.too_deep(i))
        missed = np.flatnonzero(code == core.MISSED)
        held = hold()
        try:
            for miss in {tuple(each) for each in state.miss.cpu().numpy()[missed].tolist()}:
                self.tables.grow(*miss)
        finally:
            release(held)
        return len(missed) > 0

    # ------------------------------------------------------------ with

    def bits(self, state: DeviceState) -> Tensor:
        """Allowed tokens, packed: int32 [batch, words], on the device."""
        while True:
            bits, after = self.step_bits(state)
            if not self.settle(after):
                return bits

    def fill(self, state: DeviceState, row: int, out: NDArray[np.uint32]) -> None:
        """One row of `bits`, written into `out` [words] on the host."""
        out[:] = self.bits(self.fork(state, [row])).cpu().numpy().view(np.uint32)[0]

    def advance(self, state: DeviceState, tokens: "Tensor | NDArray[np.int64]") -> DeviceState:
        """The state after one token a row. Raises CompileError (DLC505, DLC508, DLC514)."""
        given = tokens if isinstance(tokens, torch.Tensor) else torch.from_numpy(np.asarray(tokens)).to(self.device)
        if given.device != state.rows.device:
            raise CompileError(errors.wrong_shape(f"tokens on {given.device}, the state on {state.rows.device}"))
        while True:
            after = self.step(state, given)
            if not self.settle(after):
                break
        for i in torch.nonzero(after.code == core.REFUSED)[:, 0].tolist():
            raise CompileError(errors.token_not_allowed(i, int(given[i])))
        return after

    def complete(self, state: DeviceState) -> NDArray[np.bool_]:
        """bool [batch], on the host: whether each row is a whole program, ended or not."""
        while True:
            tables = self.uploaded()
            wrong = device.trouble(tables, state.rows)
            found = device.complete(tables, state.rows, wrong)
            if not self.settle(replace(state, code=wrong.code, miss=wrong.miss)):
                return found.cpu().numpy()

    def fork(self, state: DeviceState, index: "Tensor | Sequence[int]") -> DeviceState:
        """Rows picked by index: a gather, on the device if the index is there."""
        return DeviceState(
            device.gather(state.rows, index),
            device.gather(state.log_z, index),
            device.gather(state.code, index),
            device.gather(state.miss, index),
        )

    def with_budgets(self, state: DeviceState, budgets: Sequence[int]) -> DeviceState:
        """The state with other numbers of tokens left."""
        rows = state.rows.clone()
        rows[:, core.BUDGET] = torch.tensor(list(budgets), dtype=torch.int32, device=self.device)
        return replace(state, rows=rows)

    def with_log_z(self, state: DeviceState, log_z: "Tensor | Sequence[float]") -> DeviceState:
        """The state with other sums of log Z."""
        return replace(state, log_z=torch.as_tensor(log_z, dtype=torch.float32, device=self.device))
