"""Where the dots of a dot plot lie."""

from __future__ import annotations

import math

import pytest

from gandist.report.dots import EDGE, WIDTH, dots
from tests.report.test_ranking import scores


def test_all_strips_share_an_axis_from_the_least_to_the_greatest_value():
    low, high = dots([scores(10.0, 15.0), scores(20.0)]).strips

    assert low.dots[0] == EDGE
    assert high.dots == [WIDTH - EDGE]
    assert low.dots[1] == WIDTH / 2
    assert low.median == WIDTH / 2 - (WIDTH / 2 - EDGE) / 2
    assert low.interval == (low.dots[0], low.dots[1])
    assert high.interval is None


@pytest.mark.parametrize("lower", [True, False])
def test_failed_seeds_stand_beyond_all_values_at_the_bad_end(lower):
    found = dots([scores(1.0, 2.0, failed=1, lower=lower), scores(1.5, lower=lower)])
    [some, none] = found.strips

    places = [*some.dots, *none.dots]
    assert found.failed > max(places) if lower else found.failed < min(places)
    assert (some.failed, none.failed) == (1, 0)
    assert found.failed in some.interval


def test_where_half_of_the_seeds_failed_there_is_no_median():
    assert dots([scores(1.0, failed=1), scores(2.0)]).strips[0].median is None


def test_values_of_other_magnitudes_have_a_logarithmic_axis():
    found = dots([scores(1.0, 10.0, 100.0)])

    assert found.logarithmic
    assert found.strips[0].dots[1] == WIDTH / 2
    assert not dots([scores(-1.0, 100.0)]).logarithmic


def test_ticks_are_few_and_inside():
    for values in ((10.0, 20.0), (0.001, 1e5), (3.0, 3.0), (0.1, 3.0)):
        found = dots([scores(*values)])
        assert 1 <= len(found.ticks) <= 7
        assert all(EDGE <= x <= WIDTH - EDGE for x, _ in found.ticks)


def test_seeds_that_all_failed_are_drawn():
    found = dots([scores(failed=3)])

    assert found.strips[0].failed == 3
    assert math.isfinite(found.failed)
