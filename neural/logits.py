"""Logits against masks, failing closed: what is not allowed becomes minus infinity, and log Z says how much was kept."""

import torch

from ..grammar.diagnostic import CompileError
from . import errors

Tensor = torch.Tensor
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def check_shapes(logits: Tensor, batch: int, vocabulary: int) -> None:
    """Raises CompileError: DLC507 for logits narrower than the vocabulary, DLC508 for other misfits."""
    if logits.dim() != 2 or logits.shape[0] != batch:
        raise CompileError(errors.wrong_shape(f"logits of shape {tuple(logits.shape)} for {batch} rows"))
    if logits.dtype not in DTYPES:
        raise CompileError(errors.wrong_shape(f"logits of type {logits.dtype}"))
    if logits.shape[1] < vocabulary:
        raise CompileError(errors.wrong_width(logits.shape[1], vocabulary))


def widened(allowed: Tensor, width: int) -> Tensor:
    """A mask [batch, vocabulary] for logits with more columns (padded heads): what has no token is not allowed."""
    return torch.nn.functional.pad(allowed, (0, width - allowed.shape[1]))


def constrain(logits: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Masked logits [batch, width], of the same type; log Z float32 [batch], the log-mass that was kept (at most 0);
    and bool [batch], whether a row is unusable: a logit that is no number or plus infinity, or nothing allowed above
    minus infinity. No shape depends on data and nothing waits for the device."""
    minus = float("-inf")
    masked = logits.masked_fill(~widened(allowed, logits.shape[1]), minus)
    exact = logits.float()
    log_z = torch.logsumexp(masked.float(), -1) - torch.logsumexp(exact, -1)
    bad = torch.isnan(exact).any(-1) | (exact == float("inf")).any(-1) | (masked == minus).all(-1)
    return masked, log_z, bad


def constrained(logits: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """`constrain`, looking at what is unusable. Raises CompileError (DLC506, DLC507, DLC508)."""
    check_shapes(logits, allowed.shape[0], allowed.shape[1])
    if logits.device != allowed.device:
        raise CompileError(errors.wrong_shape(f"logits on {logits.device}, the mask on {allowed.device}"))
    masked, log_z, bad = constrain(logits, allowed)
    for row in torch.nonzero(bad)[:, 0].tolist():
        number = bool(torch.isnan(logits[row]).any() | (logits[row] == float("inf")).any())
        why = "a logit is no finite number" if number else "every allowed token is at minus infinity"
        raise CompileError(errors.bad_logits(row, why))
    return masked, log_z
