"""What a mask has to be, from every program of a small vocabulary."""

from collections.abc import Iterable

Sequence = tuple[int, ...]


def going_on(whole: Iterable[Sequence]) -> dict[Sequence, dict[int, int]]:
    """For each beginning of a program the tokens that may come next, each with the fewest tokens, itself one of them,
    that then end a program."""
    found: dict[Sequence, dict[int, int]] = {}
    for sequence in whole:
        for cut in range(len(sequence)):
            nexts = found.setdefault(sequence[:cut], {})
            left = len(sequence) - cut
            nexts[sequence[cut]] = min(left, nexts.get(sequence[cut], left))
    return found
