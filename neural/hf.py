"""Hugging Face `generate` held to well-typed programs."""

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor

from ..grammar.diagnostic import CompileError
from . import errors
from .decoder import ConstrainedDecoder, DecoderState
from .grounding import Grounding
from .grounding_requests import Texts
from .logits import constrained

_Key = tuple[int, tuple[int, ...]]


class TypedLogitsProcessor(LogitsProcessor):  # type: ignore[misc]
    """Puts every token that leads to no well-typed program at minus infinity; for one call of `generate`.

    Works with padding on the left, with encoder-decoder models (the prompt is what the decoder begins with) and with
    beams: states are kept by the tokens generated so far, so beams may be reordered, copied and dropped at will.
    beams: rows that `generate` makes of each prompt (`num_beams`, or `num_return_sequences` when sampling).
    budget, schemas, texts, grounding: as of `ConstrainedDecoder.start`, for all prompts or one each. prefix: text that
    programs begin with, already part of the prompts.
    """

    def __init__(
        self,
        decoder: ConstrainedDecoder,
        budget: "int | Sequence[int] | None" = None,
        *,
        schemas: Sequence[int] | None = None,
        prefix: str = "",
        beams: int = 1,
        texts: Texts | None = None,
        grounding: "Grounding | Sequence[Grounding | None] | None" = None,
    ) -> None:
        self.decoder = decoder
        self.beams = beams
        self._arguments = budget, schemas, prefix, texts, grounding
        self._prompt = -1
        self._state: DecoderState | None = None
        self._keys: dict[_Key, int] = {}
        self._rows: list[int] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores [batch, width] after tokens [batch, length].

        Raises CompileError: DLC505 for a token that was not allowed, DLC506 for an unusable row of scores, DLC507
        and DLC508 for what does not fit together.
        """
        if self._state is None:
            self._begin(input_ids)
        assert self._state is not None
        said = input_ids[:, self._prompt :].tolist()
        keys = [(row // self.beams, tuple(tokens)) for row, tokens in enumerate(said)]
        if len(said[0]) > 0:
            self._go_on(list(dict.fromkeys(keys)))
        self._rows = [self._keys[key] for key in keys]
        mask = torch.as_tensor(self.decoder.mask(self._state)).to(scores.device)
        masked, log_z = constrained(scores, mask[self._rows])
        kept = [0.0] * len(self._state)
        for row, z in zip(self._rows, log_z.tolist(), strict=True):
            if not self._state.done[row]:
                kept[row] = z
        self._state = self.decoder.observe(self._state, kept)
        return masked

    @property
    def log_z(self) -> list[float]:
        """For each row of the last call the sum of log Z so far: the log-mass the masks have kept of the model's."""
        return [] if self._state is None else [float(self._state.log_z[row]) for row in self._rows]

    def _begin(self, input_ids: torch.Tensor) -> None:
        self._prompt = input_ids.shape[1]
        prompts, over = divmod(input_ids.shape[0], self.beams)
        if over:
            raise CompileError(errors.wrong_shape(f"{input_ids.shape[0]} rows are no multiple of {self.beams} beams"))
        self._state = self.decoder.start(prompts, *self._arguments)
        self._keys = {(prompt, ()): prompt for prompt in range(prompts)}

    def _go_on(self, keys: list[_Key]) -> None:
        """Beams only ever continue what the last step had."""
        parents = [self._keys.get((prompt, tokens[:-1]), -1) for prompt, tokens in keys]
        if min(parents) < 0:
            raise CompileError(errors.wrong_shape("rows continue nothing known: one processor a call, and say `beams`"))
        assert self._state is not None
        forked = self.decoder.fork(self._state, parents)
        self._state = self.decoder.advance(forked, [tokens[-1] for _, tokens in keys])
        self._keys = {key: i for i, key in enumerate(keys)}
