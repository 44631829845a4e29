"""The dialogue metrics of Genie and the MultiWOZ 3.0 paper over ThingTalk: exact and slot-only, per turn and dialogue.

Works on text: how a program is normalized, and how its slots are read, is handed in. Sources: stanford-oval/genie-toolkit,
`lib/dataset-tools/evaluation/dialogue_evaluator.ts`; Campagna et al. 2022, section 6.3.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .errors import AlignmentError, GoldError
from .slots import mean, prefix_length

Normalize = Callable[[str], str | None]
"""Target text to its canonical text; None if it does not parse or typecheck."""
Slots = Callable[[str, str], Mapping[str, Hashable]]
"""Context and target text to the slots after the turn (`thingtalk_slots.slots_after`)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One user turn. `context`: gold context the prediction was made from. `predicted_context`: the context the system reached by
    itself, None if it was given the gold one."""

    context: str
    gold: str
    predicted: str
    predicted_context: str | None = None


class Label(StrEnum):
    """What a prediction is, from best to worst."""

    OK = "ok"
    OK_SLOT = "ok_slot"
    OK_SYNTAX = "ok_syntax"
    WRONG_SYNTAX = "wrong_syntax"


@dataclass(frozen=True, slots=True)
class Rates:
    """Figures of one criterion, in [0, 1] except `mean_prefix`. Genie's column names in brackets.

    `turn_by_turn` [ok_partial]: right turns over turns. `dialogue` [ok]: dialogues with all turns right. `first_turn` [ok_initial]:
    dialogues whose first turn is right. `up_to_first_error` [ok_prefix]: turns before the first error over turns, the paper's
    "dialogue accuracy". `mean_prefix` [ok_progress]: turns before the first error per dialogue.
    """

    turn_by_turn: float
    dialogue: float
    first_turn: float
    up_to_first_error: float
    mean_prefix: float


@dataclass(frozen=True, slots=True)
class ThingTalkScore:
    """`exact` and `slot` figures, `syntax` (share of turns that parse and typecheck) and the labels, in order."""

    dialogues: int
    turns: int
    exact: Rates
    slot: Rates
    syntax: float
    labels: tuple[tuple[Label, ...], ...]


def label_turn(turn: Turn, normalize: Normalize, slots: Slots) -> Label:
    """The label of one turn. With a context of its own, the prediction's slots are read from there.

    Raises `GoldError` if gold does not normalize.
    """
    gold = normalize(turn.gold)
    if gold is None:
        raise GoldError(f"gold target does not parse or typecheck: {turn.gold[:200]}")
    predicted = normalize(turn.predicted)
    if predicted is None:
        return Label.WRONG_SYNTAX
    own = turn.context if turn.predicted_context is None else turn.predicted_context
    same_context = own == turn.context or normalize(own) == normalize(turn.context) is not None
    if predicted == gold and same_context:
        return Label.OK
    return Label.OK_SLOT if slots(own, predicted) == slots(turn.context, gold) else Label.OK_SYNTAX


def score_thingtalk(dialogues: Sequence[Sequence[Turn]], normalize: Normalize, slots: Slots) -> ThingTalkScore:
    """Figures over dialogues. A dialogue without turns is refused with `AlignmentError`: it would count as right.

    With gold contexts (`predicted_context` None) these are the published teacher-forced figures; with own contexts a turn is
    right only if the context it started from was right as well, so an error lasts until the system recovers.
    """
    for position, dialogue in enumerate(dialogues):
        if not dialogue:
            raise AlignmentError(f"dialogue {position} has no turns")
    labels = tuple(tuple(label_turn(turn, normalize, slots) for turn in dialogue) for dialogue in dialogues)
    flat = [label for row in labels for label in row]
    return ThingTalkScore(
        len(labels),
        len(flat),
        rates([[label is Label.OK for label in row] for row in labels]),
        rates([[label in (Label.OK, Label.OK_SLOT) for label in row] for row in labels]),
        mean([label is not Label.WRONG_SYNTAX for label in flat]),
        labels,
    )


def rates(verdicts: Sequence[Sequence[bool]]) -> Rates:
    """The five figures of verdicts per turn; for any criterion."""
    prefixes = [prefix_length(row) for row in verdicts]
    turns = sum(map(len, verdicts))
    return Rates(
        mean([right for row in verdicts for right in row]),
        mean([all(row) for row in verdicts]),
        mean([row[0] for row in verdicts]),
        sum(prefixes) / turns if turns else 0.0,
        mean(prefixes),
    )


def genie_row(score: ThingTalkScore, prefix: str = "") -> str:
    """The comma-separated line that Genie's evaluator prints, in its column order, rates as plain decimals."""
    pairs = [(getattr(score.exact, name), getattr(score.slot, name)) for name in _GENIE_ORDER]
    return ",".join([prefix, str(score.dialogues), str(score.turns), *(f"{x:.6g}" for pair in pairs for x in pair)])


_GENIE_ORDER = ("dialogue", "first_turn", "turn_by_turn", "up_to_first_error", "mean_prefix")
