"""Joint goal accuracy, slot accuracy and joint F1 of slot states, with every published way to treat `none` and `dontcare` named.

The same predictions score several points apart under these ways, so a figure means nothing without its variant's name. A state
maps a slot (`domain-slot`, spelled alike on both sides) to its value. Absent, `none` (the annotator wrote it) and `dontcare`
are three things; each variant says which of them it merges. Values "" and "not mentioned" are absence in the data itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .errors import MetricError, aligned

State = Mapping[str, str]
ABSENT: Final = frozenset(("", "not mentioned"))
_NONE: Final = frozenset(("none",))
_DONTCARE: Final = frozenset(("dontcare",))


class Scope(StrEnum):
    """Which slots count."""

    ALL = "all"
    GOLD = "gold"
    """The slots that the gold state mentions, be it as "": what is predicted beside them is forgiven."""
    INVENTORY = "inventory"
    """The slots of a given inventory, on both sides."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to compare states: the values that count as absence in gold and in the prediction, the slots that count, and
    whether values are compared as sets of `|`-separated alternatives, without blanks and case (one in common is enough)."""

    name: str
    gold_absent: frozenset[str] = ABSENT
    pred_absent: frozenset[str] = ABSENT
    scope: Scope = Scope.ALL
    alternatives: bool = False


VARIANTS: Final[Mapping[str, Variant]] = {
    variant.name: variant
    for variant in (
        # Nothing merged. Not published; the one to develop against.
        Variant("strict"),
        # TRADE (Wu et al. 2019) and most trackers after it: `none` is no slot, `dontcare` is a value.
        Variant("trade", ABSENT | _NONE, ABSENT | _NONE),
        # SUMBT, SOM-DST: a class for every slot of the ontology, `none` among them; other slots do not exist.
        Variant("per-slot", ABSENT | _NONE, ABSENT | _NONE, Scope.INVENTORY),
        # SimpleTOD's script until September 2020: drops `dontcare` on both sides and `none` from predictions only.
        Variant("simpletod-2020", ABSENT | _DONTCARE, ABSENT | _DONTCARE | _NONE),
        # The same script after its correction (simpletod issue 5): `dontcare` counts again.
        Variant("simpletod-fixed", ABSENT, ABSENT | _NONE),
        # What reproduces SimpleTOD's published figure, by the reports in simpletod issues 5 and 8.
        Variant("ignore-none-dontcare", ABSENT | _NONE | _DONTCARE, ABSENT | _NONE | _DONTCARE),
        # ConvLab-3's evaluate_unified_datasets: gold filters the prediction (ConvLab-3 issue 132).
        Variant("convlab3", frozenset(("",)), frozenset(("",)), Scope.GOLD, alternatives=True),
    )
}


@dataclass(frozen=True, slots=True)
class TurnScore:
    """One turn: `joint`, the slots compared as `right`, `wrong` (both sides have it), `missed` (gold only), `spurious`."""

    joint: bool
    right: int
    wrong: int
    missed: int
    spurious: int

    @property
    def errors(self) -> int:
        return self.wrong + self.missed + self.spurious

    @property
    def f1(self) -> float:
        """TRADE's F1 of a turn: 1 if both states are empty, 0 if only gold's is."""
        predicted, gold = self.right + self.wrong + self.spurious, self.right + self.wrong + self.missed
        return 2 * self.right / (predicted + gold) if predicted + gold else 1.0


@dataclass(frozen=True, slots=True)
class SlotScore:
    """Means over turns, in [0, 1]. `slot_accuracy` is None without an inventory. `turns`: the single turns, in order.

    `dialogue_accuracy` and `mean_prefix` are the SMCalFlow paper's: dialogues right throughout, and turns before the first error.
    """

    variant: str
    joint_goal_accuracy: float
    slot_accuracy: float | None
    joint_f1: float
    dialogue_accuracy: float
    mean_prefix: float
    turns: tuple[tuple[TurnScore, ...], ...]


def score_turn(gold: State, pred: State, variant: Variant, inventory: Collection[str] | None = None) -> TurnScore:
    """One turn's states compared. Raises `MetricError` if the variant needs an inventory and none is given."""
    if variant.scope is Scope.INVENTORY:
        if inventory is None:
            raise MetricError(f"variant {variant.name!r} needs the inventory of slots")
        known = frozenset(inventory)
        gold = {slot: value for slot, value in gold.items() if slot in known}
        pred = {slot: value for slot, value in pred.items() if slot in known}
    if variant.scope is Scope.GOLD:
        pred = {slot: value for slot, value in pred.items() if slot in gold}
    left = {slot: value for slot, value in gold.items() if value not in variant.gold_absent}
    right = {slot: value for slot, value in pred.items() if value not in variant.pred_absent}
    both = left.keys() & right.keys()
    agreed = sum(_same(left[slot], right[slot], variant) for slot in both)
    missed, spurious = len(left) - len(both), len(right) - len(both)
    wrong = len(both) - agreed
    return TurnScore(not (wrong or missed or spurious), agreed, wrong, missed, spurious)


def _same(gold: str, pred: str, variant: Variant) -> bool:
    if not variant.alternatives:
        return gold == pred
    left, right = ({"".join(value.split()).lower() for value in side.split("|")} for side in (gold, pred))
    return not left.isdisjoint(right)


def score_slots(
    gold: Sequence[Sequence[State]],
    pred: Sequence[Sequence[State]],
    variant: Variant | str = "trade",
    inventory: Collection[str] | None = None,
) -> SlotScore:
    """Figures over dialogues of turn states.

    Slot accuracy is TRADE's: errors of a turn over the size of the inventory, subtracted from 1, so it can be negative where
    slots outside of the inventory are predicted. Raises `AlignmentError` if dialogues or turns differ in number.
    """
    if isinstance(variant, str):
        if variant not in VARIANTS:
            raise MetricError(f"unknown variant {variant!r}; known: {', '.join(VARIANTS)}")
        variant = VARIANTS[variant]
    dialogues = [
        tuple(score_turn(state, answer, variant, inventory) for state, answer in pairs) for pairs in aligned(gold, pred)
    ]
    turns = [turn for dialogue in dialogues for turn in dialogue]
    size = len(frozenset(inventory)) if inventory is not None else 0
    return SlotScore(
        variant.name,
        mean([turn.joint for turn in turns]),
        mean([1 - turn.errors / size for turn in turns]) if size else None,
        mean([turn.f1 for turn in turns]),
        mean([all(turn.joint for turn in dialogue) for dialogue in dialogues]),
        mean([prefix_length([turn.joint for turn in dialogue]) for dialogue in dialogues]),
        tuple(dialogues),
    )


def prefix_length(verdicts: Sequence[bool]) -> int:
    """Turns before the first wrong one."""
    return next((i for i, right in enumerate(verdicts) if not right), len(verdicts))


def mean(figures: Sequence[float]) -> float:
    """0 for no figures, as the published scripts print."""
    return sum(figures) / len(figures) if figures else 0.0


def flatten_state(state: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, str]:
    """A `{domain: {"semi": ..., "book": ...}}` state as `domain-slot` (`domain-book slot` for booking slots, TRADE's names)."""
    return {
        f"{domain}-{'book ' if part == 'book' else ''}{slot}": value
        for domain, parts in state.items()
        for part, slots in parts.items()
        for slot, value in slots.items()
    }
