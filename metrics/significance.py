"""Is system A better than B on the same items? McNemar's test, paired permutation tests, and agreement.

Exact where that is affordable, seeded and deterministic where it samples. Sources: McNemar 1947; Edgington and Onghena 2007 on
permutation tests; Phipson and Smyth 2010 on the p-value of a sampled one; Cohen 1960, Fleiss 1971 and Krippendorff 2004 on agreement.
"""

import math
import random
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from .errors import AlignmentError, MetricError


@dataclass(frozen=True, slots=True)
class McNemar:
    """`only_a`, `only_b`: items that only one system has right. `p`: two-sided exact; `p_chi2`: chi-squared with continuity correction."""

    only_a: int
    only_b: int
    p: float
    p_chi2: float


def mcnemar(a: Sequence[bool], b: Sequence[bool]) -> McNemar:
    """McNemar's test over paired verdicts. Raises `AlignmentError` if the lengths differ."""
    _paired(a, b)
    only_a = sum(bool(x) and not y for x, y in zip(a, b, strict=True))
    only_b = sum(bool(y) and not x for x, y in zip(a, b, strict=True))
    n = only_a + only_b
    if n == 0:
        return McNemar(0, 0, 1.0, 1.0)
    chi2 = max(abs(only_a - only_b) - 1, 0) ** 2 / n
    return McNemar(only_a, only_b, _binomial_two_sided(min(only_a, only_b), n), math.erfc(math.sqrt(chi2 / 2)))


def _binomial_two_sided(k: int, n: int) -> float:
    """Twice the chance of at most `k` heads in `n` fair throws, at most 1; exact in integers until the last step."""
    term, tail = 1, 1
    for i in range(k):
        term = term * (n - i) // (i + 1)
        tail += term
    return min(1.0, float(Fraction(2 * tail, 2**n)))


@dataclass(frozen=True, slots=True)
class Permutation:
    """`difference`: mean of A minus mean of B. `p`: two-sided. `exact`: every assignment is counted; else `trials` were drawn."""

    difference: float
    p: float
    exact: bool
    trials: int


_EXACT_TERMS = 200_000


def paired_permutation(
    a: Sequence[float],
    b: Sequence[float],
    *,
    groups: Sequence[Hashable] | None = None,
    trials: int = 10_000,
    seed: int = 0,
) -> Permutation:
    """Paired permutation (sign-flip) test on the difference of means.

    `groups` names what is exchanged as a whole: hand in dialogue ids for turn scores, since turns of one dialogue are not
    independent. All assignments are counted where that is affordable, which it is for verdicts of any number; else `trials`
    are drawn and the observed one is counted with them, so p is never 0. Sums are of fractions: ties compare exactly.
    """
    _paired(a, b)
    if groups is not None and len(groups) != len(a):
        raise AlignmentError(f"{len(groups)} groups for {len(a)} items")
    if trials < 1:
        raise MetricError("at least one trial")
    if not all(map(math.isfinite, (*a, *b))):
        raise MetricError("a score is not finite")
    if not a:
        return Permutation(0.0, 1.0, True, 0)
    sums: dict[Hashable, Fraction] = {}
    for name, x, y in zip(groups if groups is not None else range(len(a)), a, b, strict=True):
        sums[name] = sums.get(name, Fraction(0)) + Fraction(x) - Fraction(y)
    scale = math.lcm(*(value.denominator for value in sums.values()))
    observed = abs(total := sum(int(value * scale) for value in sums.values()))
    difference = float(Fraction(total, scale * len(a)))
    # Only the sizes matter, since every sign is as likely; groups without a difference cannot move the test.
    sizes = Counter(abs(int(value * scale)) for value in sums.values() if value)
    if math.prod(count + 1 for count in sizes.values()) <= _EXACT_TERMS:
        extreme = sum(ways for reached, ways in _sign_sums(sizes).items() if abs(reached) >= observed)
        return Permutation(difference, float(Fraction(extreme, 2 ** sizes.total())), True, 0)
    generator = random.Random(seed)
    ordered = sorted(sizes.items())
    drawn = (
        sum(size * (count - 2 * generator.getrandbits(count).bit_count()) for size, count in ordered)
        for _ in range(trials)
    )
    extreme = sum(abs(reached) >= observed for reached in drawn)
    return Permutation(difference, (extreme + 1) / (trials + 1), False, trials)


def _sign_sums(sizes: Counter[int]) -> Counter[int]:
    """How many of all assignments of signs reach each sum; `count` equal sizes together are a binomial."""
    reached: Counter[int] = Counter({0: 1})
    for size, count in sizes.items():
        grown: Counter[int] = Counter()
        ways = 1
        for flipped in range(count + 1):
            for total, before in reached.items():
                grown[total + size * (count - 2 * flipped)] += before * ways
            ways = ways * (count - flipped) // (flipped + 1)
        reached = grown
    return reached


# --- agreement


def observed_agreement(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Share of items that two annotators label alike; 1 for no items."""
    _paired(a, b)
    return sum(x == y for x, y in zip(a, b, strict=True)) / len(a) if a else 1.0


def cohen_kappa(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Cohen's kappa of two annotators; 1 where both use one and the same label throughout."""
    _paired(a, b)
    if not a:
        return 1.0
    n = len(a)
    left, right = Counter(a), Counter(b)
    expected = Fraction(sum(left[label] * right[label] for label in left), n * n)
    observed = Fraction(sum(x == y for x, y in zip(a, b, strict=True)), n)
    return 1.0 if expected == 1 else float((observed - expected) / (1 - expected))


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> float:
    """Fleiss' kappa: a row an item, the same number (two or more) of labels in each."""
    raters = _raters(ratings)
    if not ratings:
        return 1.0
    n = len(ratings)
    totals = Counter(label for row in ratings for label in row)
    pairs = sum(count * (count - 1) for row in ratings for count in Counter(row).values())
    observed = Fraction(pairs, n * raters * (raters - 1))
    expected = sum((Fraction(count, n * raters) ** 2 for count in totals.values()), Fraction(0))
    return 1.0 if expected == 1 else float((observed - expected) / (1 - expected))


def krippendorff_alpha(ratings: Sequence[Sequence[Hashable | None]]) -> float:
    """Krippendorff's alpha for nominal labels; None is a missing label, items with fewer than two labels are left out."""
    rows = [[label for label in row if label is not None] for row in ratings]
    rows = [row for row in rows if len(row) > 1]
    totals = Counter(label for row in rows for label in row)
    n = totals.total()
    disagreeing = n * n - sum(count * count for count in totals.values())
    if not disagreeing:
        return 1.0
    observed = sum(
        (Fraction(len(row) ** 2 - sum(c * c for c in Counter(row).values()), len(row) - 1) for row in rows), Fraction(0)
    )
    return float(1 - observed * (n - 1) / disagreeing)


def pairwise_agreement(annotators: Sequence[Sequence[Hashable]]) -> float:
    """Mean observed agreement over all pairs of annotators."""
    if len(annotators) < 2:
        raise MetricError("agreement needs two annotators")
    figures = [observed_agreement(a, b) for a, b in combinations(annotators, 2)]
    return sum(figures) / len(figures)


def _raters(ratings: Sequence[Sequence[Hashable]]) -> int:
    sizes = {len(row) for row in ratings}
    if len(sizes) > 1 or sizes & {0, 1}:
        raise AlignmentError("every item needs the same number of labels, two or more")
    return sizes.pop() if sizes else 0


def _paired(a: Sequence[object], b: Sequence[object]) -> None:
    if len(a) != len(b):
        raise AlignmentError(f"{len(a)} items against {len(b)}")
