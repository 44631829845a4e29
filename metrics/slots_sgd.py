"""States of services as the Schema-Guided Dialogue (DSTC8) evaluation scores them: frame by frame, values matched fuzzily.

Differs from MultiWOZ's joint goal accuracy in three ways that explain most disagreements between papers: it is averaged over
frames, not turns; a non-categorical value earns the share of characters it has in common with the best reference; and joint
accuracy is a product of those shares. `dontcare` is a value like any other, absence is the only nothing.
Source: Rastogi et al. 2020, section 5; google-research `schema_guided_dst/evaluate.py`; issue 35 of the data set's tracker.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import prod
from typing import Final

from .errors import MetricError, aligned
from .slots import mean

FrameState = Mapping[str, Sequence[str]]
_WORDS: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Service:
    """The slots of a service, and which of them are categorical (compared exactly)."""

    slots: tuple[str, ...]
    categorical: Collection[str]


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to run the evaluation script: values of non-categorical slots matched fuzzily or exactly; joint accuracy of each
    frame, or of all frames of a turn together."""

    name: str
    fuzzy: bool = True
    across_turn: bool = False


VARIANTS: Final[Mapping[str, Variant]] = {
    variant.name: variant
    for variant in (
        # The script's defaults, and the figures of the challenge.
        Variant("sgd"),
        Variant("sgd-exact", fuzzy=False),
        Variant("sgd-turn", across_turn=True),
        # Both flags: how its authors report on MultiWOZ (issue 35).
        Variant("sgd-multiwoz", fuzzy=False, across_turn=True),
    )
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What a turn's state says of one service."""

    slots: FrameState
    intent: str
    requested: Sequence[str] = ()


NO_FRAME: Final = Frame({}, "NONE")
"""What a state that says nothing of a service says of it."""


@dataclass(frozen=True, slots=True)
class FrameScore:
    """`average`: mean over the slots that gold fills (None if it fills none); `joint`: product over all slots."""

    average: float | None
    joint: float


@dataclass(frozen=True, slots=True)
class ScoredFrame:
    """One frame of gold: its service, its slots, whether the active intent is right, and F1 of the requested slots."""

    service: str
    goal: FrameScore
    intent: bool
    requested_f1: float


@dataclass(frozen=True, slots=True)
class ServiceScore:
    """Every frame scored, by dialogue and turn."""

    variant: Variant
    dialogues: tuple[tuple[tuple[ScoredFrame, ...], ...], ...]

    @property
    def joint(self) -> list[list[float]]:
        """Joint accuracy of each frame, or of each turn that has frames (`across_turn`), by dialogue."""
        if self.variant.across_turn:
            return [[prod(f.goal.joint for f in turn) for turn in turns if turn] for turns in self.dialogues]
        return [[frame.goal.joint for turn in turns for frame in turn] for turns in self.dialogues]

    @property
    def frames(self) -> list[list[ScoredFrame]]:
        """The frames of each dialogue."""
        return [[frame for turn in turns for frame in turn] for turns in self.dialogues]


def score_services(
    gold: Sequence[Sequence[Mapping[str, Frame]]],
    pred: Sequence[Sequence[Mapping[str, Frame]]],
    services: Mapping[str, Service],
    variant: Variant | str = "sgd",
) -> ServiceScore:
    """Score dialogues of turns, each a frame by service. Frames that only the prediction has do not count.

    The script refuses a prediction without one of gold's frames; here it is one that says nothing. Raises `AlignmentError` if
    dialogues or turns differ in number, `MetricError` for an unknown variant or service.
    """
    if isinstance(variant, str):
        if variant not in VARIANTS:
            raise MetricError(f"unknown variant {variant!r}; known: {', '.join(VARIANTS)}")
        variant = VARIANTS[variant]
    dialogues = tuple(
        tuple(_score_turn(turn, answer, services, variant.fuzzy) for turn, answer in pairs)
        for pairs in aligned(gold, pred)
    )
    return ServiceScore(variant, dialogues)


def _score_turn(
    gold: Mapping[str, Frame], pred: Mapping[str, Frame], services: Mapping[str, Service], fuzzy: bool
) -> tuple[ScoredFrame, ...]:
    scored = []
    for name, frame in gold.items():
        if name not in services:
            raise MetricError(f"unknown service {name!r}")
        answer = pred.get(name, NO_FRAME)
        goal = score_frame(frame.slots, answer.slots, services[name], fuzzy=fuzzy)
        scored.append(
            ScoredFrame(name, goal, frame.intent == answer.intent, requested_f1(frame.requested, answer.requested))
        )
    return tuple(scored)


def requested_f1(gold: Sequence[str], pred: Sequence[str]) -> float:
    """F1 of the slots a turn asks for; 1 where neither side asks for any."""
    common = (Counter(gold) & Counter(pred)).total()
    precision = common / len(pred) if pred else 1.0
    recall = common / len(gold) if gold else 1.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


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
