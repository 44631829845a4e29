"""The figures of dataset tables on values worked out by hand, and against a slow second definition."""

import random

from dlc.metrics.corpus_tables import spread, words


def test_quantiles_are_values_that_occur():
    assert spread([5]).quantiles == (5, 5, 5)
    assert spread([1, 2, 3, 4]).quantiles == (1, 2, 3)
    assert spread([4, 1, 3, 2, 5]).quantiles == (2, 3, 4)
    assert (spread([2, 4]).mean, spread([2, 4]).total, spread([]).quantiles) == (3.0, 6, (0, 0, 0))


def test_a_quantile_is_the_least_value_that_enough_values_do_not_exceed():
    rng = random.Random(3)
    for _ in range(300):
        values = [rng.randrange(12) for _ in range(rng.randrange(1, 30))]
        slow = [min(v for v in values if sum(w <= v for w in values) >= q * len(values)) for q in (0.25, 0.5, 0.75)]
        assert list(spread(values).quantiles) == slow


def test_words():
    assert words("I don't know -- TIME_0, OK?") == ["i", "don't", "know", "-", "-", "time_0", ",", "ok", "?"]
    assert words("  ") == []
