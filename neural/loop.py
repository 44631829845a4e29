"""Generation with masks, states and choices on the device: one step is the same operations whatever the data."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..grammar.diagnostic import CompileError
from . import core, errors
from .gpu import DeviceExecutor, DeviceState
from .logits import check_shapes

Tensor = torch.Tensor
Pick = Callable[[Tensor], Tensor]


def greedy(logits: Tensor) -> Tensor:
    """The likeliest token of each row."""
    return logits.argmax(-1)


@dataclass(frozen=True, slots=True)
class Generated:
    """tokens: int64 [batch, steps], the end token where a row was over; log_z: float32 [batch, steps]."""

    tokens: Tensor
    log_z: Tensor
    state: DeviceState


def step(
    executor: DeviceExecutor, state: DeviceState, logits: Tensor, pick: Pick, grow: bool = False
) -> tuple[Tensor, Tensor, DeviceState, Tensor]:
    """One token a row: tokens [batch], log Z [batch], the state after them, and bool [batch]: what went wrong. Rows
    gone wrong take the end token and stay as they are. Nothing waits for the device: it can be captured in a graph.

    grow: look once, after the step, whether the tables lacked something; if so the host fills it in and the step is
    done again, with the same tokens in rows that had their mask. Raises CompileError (DLC514) then.
    """
    picked, known = None, None
    while True:
        found = _step(executor, state, logits, pick, picked, known)
        tokens, log_z, moved, wrong, lacking = found
        if not (grow and executor.settle(moved)):
            return tokens, log_z, moved, wrong
        picked, known = tokens, ~lacking


def _step(
    executor: DeviceExecutor, before: DeviceState, logits: Tensor, pick: Pick, picked: Tensor | None,
    known: Tensor | None,
) -> tuple[Tensor, Tensor, DeviceState, Tensor, Tensor]:  # fmt: skip
    """`step`, once; and bool [batch]: rows that have no mask. picked: tokens for the rows `known`."""
    end = executor.vocabulary.ends[0]
    bits, state = executor.step_bits(before)
    lacking = state.code != core.FINE
    masked, log_z, bad = executor.constrain(logits, bits)
    over = state.done
    wrong = (bad & ~over) | lacking
    first = torch.zeros_like(masked)
    first[:, end] = 1
    tokens = torch.where(over | wrong, end, pick(torch.where((over | wrong)[:, None], first, masked)))
    if picked is not None and known is not None:
        tokens = torch.where(known, picked, tokens)
    after = executor.step(state, tokens)
    rows = torch.where(wrong[:, None], state.rows, after.rows)
    kept = torch.where(over | wrong, 0.0, log_z)
    moved = DeviceState(
        rows,
        state.log_z + kept,
        torch.where(wrong, state.code, after.code),
        torch.where(wrong[:, None], state.miss, after.miss),
    )
    return tokens, kept, moved, wrong | (moved.code != core.FINE), lacking


def generate(
    executor: DeviceExecutor, model: Callable[[Tensor], Tensor], state: DeviceState, first: Tensor, steps: int,
    pick: Pick = greedy, grow: bool = False,
) -> Generated:  # fmt: skip
    """Up to `steps` tokens a row. model: tokens [batch] to the next logits [batch, width], on the state's device;
    first: the logits of the first token.

    The tables should be closed (`executor.tables.close()`) or warm: what they lack cannot be asked for on the way,
    unless the loop may `grow` them, which waits for the device once a step and cannot be captured in a graph.
    Raises CompileError at the end: DLC506 for unusable logits, DLC515 for what the tables lacked; nothing of such a
    row is to be used. DLC507 or DLC508 at once for logits that do not fit; with `grow` DLC514 on the way.
    """
    check_shapes(first, len(state), executor.vocabulary.size)
    if first.device != state.rows.device:
        raise CompileError(errors.wrong_shape(f"logits on {first.device}, the state on {state.rows.device}"))
    tokens, masses = [], []
    logits = first
    wrong = torch.zeros(len(state), dtype=torch.bool, device=first.device)
    lacked = torch.zeros_like(wrong)
    for at in range(steps):
        chosen, log_z, state, bad = step(executor, state, logits, pick, grow)
        wrong, lacked = wrong | bad, lacked | (state.code != core.FINE)
        tokens.append(chosen)
        masses.append(log_z)
        if at + 1 < steps:
            logits = model(chosen)
    for row in torch.nonzero(lacked)[:, 0].tolist():
        raise CompileError(errors.tables_incomplete(row))
    for row in torch.nonzero(wrong)[:, 0].tolist():
        raise CompileError(
            errors.bad_logits(row, "a logit is no finite number, or every allowed one is minus infinity")
        )
    return Generated(torch.stack(tokens, 1), torch.stack(masses, 1), state)
