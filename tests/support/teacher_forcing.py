"""Gold fed to a decoder token by token."""

from collections.abc import Sequence

from dlc.neural.decoder import ConstrainedDecoder


def first_refused(decoder: ConstrainedDecoder, ids: Sequence[int]) -> int | None:
    """The place of the first token of a program that the mask does not have (its length: the end token); else None."""
    state = decoder.start(1)
    for at, token in enumerate(ids):
        if not decoder.mask(state)[0, token]:
            return at
        state = decoder.advance(state, [token])
    return None if decoder.is_complete(state)[0] else len(ids)
