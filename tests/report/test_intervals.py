"""Intervals of medians and of shares, against published values and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gandist.report.intervals import Interval, median_interval, share_interval

INF = math.inf
SHAPES = {
    "normal": lambda random, size: random.normal(size=size),
    "lognormal": lambda random, size: random.lognormal(size=size),
    "heavy tails": lambda random, size: random.standard_t(2, size=size),
}
MEDIANS = {"normal": 0.0, "lognormal": 1.0, "heavy tails": 0.0}


@pytest.mark.parametrize(("n", "coverage"), [(2, 0.5), (3, 0.75), (4, 0.875), (5, 0.9375)])
def test_of_fewer_than_six_values_it_is_their_range_with_its_coverage(n, coverage):
    assert median_interval([*range(n)][::-1]) == Interval(0.0, n - 1.0, coverage)


def test_of_more_values_it_lies_between_the_order_statistics_around_95_percent():
    found = median_interval([*range(1, 9)])  # 1 to 8 has 99.2%, 2 to 7 has 93.0%

    assert found.coverage == 0.95
    assert 1.0 < found.low < 2.0
    assert found.low + found.high == pytest.approx(9.0)
    # Hettmansperger and Sheather 1986, equation 2, by hand: I = 0.6756, weight = 0.9357
    assert found.low == pytest.approx(1.9357, abs=1e-3)


def test_one_value_has_none():
    assert median_interval([3.0]) is None
    assert median_interval([]) is None


def test_seeds_that_failed_are_its_worst_end():
    assert median_interval([1.0, 2.0, INF]) == Interval(1.0, INF, 0.75)
    assert median_interval([INF] * 8) == Interval(INF, INF)
    assert median_interval([*range(1, 8), INF]).high == INF


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "least", "most"), [(5, 0.92, 0.955), (8, 0.93, 0.965), (20, 0.93, 0.97)])
def test_it_holds_the_median_as_often_as_it_says_whatever_the_distribution(shape, n, least, most):
    jobs = SHAPES[shape](np.random.default_rng(n), (2000, n))
    found = [median_interval(values) for values in jobs]

    assert least <= np.mean([it.low <= MEDIANS[shape] <= it.high for it in found]) <= most


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(1, 5, 0.0051, 0.7164), (0, 5, 0.0, 0.5218), (5, 5, 0.4782, 1.0), (0, 1, 0.0, 0.975)],
)
def test_a_share_has_the_exact_interval_of_published_tables(count, of, low, high):
    found = share_interval(count, of)

    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
