"""The figures of dataset tables, from plain counts: how long utterances and programs are, how many words and names.

Sources: Andreas et al. (2020), Table 1 (quantiles of lengths and depths, library size); Yu et al. (2019), Tables 1 and 2
and Figures 3 to 5 (turns and tokens a dialogue, vocabulary, acts, keywords by turn); Campagna et al. (2022), Table 5
(dialogues, turns, words).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

QUANTILES = (0.25, 0.5, 0.75)
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Spread:
    """How values are spread: how many, their sum and mean, and the quantiles .25, .50, .75 (0 of no values)."""

    count: int
    total: int
    mean: float
    quantiles: tuple[int, int, int]


def spread(values: Sequence[int]) -> Spread:
    """A quantile q is the least value that at least a share q of the values does not exceed, so it is one of them."""
    if not values:
        return Spread(0, 0, 0.0, (0, 0, 0))
    ordered = sorted(values)
    first, second, third = (ordered[math.ceil(q * len(ordered)) - 1] for q in QUANTILES)
    return Spread(len(ordered), sum(ordered), sum(ordered) / len(ordered), (first, second, third))


def words(utterance: str) -> list[str]:
    """The tokens of an utterance in lower case: words, with an apostrophe inside if need be, and single other signs."""
    return _WORD.findall(utterance.lower())
