"""What is kept of losses that pass by in pieces is what all of them would have given."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandist.artifacts import tables
from gandist.report.statistics import Series, band, final_value
from gandist.report.thinning import COLUMNS, NORMS, Thinned, Thinner
from tests.report.conftest import FIGURES, SCHEMA, rows

STEPS = 1000
quick = settings(max_examples=30, deadline=None)


def table(steps: int = STEPS, **columns):
    return tables.decode_losses(tables.encode(rows("slow", 0, 1, steps, **columns), SCHEMA), "")


def thin(losses, cuts=(), total_steps: int = STEPS, buckets: int = 64) -> Thinned:
    thinner = Thinner(total_steps, (*NORMS, *FIGURES), buckets)
    for first, last in pairwise([0, *sorted(cuts), losses.num_rows]):
        thinner.add(losses.slice(first, last - first))
    return thinner.thinned()


def whole(losses, column: str) -> Series:
    return Series(
        *(losses[name].to_numpy().astype(t) for name, t in (("step", int), ("kimg", float), (column, float)))
    )


@quick
@given(st.lists(st.integers(1, STEPS - 1), unique=True, max_size=8))
def test_pieces_do_not_matter(cuts):
    losses = table()
    once, often = thin(losses), thin(losses, cuts)

    for column in COLUMNS:
        assert often.curves[column].steps.tolist() == once.curves[column].steps.tolist()
        np.testing.assert_allclose(often.curves[column].values, once.curves[column].values)
    assert often.finals == pytest.approx(once.finals, rel=1e-12)
    assert (often.ranges, often.rows, often.last) == (once.ranges, STEPS, STEPS)


@pytest.mark.parametrize("steps", [1, 64, 65, 1000])
def test_a_curve_keeps_a_bounded_number_of_points_each_a_mean_of_equally_many_steps(steps):
    curve = thin(table(steps)).curves["d_loss"]

    assert curve.values.size <= 64
    assert curve.counts.sum() == steps
    assert set(curve.counts[:-1]) <= {curve.width}
    assert curve.width in (1, 2, 16)


def test_curves_share_what_is_equal():
    curves = list(thin(table()).curves.values())

    assert all(other.steps is curves[0].steps and other.kimg is curves[0].kimg for other in curves)


def test_a_band_of_thinned_curves_is_the_one_of_all_steps():
    lengths = (1000, 700, 130)  # thinned by 16, 16 and 4 steps
    all_losses = [table(steps) for steps in lengths]
    exact = band([whole(losses, "g_loss") for losses in all_losses], points=63)
    thinned = band([thin(losses).curves["g_loss"] for losses in all_losses], points=63)

    assert thinned.steps_per_point == exact.steps_per_point == 16
    for field in ("x", "mean", "low", "high", "n"):
        np.testing.assert_allclose(getattr(thinned, field), getattr(exact, field), rtol=1e-12)


@pytest.mark.parametrize("cuts", [(), (10, 940), (955,)])
@pytest.mark.parametrize("total", [STEPS, 990, 1001, 0])
def test_final_values_are_exact(cuts, total):
    losses = table()
    finals = thin(losses, cuts, total).finals

    for column in COLUMNS:
        assert finals.get(column) == final_value(whole(losses, column), total)


def test_a_curve_ends_before_the_first_loss_that_is_not_finite_and_says_where():
    d_loss = np.full(STEPS, 0.5)
    d_loss[500:] = np.nan
    d_loss[600:] = 0.5
    found = thin(table(d_loss=d_loss), cuts=(300, 550))

    assert not found.finite
    assert found.finals == {}
    for column in COLUMNS:
        assert found.curves[column].counts.sum() == 500
    assert found.curves["d_loss"].last == (500 * 64 / 1000, 0.5)


def test_a_column_that_is_not_finite_does_not_end_the_others():
    d_real = np.full(STEPS, 0.5)
    d_real[100] = np.inf
    found = thin(table(d_real=d_real))

    assert found.finite
    assert found.curves["d_real"].counts.sum() == 100
    assert found.curves["d_loss"].counts.sum() == STEPS
    assert sorted(found.finals) == ["d_fake", "d_loss", "g_loss"]
    assert found.ranges["d_real"] == (0.5, 0.5)


def test_gaps_are_counted_and_the_first_ones_named():
    losses = table().filter(np.isin(np.arange(1, STEPS + 1) % 100, range(1, 100)))
    found = thin(losses, cuts=(150, 297, 298))

    assert found.gaps == ((100, 100), (200, 200), (300, 300))
    assert found.more_gaps == 6


def test_steps_far_beyond_all_others_cost_no_memory():
    found = thin(table(2, step=[1, 2**62]))

    assert found.curves["d_loss"].counts.tolist() == [1, 1]
    assert found.last == 2**62


@quick
@given(st.lists(st.integers(1, STEPS - 1), unique=True, max_size=5), st.integers(1, 30), st.integers(0, 5))
def test_a_figure_is_the_mean_of_the_steps_that_have_it(cuts, every, first):
    there = np.arange(1, STEPS + 1) % every == first % every
    values = np.random.default_rng(every).normal(size=STEPS).astype(np.float32)
    found = thin(table(r1=np.ma.masked_array(values, ~there)), cuts)
    curve = found.curves["r1"]

    assert curve.counts.sum() == there.sum()
    assert (curve.values * curve.counts).sum() == pytest.approx(values[there].sum(dtype=np.float64), abs=1e-6)
    assert curve.last[1] == values[there][-1]
    assert (curve.steps is found.curves["d_loss"].steps) == (every == 1)
    assert "r1" not in found.finals
    assert "r1" not in found.ranges


def test_a_figure_that_no_step_has_is_none():
    assert "r1" not in thin(table(r1=np.ma.masked_all(STEPS))).curves
