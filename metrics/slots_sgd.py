"""Goal accuracy as the Schema-Guided Dialogue (DSTC8) evaluation computes it: per frame of one service, values matched fuzzily.

Differs from MultiWOZ's joint goal accuracy in three ways that explain most disagreements between papers: it is averaged over
frames, not turns; a non-categorical value earns the share of characters it has in common with the best reference; and joint
accuracy is a product of those shares. Source: Rastogi et al. 2020, section 5, and issue 35 of the data set's tracker.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import prod
from typing import Final

from .slots import mean

FrameState = Mapping[str, Sequence[str]]
_WORDS: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Service:
    """The slots of a service, and which of them are categorical (compared exactly)."""

    slots: tuple[str, ...]
    categorical: Collection[str]


@dataclass(frozen=True, slots=True)
class FrameScore:
    """`average`: mean over the slots that gold fills (None if it fills none); `joint`: product over all slots."""

    average: float | None
    joint: float


def score_frame(gold: FrameState, pred: FrameState, service: Service, *, fuzzy: bool = True) -> FrameScore:
    """One frame: gold's lists of acceptable values, the prediction's lists of which the first counts."""
    points = {slot: _slot_points(slot, gold, pred, service, fuzzy) for slot in service.slots}
    active = [points[slot] for slot in service.slots if gold.get(slot)]
    return FrameScore(mean(active) if active else None, prod(points.values()))


def score_frames(frames: Sequence[FrameScore]) -> FrameScore:
    """Means over frames; those without an active slot are left out of the average."""
    averages = [frame.average for frame in frames if frame.average is not None]
    return FrameScore(mean(averages) if averages else None, mean([frame.joint for frame in frames]))


def _slot_points(slot: str, gold: FrameState, pred: FrameState, service: Service, fuzzy: bool) -> float:
    references, answers = gold.get(slot), pred.get(slot)
    if not references or not answers:
        return float(not references and not answers)
    if slot in service.categorical:
        return float(references[0] == answers[0])
    return max(
        similarity(reference, answers[0]) if fuzzy else float(reference == answers[0]) for reference in references
    )


def similarity(a: str, b: str) -> float:
    """Likeness in whole hundredths of two texts as their words in alphabetical order, without case and punctuation.

    The token-sort ratio of the evaluation script, on `difflib` (its default back end; others round differently).
    """
    left, right = (" ".join(sorted(_WORDS.findall(text.lower()))) for text in (a, b))
    if not left or not right:
        return 0.0
    return round(100 * SequenceMatcher(None, left, right).ratio()) / 100
