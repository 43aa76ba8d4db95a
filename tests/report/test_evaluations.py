"""Where trials ended, by losses and by metrics, and the ranking of configurations."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.report.evaluations import final_losses, measured, objective
from gandist.report.merge import merge_job
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

    assert (distance.title, distance.direction) == ("frechet (pixels)", "lower is better")
    assert (recall.title, recall.direction) == ("recall (pixels)", "higher is better")


def test_values_of_another_protocol_are_another_metric(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed, protocol in enumerate(["few images", "many images"]):
        trial = job_dir.trial(f"slow-seed{seed}")
        write_metrics(trial, "slow", seed, STEPS, end=20.0 + seed, protocol=protocol)
        trial.write_state(state(STEPS))
    merged = merge_job(job_dir)

    found = {metric.title: metric for metric in measured(merged)}

    names = ("frechet (pixels)", "recall (pixels)")
    assert sorted(found) == [f"{name} (protocol {i})" for name in names for i in (1, 2)]
    assert found["frechet (pixels) (protocol 1)"].scores(merged.members).values == {0: 20.0}
    assert found["frechet (pixels) (protocol 2)"].scores(merged.members).values == {1: 21.0}


@pytest.mark.parametrize(
    ("evaluation", "name"),
    [
        ({"metrics": ["recall", "frechet"]}, "recall"),
        ({"metrics": ["unknown"]}, "frechet"),
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


def test_final_values_are_those_of_the_trials_that_completed_and_the_others_failed(merged):
    distance, recall = measured(merged)
    found = distance.scores(merged.members)

    assert found.values == {0: 20.0, 1: 21.0}
    assert found.failed == {2: "unstable"}
    assert found.lower_is_better
    assert list(recall.scores(merged.members).values) == [0, 1]
    assert not recall.scores(merged.members).lower_is_better


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

    assert measured(merged)[0].scores(merged.members).values.get(0) == value


def test_an_evaluation_that_is_not_finite_is_no_value(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    write_metrics(trial, "slow", 0, 100, end=20.0, value=[np.inf, 0.5, np.nan, 0.6])
    trial.write_state(state(100))
    merged = merge_job(job_dir)
    distance, recall = measured(merged)

    assert distance.series(merged.members[0]).values.size == 0
    assert distance.scores(merged.members).n == 0
    assert recall.scores(merged.members).values == {0: 0.6}


def add(job_dir, seed, status="completed", **changes):
    """A trial with distances 30, 10, 20 and recalls 0.1, 0.5, 0.4 after 50, 100 and 150 steps."""
    trial = job_dir.trial(f"slow-seed{seed}")
    write_metrics(
        trial, "slow", seed, 150, end=1.0, **({"value": [30.0, 0.1, 10.0, 0.5, 20.0, 0.4]} | changes)
    )
    return trial, state(150, status=status)


def test_the_best_on_the_way_goes_by_the_direction_of_the_metric(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed, status in enumerate(["completed", "unstable"]):
        trial, ended = add(job_dir, seed, status)
        trial.write_state(ended)
    [completed, unstable] = merge_job(job_dir).members
    distance, recall = measured(merge_job(job_dir))

    assert distance.best(completed) == (100, 10.0)
    assert recall.best(completed) == (100, 0.5)
    assert distance.best(unstable) is None


def test_a_trial_that_chose_a_checkpoint_counts_with_its_reported_value(empty_job):
    job_dir = empty_job(("slow", 0))
    trial, ended = add(job_dir, 0)
    trial.write_state(ended.model_copy(update={"best_step": 50}))  # by other images than those of the report
    merged = merge_job(job_dir)
    distance, _ = measured(merged)

    assert distance.last(merged.members[0]) == 20.0
    assert distance.chosen(merged.members[0]) == (50, 30.0)
    assert distance.scores(merged.members).values == {0: 30.0}


def test_rows_that_choose_are_no_metric_and_no_value(empty_job):
    job_dir = empty_job(("slow", 0))
    splits = ["held_out", "held_out", "held_out", "held_out", "selection", "selection"]
    trial, ended = add(job_dir, 0, split=splits, protocol="p")
    trial.write_state(ended)
    merged = merge_job(job_dir)

    distance, recall = measured(merged)

    assert distance.series(merged.members[0]).values.tolist() == [30.0, 10.0]
    assert recall.series(merged.members[0]).values.tolist() == [0.1, 0.5]
    assert distance.scores(merged.members).n == 0  # none is after the last step


def test_floors_and_standard_errors_stand_with_their_metric(empty_job):
    job_dir = empty_job(("slow", 0))
    trial, ended = add(job_dir, 0, floor=[0.9, None] * 3, error=[0.1, None, 0.2, None, 0.3, None])
    trial.write_state(ended)
    merged = merge_job(job_dir)
    distance, recall = measured(merged)

    assert (distance.floor, recall.floor) == (0.9, None)
    assert distance.error(merged.members[0]) == 0.3
    assert recall.error(merged.members[0]) is None


def test_of_seeds_that_failed_alone_nothing_is_said_before_the_others_have_ended(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed, status in enumerate(["diverged", "running"]):
        trial, ended = add(job_dir, seed, status)
        trial.write_state(ended)
    merged = merge_job(job_dir)

    assert measured(merged)[0].scores(merged.members).n == 0
    assert measured(merged)[0].scores(merged.members[:1]).failed == {0: "diverged"}
