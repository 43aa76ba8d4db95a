"""Where trials ended, by losses and by metrics, and the ranking of configurations."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.report.evaluations import best_over_time, final_losses, measured, objective
from gandist.report.merge import merge_job
from gandist.report.ranking import rank
from tests.report.conftest import rows, state
from tests.report.sweep import STEPS, write_metrics


@pytest.fixture
def merged(empty_job):
    """Three seeds of a configuration that ended at 20, 21 and 22; the last one unstable at its last step."""
    job_dir = empty_job(*(("slow", seed) for seed in range(3)))
    for seed in range(3):
        trial = job_dir.trial(f"slow-seed{seed}")
        write_metrics(trial, "slow", seed, STEPS, end=20.0 + seed)
        trial.write_losses(rows("slow", seed, 1, STEPS))
        trial.write_state(state(STEPS, status="unstable" if seed == 2 else "completed"))
    return merge_job(job_dir)


def test_metrics_stand_in_the_order_in_which_they_were_written(merged):
    distance, recall = measured(merged)

    assert (distance.title, distance.direction) == ("frechet", "lower is better")
    assert (recall.title, recall.direction) == ("recall", "higher is better")


def test_values_of_another_protocol_are_another_metric(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed, protocol in enumerate(["few images", "many images"]):
        trial = job_dir.trial(f"slow-seed{seed}")
        write_metrics(trial, "slow", seed, STEPS, end=20.0 + seed, protocol=protocol)
        trial.write_state(state(STEPS))
    merged = merge_job(job_dir)

    found = {metric.title: metric for metric in measured(merged)}

    assert sorted(found) == [f"{name} (protocol {i})" for name in ("frechet", "recall") for i in (1, 2)]
    assert found["frechet (protocol 1)"].finals(merged.members) == {0: 20.0}
    assert found["frechet (protocol 2)"].finals(merged.members) == {1: 21.0}


@pytest.mark.parametrize(
    ("evaluation", "name"),
    [
        ({"metrics": ["recall", "frechet"]}, "recall"),
        ({"metrics": ["kid"]}, "frechet"),
        ({"metrics": []}, "frechet"),
        ({"metrics": [["frechet"]]}, "frechet"),
        ("frechet", "frechet"),
        (None, "frechet"),
    ],
)
def test_the_objective_is_the_first_metric_that_the_job_names(merged, evaluation, name):
    assert objective({"evaluation": evaluation}, measured(merged)).name == name


def test_an_objective_by_its_former_name_is_that_of_today(merged):
    found = measured(merged)[::-1]
    assert [metric.name for metric in found] == ["recall", "frechet"]
    assert objective({"evaluation": {"metrics": ["frechet"]}}, found).name == "frechet"


def test_without_metrics_there_is_no_objective():
    assert objective({"evaluation": {"metrics": ["frechet"]}}, []) is None


def test_final_values_are_those_of_the_trials_that_completed(merged):
    distance, recall = measured(merged)

    assert distance.finals(merged.members) == {0: 20.0, 1: 21.0}
    assert list(recall.finals(merged.members)) == [0, 1]


def test_instability_at_the_last_step_counts_in_no_average_of_losses(merged):
    assert list(final_losses(merged.members, "d_loss")) == [0, 1]


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"status": "running"}, None),
        ({"total_steps": STEPS + 1}, None),
        ({"status": "diverged"}, None),
        ({}, 20.0),
    ],
)
def test_a_trial_has_a_final_value_when_it_has_completed_and_was_evaluated_then(empty_job, changes, value):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    write_metrics(trial, "slow", 0, STEPS, end=20.0)
    trial.write_state(state(STEPS, **changes))
    merged = merge_job(job_dir)

    assert measured(merged)[0].finals(merged.members).get(0) == value


def test_an_evaluation_that_is_not_finite_is_no_value(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    write_metrics(trial, "slow", 0, 100, end=20.0, value=[np.inf, 0.5, np.nan, 0.6])
    trial.write_state(state(100))
    merged = merge_job(job_dir)
    distance, recall = measured(merged)

    assert distance.series(merged.members[0]).values.size == 0
    assert distance.finals(merged.members) == {}
    assert recall.finals(merged.members) == {0: 0.6}


def test_the_best_over_time_goes_by_the_direction_of_the_metric(empty_job):
    job_dir = empty_job(*(("slow", seed) for seed in range(3)))
    for seed, status in enumerate(["completed", "completed", "unstable"]):
        trial = job_dir.trial(f"slow-seed{seed}")
        values = [30.0, 0.1, 10.0 + 2 * seed, 0.5, 20.0, 0.4 - 0.1 * seed]  # after 50, 100 and 150 steps
        values = [-1e9, 1e9] * 3 if status == "unstable" else values
        write_metrics(trial, "slow", seed, 150, end=1.0, value=values)
        trial.write_state(state(150, status=status))
    merged = merge_job(job_dir)
    distance, recall = measured(merged)

    best = best_over_time(distance, merged.members)
    assert (best.values.mean, best.values.n, best.steps) == (11.0, 2, (100, 100))
    assert best_over_time(recall, merged.members).values.mean == 0.5
    assert best_over_time(distance, []).values.n == 0


@pytest.mark.parametrize(("lower", "order"), [(True, ["b", "a", "c"]), (False, ["c", "a", "b"])])
def test_configurations_are_ranked_by_their_means(lower, order):
    finals = {"a": {0: 2.0, 1: 4.0}, "b": {0: 1.0, 1: 2.0}, "none": {}, "c": {1: 9.0}}

    ranked = rank(finals, lower)

    assert [standing.config for standing in ranked] == order
    assert ranked[0].gap is None


def test_each_is_compared_with_the_best_one_seed_by_seed():
    best, close, far, alone = rank(
        {
            "far": {0: 31.0, 1: 33.1, 2: 35.0},
            "alone": {2: 99.0},
            "best": {0: 10.0, 1: 12.0, 2: 14.0},
            "close": {0: 18.0, 1: 11.0, 2: 15.0},
        },
        lower_is_better=True,
    )

    assert (best.config, close.config, far.config, alone.config) == ("best", "close", "far", "alone")
    assert far.gap.mean == pytest.approx(21.03, abs=0.01)
    assert far.is_worse
    assert close.gap.n == 3
    assert not close.is_worse
    assert alone.gap is None
    assert not alone.is_worse


@pytest.mark.parametrize("lower", [True, False])
def test_the_best_mean_over_other_seeds_may_be_behind_on_those_in_common(lower):
    sign = 1.0 if lower else -1.0
    finals = {"a": {0: 10.0, 1: 10.1, 2: 1.0}, "b": {0: 8.0, 1: 8.1}}
    best, other = rank({c: {s: sign * v for s, v in f.items()} for c, f in finals.items()}, lower)

    assert (best.config, other.config) == ("a", "b")
    assert other.gap.is_significant
    assert other.is_ahead
    assert not other.is_worse


def test_of_equals_the_earlier_one_is_first():
    assert [s.config for s in rank({"b": {0: 1.0}, "a": {0: 1.0}}, lower_is_better=False)] == ["b", "a"]
