"""Configurations from the best one on; a seed that failed is the worst one."""

from __future__ import annotations

import math

import pytest

from gandist.report.ranking import rank
from gandist.report.scores import Scores


def scores(*values: float, failed: int = 0, lower: bool = True) -> Scores:
    return Scores(
        dict(enumerate(values)),
        dict.fromkeys(range(len(values), len(values) + failed), "diverged"),
        lower,
    )


def order(found: dict[str, Scores]) -> list[str]:
    return [standing.config for standing in rank(found)]


@pytest.mark.parametrize(("lower", "expected"), [(True, ["b", "a", "c"]), (False, ["c", "a", "b"])])
def test_configurations_are_ranked_by_their_medians(lower, expected):
    found = {"a": (2.0, 4.0), "b": (1.0, 2.0), "none": (), "c": (9.0,)}

    ranked = rank({config: scores(*values, lower=lower) for config, values in found.items()})

    assert [standing.config for standing in ranked] == expected
    assert ranked[0].against is None
    assert all(standing.against for standing in ranked[1:])


@pytest.mark.parametrize("lower", [True, False])
def test_a_seed_that_failed_is_the_worst_seed(lower):
    found = {"lucky": scores(1.0, 1.0, failed=3, lower=lower), "sound": scores(*[2.0] * 5, lower=lower)}
    if not lower:
        found["lucky"] = scores(9.0, 9.0, failed=3, lower=False)

    assert order(found) == ["sound", "lucky"]
    assert math.isinf(found["lucky"].median)
    assert rank(found)[1].against.better == 15  # of 25


def test_of_which_all_seeds_failed_is_the_last_one():
    assert order({"none": scores(failed=2), "some": scores(5.0, failed=1), "all": scores(9.0)}) == [
        "all",
        "some",
        "none",
    ]


def test_of_equals_the_earlier_one_is_first_and_of_equal_medians_the_one_with_better_ranks():
    assert order({"b": scores(1.0), "a": scores(1.0)}) == ["b", "a"]
    assert order({"wide": scores(1.0, 2.0, 9.0), "close": scores(1.0, 2.0, 3.0)}) == ["close", "wide"]


def test_scores_have_a_median_over_all_seeds_and_a_mean_of_those_with_a_value():
    found = scores(1.0, 2.0, 6.0, failed=2)

    assert (found.n, found.median, found.mean) == (5, 6.0, 3.0)
    assert math.isnan(scores(failed=1).mean)
    assert math.isnan(scores().median)


def test_the_interval_of_a_metric_of_which_higher_is_better_has_failures_at_its_low_end():
    found = scores(0.2, 0.8, failed=1, lower=False)

    assert (found.interval.low, found.interval.high) == (-math.inf, 0.8)
    assert scores(0.2, lower=False).interval is None
