"""Whether configurations differ: rank tests against enumeration and scipy, and their correction."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, rankdata

from gandist.report import comparisons
from gandist.report.comparisons import (
    Comparison,
    adjust,
    can_tell,
    compare,
    compare_with_first,
    least_seeds,
    seeds_to_tell,
)

INF = math.inf


def floats(*values: float) -> np.ndarray:
    return np.asarray(values, np.float64)


def enumerated(first: np.ndarray, second: np.ndarray) -> float:
    """The two-sided p over all ways to deal the values to the two groups."""
    ranks = rankdata(np.concatenate([first, second]))
    middle = ranks.sum() * first.size / ranks.size
    away = abs(ranks[: first.size].sum() - middle) - 1e-9
    dealt = itertools.combinations(ranks, first.size)
    return float(np.mean([abs(sum(some) - middle) >= away for some in dealt]))


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 3), (5, 5), (4, 7), (12, 9)])
def test_without_ties_p_is_that_of_scipy(n, m):
    random = np.random.default_rng(n)
    first, second = random.normal(size=n), random.normal(0.8, size=m)

    found = compare(first, second)

    expected = mannwhitneyu(second, first, method="exact")
    assert (found.better, found.pairs) == (expected.statistic, n * m)
    assert found.p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (floats(1, 2, 2, INF), floats(2, 3, INF, INF, 5)),
        (floats(1, 1, 1), floats(1, 1, 1, 1)),
        (floats(INF, INF, INF, INF), floats(1, 2, 3, 4)),
        (floats(1, 2, 3, 4, INF), floats(5, 6, INF, INF, INF)),
    ],
)
def test_with_ties_and_failures_p_is_that_of_all_permutations(first, second):
    assert compare(first, second).p == pytest.approx(enumerated(first, second))


def test_pairs_are_counted_and_a_tie_is_half_a_pair():
    found = compare(floats(1, 2, INF), floats(2, 3))

    assert (found.better, found.pairs) == (3.5, 6)


def test_of_many_seeds_p_is_that_of_the_normal_distribution():
    random = np.random.default_rng(0)
    first, second = random.normal(size=70).round(1), random.normal(0.5, size=80).round(1)

    expected = mannwhitneyu(first, second, method="asymptotic")

    assert compare(first, second).p == pytest.approx(expected.pvalue)
    assert compare(np.ones(70), np.ones(80)).p == 1.0


@pytest.mark.parametrize(
    ("p_values", "configs", "adjusted"),
    [
        ([0.01], 2, [0.01]),
        ([0.01, 0.02, 0.04], 3, [0.03, 0.03, 0.04]),  # Holm: 0.03, 0.04, 0.04
        ([0.04, 0.01, 0.02], 3, [0.04, 0.03, 0.03]),
        ([0.001, 0.2, 0.004, 0.3, 0.005, 0.4], 4, [0.006, 0.6, 0.012, 0.6, 0.015, 0.6]),
        ([0.5, 0.5, 0.5], 3, [1.0, 1.0, 1.0]),
    ],
)
def test_p_is_adjusted_by_how_many_pairs_can_still_be_equal(p_values, configs, adjusted):
    assert adjust(p_values, configs) == pytest.approx(adjusted)


def test_the_first_one_is_compared_with_each_of_the_others_over_all_pairs():
    best, middle, far = floats(1, 2, 3, 4, 5), floats(2.5, 3.5, 4.5, 6, 7), floats(11, 12, 13, 14, 15)

    close, clear = compare_with_first([best, middle, far])

    assert (close.better, clear.better) == (19, 25)
    assert clear.adjusted == pytest.approx(3 * 2 / 252)
    assert clear.is_better
    assert not close.is_significant


def test_of_hundreds_of_configurations_only_pairs_with_the_first_are_tested_for_all(monkeypatch):
    groups = [floats(*range(10)), *(floats(*range(at, at + 10)) for at in (3, 20))]
    full = compare_with_first(groups)
    monkeypatch.setattr(comparisons, "MOST", 2)

    bounded = compare_with_first(groups)

    assert [it.adjusted for it in bounded] == [min(1.0, 3 * it.p) for it in bounded]
    assert all(a.adjusted >= b.adjusted for a, b in zip(bounded, full, strict=True))


def test_what_is_worse_is_not_better_however_significant():
    assert not Comparison(2, 25, 0.01, 0.01).is_better
    assert Comparison(2, 25, 0.01, 0.01).is_significant


@pytest.mark.parametrize(("configs", "seeds"), [(2, 4), (3, 5), (4, 5), (5, 6), (10, 7), (20, 8)])
def test_the_fewest_seeds_that_could_tell(configs, seeds):
    assert least_seeds(configs) == seeds
    assert can_tell([seeds] * configs)
    assert not can_tell([seeds - 1] * configs)


def test_three_against_three_can_tell_nothing_and_two_larger_groups_can():
    assert not can_tell([3, 3])
    assert can_tell([3, 6])
    assert not can_tell([5])


def test_the_wider_apart_the_fewer_seeds_would_tell_and_never_fewer_than_could():
    needed = [seeds_to_tell(Comparison(better, 25, 1.0), 4) for better in (25, 22, 20, 19)]

    assert needed == sorted(needed)
    assert needed[0] >= least_seeds(4)
    assert seeds_to_tell(Comparison(12.5, 25, 1.0), 2) is None
    assert seeds_to_tell(Comparison(13, 25, 1.0), 2) is None
    assert seeds_to_tell(Comparison(3, 25, 1.0), 4) == seeds_to_tell(Comparison(22, 25, 1.0), 4)


def test_so_many_seeds_tell_in_about_eight_of_ten_jobs():
    random, shift = np.random.default_rng(0), 1.2
    share = 0.5 * (1 + math.erf(shift / 2))
    seeds = seeds_to_tell(Comparison(share * 1e6, 10**6, 1.0), 2)

    told = [compare(random.normal(size=seeds), random.normal(shift, size=seeds)).p < 0.05 for _ in range(400)]

    assert 0.7 < np.mean(told) < 0.9
