"""`dlc eval --against`: two systems on the same turns, figure by figure, and how likely chance alone sets them apart."""

from collections.abc import Sequence
from typing import Final

from dlc.metrics.significance import mcnemar, paired_permutation
from dlc.metrics.slots import mean

from .eval_figures import Cell, Measure, Section

_COLUMNS: Final = (
    "figure",
    "items",
    "pred",
    "against",
    "difference",
    "only pred right",
    "only against right",
    "McNemar p",
    "permutation p",
    "assignments",
)


def comparison(pred: Sequence[Measure], against: Sequence[Measure]) -> Section:
    """A row for each figure. Both sides come from the same gold, so their items stand side by side.

    McNemar's test is over single items and takes them as independent; the permutation test exchanges whole dialogues, and
    is the one to trust for turns. `assignments`: "all" were counted, or how many were drawn.
    """
    rows = tuple(_row(ours, theirs) for ours, theirs in zip(pred, against, strict=True))
    return Section("pred against the other", _COLUMNS, rows)


def _row(ours: Measure, theirs: Measure) -> tuple[Cell, ...]:
    found = paired_permutation(ours.values, theirs.values, groups=ours.groups)
    only: tuple[Cell, Cell, Cell] = (None, None, None)
    if ours.verdicts:
        single = mcnemar([bool(v) for v in ours.values], [bool(v) for v in theirs.values])
        only = (single.only_a, single.only_b, single.p)
    return (
        ours.name,
        len(ours.values),
        float(mean(ours.values)),
        float(mean(theirs.values)),
        found.difference,
        *only,
        found.p,
        "all" if found.exact else str(found.trials),
    )
