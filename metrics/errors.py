"""What the metrics raise: one class a reader can catch, and one name per kind of bad input."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

_Turn = TypeVar("_Turn")


class MetricError(ValueError):
    """Bad input to a metric; the message says which input and why."""


class SqlParseError(MetricError):
    """A query that the official grammar does not read."""


class GoldError(MetricError):
    """The reference side is unusable (does not parse or does not run), so no verdict exists."""


class AlignmentError(MetricError):
    """Gold and prediction do not line up: different numbers of turns or interactions, or unknown turns."""


class MissingLibraryError(MetricError):
    """A metric needs a library that is not installed; the message names it."""


def aligned(
    gold: Sequence[Sequence[_Turn]], pred: Sequence[Sequence[_Turn]]
) -> Iterator[Iterator[tuple[_Turn, _Turn]]]:
    """Turn beside turn, a dialogue at a time. Raises AlignmentError where dialogues or turns differ in number."""
    if len(gold) != len(pred):
        raise AlignmentError(f"{len(gold)} gold dialogues, {len(pred)} predicted ones")
    for position, (turns, answers) in enumerate(zip(gold, pred, strict=True)):
        if len(turns) != len(answers):
            raise AlignmentError(f"dialogue {position}: {len(turns)} gold turns, {len(answers)} predicted ones")
        yield zip(turns, answers, strict=True)
