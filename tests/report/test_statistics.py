"""Statistics over seeds, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gandist.report.statistics import (
    Series,
    band,
    changes,
    final_value,
    finite_rows,
    last_value,
    summary,
)

NAN, INF = math.nan, math.inf


def seed(*values: float, first: int = 1, kimg_per_step: float = 0.5) -> Series:
    steps = np.arange(first, first + len(values))
    return Series(steps, steps * kimg_per_step, np.array(values, np.float64))


def test_a_band_is_the_mean_and_the_range_over_seeds():
    found = band([seed(1.0, 2.0), seed(3.0, 8.0), seed(5.0, 2.0)])

    np.testing.assert_array_equal(found.x, [0.5, 1.0])
    np.testing.assert_array_equal(found.mean, [3.0, 4.0])
    np.testing.assert_array_equal(found.low, [1.0, 2.0])
    np.testing.assert_array_equal(found.high, [5.0, 8.0])
    np.testing.assert_array_equal(found.n, [3, 3])
    assert found.steps_per_point == 1


def test_one_seed_has_a_curve_but_no_band():
    found = band([seed(1.0, 2.0)])

    np.testing.assert_array_equal(found.mean, [1.0, 2.0])
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_seed_counts_up_to_its_first_value_that_is_not_finite(bad):
    found = band([seed(1.0, 1.0, 1.0), seed(3.0, bad, 100.0)])

    np.testing.assert_array_equal(found.mean, [2.0, 1.0, 1.0])
    np.testing.assert_array_equal(found.n, [2, 1, 1])
    np.testing.assert_array_equal(found.high, [3.0, NAN, NAN])
    assert changes(found.n) == [1]


def test_a_seed_that_is_behind_shrinks_n_and_an_empty_one_counts_nowhere():
    found = band([seed(1.0, 2.0, 3.0), seed(3.0), seed()])

    np.testing.assert_array_equal(found.mean, [2.0, 2.0, 3.0])
    np.testing.assert_array_equal(found.n, [2, 1, 1])


def test_long_curves_are_thinned_by_the_means_of_consecutive_steps():
    found = band([seed(1.0, 3.0, 5.0, 7.0, 10.0), seed(3.0, 5.0, 7.0, 9.0, 20.0)], points=3)

    assert found.steps_per_point == 2
    np.testing.assert_array_equal(found.x, [0.75, 1.75, 2.5])
    np.testing.assert_array_equal(found.mean, [3.0, 7.0, 15.0])
    np.testing.assert_array_equal(found.low, [2.0, 6.0, 10.0])
    np.testing.assert_array_equal(found.high, [4.0, 8.0, 20.0])


@pytest.mark.parametrize("steps", [1, 249, 250, 251, 1000, 12_345])
def test_there_are_never_more_points_than_asked_for(steps):
    found = band([seed(*np.ones(steps))], points=250)

    assert min(steps, 125) <= found.x.size <= 250
    np.testing.assert_array_equal(found.mean, np.ones(found.x.size))


def test_missing_steps_make_no_points():
    late = Series(np.array([1, 2, 9]), np.array([1.0, 2.0, 9.0]), np.array([4.0, 5.0, 6.0]))

    np.testing.assert_array_equal(band([late]).x, [1.0, 2.0, 9.0])


def test_evaluations_far_apart_are_points_of_their_own():
    at = np.array([1000, 2000, 3000])
    found = band(
        [Series(at, at / 10, np.array([3.0, 2.0, 1.0])), Series(at[:2], at[:2] / 10, np.array([5.0, 4.0]))]
    )

    assert found.steps_per_point == 1
    np.testing.assert_array_equal(found.x, [100.0, 200.0, 300.0])
    np.testing.assert_array_equal(found.mean, [4.0, 3.0, 1.0])
    np.testing.assert_array_equal(found.n, [2, 2, 1])


def test_no_values_make_an_empty_band():
    assert band([]).x.size == 0
    assert band([seed(), seed(NAN, 1.0)]).n.size == 0


def test_finite_rows_looks_at_all_columns():
    assert finite_rows(np.array([1.0, 2.0, NAN]), np.array([1.0, INF, 3.0])) == 1
    assert finite_rows(np.array([1.0, 2.0])) == 2
    assert finite_rows(np.array([])) == 0


def test_the_final_value_is_the_mean_of_the_last_twentieth_of_the_steps():
    values = [*[100.0] * 95, 1.0, 2.0, 3.0, 4.0, 5.0]

    assert final_value(seed(*values), total_steps=100) == 3.0
    assert final_value(seed(100.0, 7.0), total_steps=2) == 7.0


@pytest.mark.parametrize(
    "unfinished",
    [seed(), seed(1.0, 2.0), seed(1.0, 2.0, NAN), seed(NAN, 2.0, 3.0)],
    ids=["nothing", "running", "diverged at the end", "diverged at once"],
)
def test_a_trial_that_diverged_or_is_on_its_way_has_no_final_value(unfinished):
    assert final_value(unfinished, total_steps=3) is None


def test_without_a_known_last_step_there_is_no_final_value():
    assert final_value(seed(1.0, 2.0), total_steps=0) is None


def test_a_summary_has_the_sample_standard_deviation():
    found = summary([1.0, 2.0, 3.0, 4.0])

    assert (found.mean, found.n) == (2.5, 4)
    assert found.sd == pytest.approx(math.sqrt(5 / 3))


def test_a_summary_leaves_out_what_is_not_finite_and_makes_up_no_spread():
    assert summary([1.0, NAN, 3.0, INF]).n == 2
    one = summary([2.0])
    assert (one.mean, one.n) == (2.0, 1)
    assert math.isnan(one.sd)
    assert math.isnan(summary([]).mean)


def test_the_last_value_is_the_one_after_the_last_step():
    assert last_value(seed(3.0, 2.0, 1.0), total_steps=3) == 1.0
    for unfinished in (seed(), seed(3.0, 2.0), seed(3.0, 2.0, NAN)):
        assert last_value(unfinished, total_steps=3) is None
    assert last_value(seed(1.0), total_steps=0) is None
