"""What is to be said of a job that asks for less than was trained, and of trials of other settings."""

from __future__ import annotations

from typing import Any

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.runner.plan import MAX_LINES, make_plan, refusal, shortened

from .conftest import make_job

A = "base-seed0"
LONG, SHORT = {"epochs": 50}, {"epochs": 20}


@pytest.mark.parametrize(
    ("trained", "asked", "step", "status", "says"),
    [
        (LONG, SHORT, 100, "completed", "1 finished, which stay as they are"),
        (LONG, SHORT, 60, "stopped", "1 that end where they stand"),
        (LONG, SHORT, 30, "stopped", None),
        (LONG, LONG, 100, "completed", None),
        (SHORT, LONG, 100, "completed", None),
        ({"steps": 9}, {"steps": 6}, 7, "running", "1 that end where they stand"),
        ({"steps": 9}, {"steps": 6}, 6, "running", None),
        ({"steps": 90}, {"kimg": 2.0}, 90, "completed", "1 finished"),
        ({"kimg": 9.0}, {"steps": 90}, 90, "completed", None),
    ],
)
def test_a_length_that_shrank_is_told_with_what_becomes_of_the_trials(
    trained: dict[str, float], asked: dict[str, float], step: int, status: Any, says: str | None
) -> None:
    (before,), (now,) = (make_job(seeds=1, training=budget).trials for budget in (trained, asked))
    state = TrialState(status=status, step=step, total_steps=100, kimg=step / 10, budget=before.budget())
    line = shortened([now], {now.id: state})
    if says is None:
        assert line is None
    else:
        assert line is not None
        assert line.startswith("base-seed0: trained further than training.")
        assert says in line


@pytest.mark.parametrize(
    ("status", "goes_on"),
    [("completed", True), ("mode_collapse", True), ("discriminator_won", True), ("unstable", False)],
)
def test_what_was_trained_to_its_end_goes_on_where_more_is_asked_for(
    job_dir: JobDir, status: Any, goes_on: bool
) -> None:
    (before,), (now,) = (make_job(seeds=1, training=budget).trials for budget in (SHORT, LONG))
    state = TrialState(status=status, step=9, identity=before.identity(), budget=before.budget())
    job_dir.trial(A).write_state(state)
    assert [len(make_plan([trial], job_dir).todo) for trial in (before, now)] == [0, int(goes_on)]


def test_each_configuration_is_told_once_and_a_long_list_is_cut(job_dir: JobDir) -> None:
    configs = {f"c{i}": {"model.latent_dim": i + 1} for i in range(MAX_LINES + 5)}
    trials = make_job(seeds=2, configs=configs).trials
    for trial in trials:
        job_dir.trial(trial.id).write_trial(trial.model_dump(mode="json"))
    changed = make_job(seeds=2, configs=configs, optimizer={"learning_rate": 0.5}).trials
    lines = refusal(changed, job_dir).splitlines()
    assert lines[0].startswith(f"c0-seed0 and {len(trials) - 1} more: ")
    assert lines[1:3] == [
        f"  {trial}: optimizer.learning_rate: 0.0001 -> 0.5" for trial in ("c0-seed0", "c1-seed0")
    ]
    assert len(lines) == MAX_LINES + 3
    assert lines[-2] == "  ..."


@pytest.mark.parametrize("content", [None, b"- a list", b"{torn"])
def test_a_trial_without_its_settings_is_refused_all_the_same(job_dir: JobDir, content: bytes | None) -> None:
    if content is not None:
        job_dir.trial(A).storage.write("trial.yaml", content)
    assert "  base-seed0: its trial.yaml does not say which" in refusal(make_job(seeds=1).trials, job_dir)
