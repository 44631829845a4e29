"""BLEU of responses, accuracy and F1 of dialogue acts: thin calls of `sacrebleu` and `scikit-learn`.

Neither is needed by anything else, so they are imported when asked for and named when missing. Source: CoSQL paper, section 6
(BLEU for response generation, accuracy for user dialogue acts, F-scores of single acts).
"""

import importlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from .errors import AlignmentError, MetricError, MissingLibraryError


@dataclass(frozen=True, slots=True)
class Bleu:
    """Corpus BLEU in [0, 100], and sacrebleu's signature: without it a figure cannot be compared with another."""

    score: float
    signature: str


def bleu(
    references: Sequence[Sequence[str]] | Sequence[str], predictions: Sequence[str], *, tokenize: str = "13a"
) -> Bleu:
    """Corpus BLEU of `predictions`, each against its reference or references.

    `tokenize` is sacrebleu's: "13a" for plain text, "none" for text that comes tokenized, as the CoSQL baselines' does.
    Raises `AlignmentError` if the numbers differ.
    """
    rows = [[reference] if isinstance(reference, str) else list(reference) for reference in references]
    if len(rows) != len(predictions):
        raise AlignmentError(f"{len(rows)} references, {len(predictions)} predictions")
    if not rows or not all(rows):
        raise MetricError("BLEU needs at least one prediction, and a reference for each")
    metric = _library("sacrebleu").BLEU(tokenize=tokenize)
    widest = max(map(len, rows))
    # sacrebleu wants the k-th references of all items together; an item with fewer has None there.
    streams = [[row[k] if k < len(row) else None for row in rows] for k in range(widest)]
    result = metric.corpus_score(list(predictions), streams)
    return Bleu(float(result.score), str(metric.get_signature()))


@dataclass(frozen=True, slots=True)
class ActScore:
    """`accuracy`: turns whose set of acts is right. `micro_f1`, `macro_f1` and `f1` by act over the acts that occur."""

    accuracy: float
    micro_f1: float
    macro_f1: float
    f1: Mapping[str, float]


def score_acts(gold: Sequence[Collection[str]], pred: Sequence[Collection[str]]) -> ActScore:
    """Accuracy and F1 of dialogue acts, any number of them a turn. Raises `AlignmentError` if the numbers of turns differ.

    An act that is on neither side of a turn is no evidence; F1 of an act never predicted is 0.
    """
    if len(gold) != len(pred):
        raise AlignmentError(f"{len(gold)} gold turns, {len(pred)} predicted ones")
    acts = sorted({act for row in (*gold, *pred) for act in row})
    if not acts:
        raise MetricError("no dialogue act on either side")
    metrics = _library("sklearn.metrics", "scikit-learn")
    # With a single column scikit-learn would score absence as a second class; an empty column more prevents that, and
    # `labels` keeps it out of the means.
    left, right = ([[*(int(act in row) for act in acts), 0] for row in map(frozenset, side)] for side in (gold, pred))

    def f1(average: str | None) -> Any:
        return metrics.f1_score(left, right, labels=range(len(acts)), average=average, zero_division=0.0)

    return ActScore(
        float(metrics.accuracy_score(left, right)),
        float(f1("micro")),
        float(f1("macro")),
        {act: float(figure) for act, figure in zip(acts, f1(None), strict=True)},
    )


def _library(module: str, package: str | None = None) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(f"this metric needs {package or module}: pip install {package or module}") from error
