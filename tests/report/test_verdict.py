"""What a job says of its configurations, and how often it says so of equal ones."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.report.answer import answer
from tests.report.scored import judged

CLOSE = [10.0, 12.0, 14.0, 16.0, 18.0]
FAR = [30.0, 31.0, 32.0, 33.0, 34.0]


def said(**scores: list[float | str]) -> str:
    return answer(judged(scores))


@pytest.mark.parametrize("failures", [0.0, 0.3])
@pytest.mark.parametrize(("configs", "seeds"), [(2, 5), (4, 5), (6, 8)])
def test_of_equal_configurations_one_is_called_better_in_five_percent_of_jobs_at_most(
    configs, seeds, failures
):
    random = np.random.default_rng([configs, seeds])
    jobs, false = 300, 0
    for _ in range(jobs):
        values = random.lognormal(size=(configs, seeds)).tolist()
        failed = (random.random((configs, seeds)) < failures).tolist()
        found = judged(
            {
                str(config): ["diverged" if bad else value for value, bad in zip(*rows, strict=True)]
                for config, rows in enumerate(zip(values, failed, strict=True))
            }
        )
        false += bool(found and found.ranked.beaten)

    assert false / jobs <= 0.05


def test_the_best_one_is_called_better_where_that_is_significant():
    text = said(slow=FAR, fast=CLOSE)

    assert text == (
        "fast is better than slow (frechet (mnist) 14 against 32, medians; better in 25 of 25 pairs of "
        "seeds, p = 0.008 after Holm)."
    )


def test_all_others_are_summed_up_by_the_weakest_comparison():
    text = said(a=CLOSE, b=FAR, c=[*FAR[1:], 17.0])

    assert text == (
        "a is better than the other 2 configurations (frechet (mnist) 14 against 32, medians; better in at "
        "least 24 of 25 pairs of seeds, p at most 0.024 after Holm)."
    )


def test_who_is_close_is_named_with_the_seeds_that_would_tell():
    text = said(a=CLOSE, b=[value + 4 for value in CLOSE], c=FAR)

    assert text.startswith("a is better than c (")
    assert "Its difference from b (20.5 of 25 pairs) is not significant." in text
    assert "more of each would probably tell it from b: the same job" in text


def test_where_no_difference_is_significant_it_says_how_many_more_seeds_would_tell():
    text = said(a=CLOSE, b=[value + 4 for value in CLOSE])

    assert text.startswith(
        "No difference between a, which has the best median, and b is significant with 5 seeds"
    )
    assert "About 9 more of each would probably tell: the same job with --set seeds=0..13." in text


def test_values_too_close_for_any_number_of_seeds_are_said_to_be():
    assert "dozens more would hardly tell" in said(a=CLOSE, b=[v + 0.1 for v in CLOSE])


def test_too_few_seeds_to_say_are_told_with_the_number_that_it_takes():
    text = said(a=[1.0, 2.0, 3.0], b=[11.0, 12.0, 13.0], c=[21.0, 22.0, 23.0])

    assert text.startswith(
        "3 seeds are too few to say which of 3 configurations is better: it takes at least 5 of each. "
        "The best median is that of a (frechet (mnist) 2 against 12 to 22, medians)."
    )
    assert "would probably tell it from b" in text


def test_one_seed_is_too_few():
    assert said(a=[1.0], b=[11.0]).startswith("1 seed is too few to say which of 2 configurations is better")


def test_failed_seeds_are_named_and_rank_as_the_worst():
    found = judged({"lucky": [1.0, 1.1, "diverged", "unstable", "failed"], "sound": CLOSE})

    assert [it.config for it in found.ranked.standings] == ["sound", "lucky"]
    assert "ranked as the worst seeds: 3 of the 5 seeds of lucky (diverged, unstable, failed)." in answer(
        found
    )


def test_of_which_all_seeds_failed_is_worse_than_one_that_can_be_trained():
    assert said(a=CLOSE, b=["diverged"] * 5).startswith(
        "a is better than b (frechet (mnist) 14 against failed seeds"
    )


def test_one_configuration_has_its_median_and_interval():
    assert said(a=CLOSE) == "a: frechet (mnist) 14.0 [10.0, 18.0] (median and the range of 5 seeds)."
    assert said(a=[3.0]) == "a: frechet (mnist) 3, of a single seed."


def test_what_was_pruned_has_no_place_and_did_not_fail():
    found = judged({"a": CLOSE, "b": FAR, "c": ["pruned"] * 5})

    assert [it.config for it in found.ranked.standings] == ["a", "b"]
    assert (found.pruned, found.unranked) == (["c"], [])
    assert answer(found).endswith("after Holm). 1 configuration was pruned on the way.")


def test_trials_on_their_way_are_counted():
    text = said(a=[10.0, "running"], b=[20.0, "queued"])

    assert text.startswith("So far (2 trials to go): ")


def test_a_job_without_a_value_has_no_verdict():
    assert judged({"a": ["diverged"], "b": ["running"]}) is None


def test_at_unequal_budgets_the_equal_ones_have_a_word():
    found = judged({"short": FAR, "long": CLOSE}, long=128.0)

    assert found.equal.kimg == 64.0
    assert found.equal.without == ["long"]
    assert "The budgets differ, and nothing was evaluated at equal ones." in answer(found)


def test_seeds_may_be_unequal_in_number():
    found = judged({"a": CLOSE[:4], "b": FAR})

    assert found.ranked.beaten[0].against.pairs == 20
    assert "better in 20 of 20 pairs" in answer(found)


def test_a_failure_after_another_budget_is_no_comparison_of_settings_alone():
    short = ["mode_collapse"] * 5

    assert "The budgets differ" in answer(judged({"long": CLOSE, "short": short}, short=6.4))
    assert "budgets" not in answer(judged({"long": CLOSE, "short": short}))
    assert "budgets" not in answer(judged({"long": CLOSE, "short": ["diverged"] * 5}, short=6.4))
