"""The shape of vLLM's structured-output backends: a backend compiles requests to grammars, a grammar fills bit masks.

The names and the order of calls are vLLM's (`StructuredOutputBackend`, `StructuredOutputGrammar`); nothing of it is
imported. A request is JSON, all of it optional: `{"schema": 0, "budget": 64, "prefix": "", "texts": ["…"], "sets":
{"Hotel.name": ["…"]}, "words": false, "fold_case": false, "entities": false}`, the last five as of `Grounding`.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..grammar.diagnostic import CompileError
from . import errors
from .decoder import ConstrainedDecoder, DecoderState
from .grounding import Grounding


class TypedGrammar:
    """One request: where its program stands, and where it stood after each token (for `rollback`)."""

    def __init__(self, decoder: ConstrainedDecoder, start: DecoderState) -> None:
        self.decoder = decoder
        self._states = [start]

    @property
    def num_processed_tokens(self) -> int:
        """Tokens accepted and not rolled back."""
        return len(self._states) - 1

    def accept_tokens(self, request_id: str, tokens: Sequence[int]) -> bool:
        """Go on by all of the tokens; False, and nowhere, if one of them is not allowed or the program is over."""
        went = self._after(tokens)
        if len(went) < len(tokens):
            return False
        self._states.extend(went)
        return True

    def validate_tokens(self, tokens: Sequence[int]) -> list[int]:
        """The longest beginning of the tokens that is allowed; goes nowhere."""
        return list(tokens[: len(self._after(tokens))])

    def _after(self, tokens: Sequence[int]) -> list[DecoderState]:
        state, went = self._states[-1], []
        for token in tokens:
            if bool(state.done[0]):
                break
            try:
                state = self.decoder.advance(state, [token])
            except CompileError:
                break
            went.append(state)
        return went

    def rollback(self, num_tokens: int) -> None:
        """Take tokens back. Raises CompileError (DLC508) for more than were accepted."""
        if num_tokens > self.num_processed_tokens:
            raise CompileError(
                errors.wrong_shape(f"{num_tokens} tokens to roll back, {len(self._states) - 1} accepted")
            )
        del self._states[len(self._states) - num_tokens :]

    def fill_bitmask(self, bitmask: torch.Tensor, idx: int) -> None:
        """Write what may come next into row idx of a bit mask, int32 [rows, words] on the host."""
        words = (self.decoder.vocabulary.size + 31) // 32
        if bitmask.device.type != "cpu" or bitmask.dtype != torch.int32 or bitmask.shape[1] < words:
            raise CompileError(
                errors.wrong_shape(f"a bit mask of {bitmask.dtype} {tuple(bitmask.shape)} on {bitmask.device}")
            )
        row = bitmask[idx].numpy().view(np.uint32)
        row[words:] = 0
        self.decoder.fill(self._states[-1], 0, row[:words])

    def is_terminated(self) -> bool:
        """Whether the end token has come."""
        return bool(self._states[-1].done[0])

    def reset(self) -> None:
        """Back to the beginning."""
        del self._states[1:]


class TypedBackend:
    """Grammars of one decoder. vocab_size: columns of the model's logits, which may be more than there are tokens."""

    def __init__(self, decoder: ConstrainedDecoder, vocab_size: int | None = None) -> None:
        self.decoder: ConstrainedDecoder | None = decoder
        self.vocab_size = vocab_size or decoder.vocabulary.size
        if self.vocab_size < decoder.vocabulary.size:
            raise CompileError(errors.wrong_width(self.vocab_size, decoder.vocabulary.size))

    def compile_grammar(self, request_type: Any, grammar_spec: str) -> TypedGrammar:
        """The grammar of a request. Raises CompileError (DLC503, DLC504, DLC508, DLC516, DLC517)."""
        if self.decoder is None:
            raise CompileError(errors.wrong_shape("the backend was destroyed"))
        try:
            asked = json.loads(grammar_spec or "{}")
            schema, budget, prefix = asked.get("schema", 0), asked.get("budget"), asked.get("prefix", "")
            fits = (
                0 <= schema < len(self.decoder.machines) and (budget is None or budget > 0) and isinstance(prefix, str)
            )
            grounding = _grounding(asked)
        except (ValueError, AttributeError, TypeError):
            fits = False
        if not fits:
            raise CompileError(errors.wrong_shape(f"a request that is not understood: {grammar_spec[:100]!r}"))
        return TypedGrammar(self.decoder, self.decoder.start(1, budget, [schema], prefix, grounding=grounding))

    def allocate_token_bitmask(self, max_num_seqs: int) -> torch.Tensor:
        """A bit mask that allows everything: int32 [max_num_seqs, words]."""
        return torch.full((max_num_seqs, (self.vocab_size + 31) // 32), -1, dtype=torch.int32)

    def destroy(self) -> None:
        """Let go of everything."""
        self.decoder = None


def _grounding(asked: dict[str, Any]) -> Grounding:
    """What a request wants grounded. Raises TypeError for what is none of it."""
    texts, sets = asked.get("texts"), asked.get("sets", {})
    flags = {name: asked.get(name, False) for name in ("words", "fold_case", "entities")}
    lists = [*([] if texts is None else [texts]), *sets.values()]
    right = all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in lists)
    if not right or not all(isinstance(flag, bool) for flag in flags.values()):
        raise TypeError
    members = {name: frozenset(values) for name, values in sets.items()}
    return Grounding(None if texts is None else tuple(texts), members, **flags)
