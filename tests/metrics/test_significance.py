"""Significance tests against full enumeration, and agreement figures against their textbook sums."""

import itertools
import math
import random

import pytest

from dlc.metrics.errors import AlignmentError, MetricError
from dlc.metrics.significance import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    mcnemar,
    observed_agreement,
    paired_permutation,
    pairwise_agreement,
)


def test_mcnemar_against_the_binomial_sum() -> None:
    r = random.Random(4)
    for _ in range(300):
        n = r.randint(0, 40)
        a, b = ([r.random() < p for _ in range(n)] for p in (0.6, 0.5))
        only_a = sum(x and not y for x, y in zip(a, b, strict=True))
        only_b = sum(y and not x for x, y in zip(a, b, strict=True))
        m = only_a + only_b
        tail = sum(math.comb(m, k) for k in range(min(only_a, only_b) + 1)) / 2**m
        result = mcnemar(a, b)
        assert (result.only_a, result.only_b) == (only_a, only_b)
        assert result.p == pytest.approx(min(1.0, 2 * tail))


def test_mcnemar_of_known_counts() -> None:
    a = [True] * 15 + [False] * 5 + [True] * 30
    b = [False] * 15 + [True] * 5 + [True] * 30
    result = mcnemar(a, b)
    assert result.p == pytest.approx(0.041389, abs=1e-6)
    # (10 - 1)^2 / 20 = 4.05 with one degree of freedom.
    assert result.p_chi2 == pytest.approx(0.044171, abs=1e-6)
    assert mcnemar([True] * 9, [True] * 9).p == 1.0
    assert mcnemar([True] * 20_000, [False] * 20_000).p < 1e-300


def enumerated(a: list[float], b: list[float]) -> float:
    differences = [round(1000 * (x - y)) for x, y in zip(a, b, strict=True)]
    observed = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(a))
    ]
    return sum(total >= observed for total in sums) / len(sums)


def test_exact_permutation_against_full_enumeration() -> None:
    r = random.Random(9)
    for _ in range(200):
        n = r.randint(1, 9)
        levels = r.choice(([0, 1], [0, 0.25, 0.5, 1], [i / 8 for i in range(9)]))
        a, b = ([float(r.choice(levels)) for _ in range(n)] for _ in range(2))
        result = paired_permutation(a, b)
        assert result.exact
        assert result.p == pytest.approx(enumerated(a, b))
        assert result.difference == pytest.approx((sum(a) - sum(b)) / n)


def test_verdicts_of_any_number_are_exact_and_agree_with_mcnemar() -> None:
    r = random.Random(2)
    a, b = ([r.random() < p for _ in range(7000)] for p in (0.52, 0.5))
    result = paired_permutation(a, b)
    assert result.exact
    assert result.p == pytest.approx(mcnemar(a, b).p)


def test_sampled_permutation_is_seeded_and_near_the_exact_one() -> None:
    r = random.Random(3)
    a = [r.random() + 0.05 for _ in range(60)]
    b = [r.random() for _ in range(60)]
    first, again, other = (paired_permutation(a, b, seed=seed, trials=4000) for seed in (1, 1, 2))
    assert first == again and not first.exact
    assert first.p == pytest.approx(other.p, abs=0.05)
    swapped = paired_permutation(b, a, seed=1, trials=4000)
    assert (swapped.difference, swapped.p) == (-first.difference, first.p)
    sure = paired_permutation([x + 10 for x in b], b, trials=999)
    assert sure.p == 1 / 1000


def test_sampled_ties_count_as_extreme() -> None:
    sizes = list(range(1, 21))
    signs = [1 if size % 4 in (0, 1) else -1 for size in sizes]
    a = [float(size) if sign > 0 else 0.0 for size, sign in zip(sizes, signs, strict=True)]
    b = [float(size) if sign < 0 else 0.0 for size, sign in zip(sizes, signs, strict=True)]
    assert sum(a) == sum(b)
    result = paired_permutation(a, b, trials=2000)
    # The observed difference is 0, so that no assignment is less extreme.
    assert not result.exact and result.p == 1.0


def test_groups_are_exchanged_as_a_whole() -> None:
    a, b = [True] * 12, [False] * 12
    assert paired_permutation(a, b).p == 2 / 2**12
    assert paired_permutation(a, b, groups=["x"] * 6 + ["y"] * 6).p == 2 / 2**2
    assert paired_permutation(a, b, groups=["x"] * 12).p == 1.0


def test_agreement_figures() -> None:
    a, b = list("yyyyynnnnn"), list("yyyynnnnny")
    assert observed_agreement(a, b) == 0.8
    assert cohen_kappa(a, b) == pytest.approx(0.6)
    assert pairwise_agreement([a, b, a]) == pytest.approx((0.8 + 1 + 0.8) / 3)
    assert cohen_kappa("aaa", "aaa") == 1.0
    assert cohen_kappa("ab", "ba") == -1.0
    # Two raters: Fleiss' expected agreement pools both raters' labels.
    pooled = (9 / 20) ** 2 + (11 / 20) ** 2
    rows = list(zip(list("yyyyynnnnn"), list("yyyynnnnnn"), strict=True))
    assert fleiss_kappa(rows) == pytest.approx((0.9 - pooled) / (1 - pooled))
    # Nominal alpha by its coincidence matrix: 20 values, 9 of them y; 2 of 20 ordered pairs disagree.
    assert krippendorff_alpha(rows) == pytest.approx(1 - (2 / 20) / (2 * 9 * 11 / (20 * 19)))
    assert krippendorff_alpha([*rows, ("y", None), (None, None)]) == krippendorff_alpha(rows)
    for figure in (fleiss_kappa([]), krippendorff_alpha([]), cohen_kappa([], []), observed_agreement([], [])):
        assert figure == 1.0


def test_misuse() -> None:
    with pytest.raises(AlignmentError):
        mcnemar([True], [])
    with pytest.raises(AlignmentError):
        paired_permutation([1.0], [1.0], groups=[])
    with pytest.raises(MetricError):
        paired_permutation([1.0], [1.0], trials=0)
    for value in (math.nan, math.inf):
        with pytest.raises(MetricError, match="finite"):
            paired_permutation([value], [1.0])
    with pytest.raises(AlignmentError):
        fleiss_kappa(["ab", "abc"])
    with pytest.raises(AlignmentError):
        fleiss_kappa(["a"])
    with pytest.raises(MetricError):
        pairwise_agreement([["a"]])
    assert paired_permutation([], []).p == 1.0
