"""Hugging Face `generate` held to well-typed programs."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessor

from .decoder import ConstrainedDecoder, DecoderState


class TypedLogitsProcessor(LogitsProcessor):  # type: ignore[misc]
    """Puts every token that leads to no well-typed program at minus infinity; for one call of `generate`.

    States are kept by the tokens generated so far, so beams may be reordered, copied and dropped at will. Rows of a
    batch share one schema and one budget. The prompt is what the first call is given.
    """

    def __init__(self, decoder: ConstrainedDecoder, budget: int | None = None) -> None:
        self.decoder = decoder
        self._prompt: int | None = None
        self._states: dict[tuple[int, ...], DecoderState] = {(): decoder.start(1, budget)}

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores [batch, vocabulary] after tokens [batch, length]. Raises CompileError (DLC505) for a token that was
        not allowed."""
        if self._prompt is None:
            self._prompt = input_ids.shape[1]
        kept: dict[tuple[int, ...], DecoderState] = {}
        for row in input_ids[:, self._prompt :].tolist():
            key = tuple(row)
            if key not in kept:
                kept[key] = self._after(key)
        # Beams only ever continue what the last step had.
        self._states = kept
        rows = [kept[tuple(row)] for row in input_ids[:, self._prompt :].tolist()]
        return scores.masked_fill(~self._allowed(rows, scores.shape[1]).to(scores.device), float("-inf"))

    def _after(self, key: tuple[int, ...]) -> DecoderState:
        return self.decoder.advance(self._states[key[:-1]], [key[-1]]) if key else self._states[()]

    def _allowed(self, rows: Sequence[DecoderState], width: int) -> Any:
        """Bool [batch, width]: models may have more logits than the tokenizer has tokens; those are not allowed."""
        allowed = torch.zeros((len(rows), width), dtype=torch.bool)
        for i, state in enumerate(rows):
            mask = torch.from_numpy(self.decoder.mask(state)[0])
            allowed[i, : len(mask)] = mask
        return allowed
