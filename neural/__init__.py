"""Neural: core, schema and tokenizer to tokens."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .decoder import ConstrainedDecoder, DecoderState

__all__ = ["ConstrainedDecoder", "DecoderState"]


def __getattr__(name: str) -> Any:
    """Names that need numpy, loaded when first asked for."""
    if name in __all__:
        from . import decoder

        return getattr(decoder, name)
    raise AttributeError(name)
