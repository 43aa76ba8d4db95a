"""How many seeds failed, how, when and why."""

from __future__ import annotations

import numpy as np

from gandist.artifacts.images import encode_png
from gandist.artifacts.job_dir import TrialDir
from tests.report.conftest import state
from tests.report.pages import report
from tests.report.sweep import STEPS, write_metrics
from tests.report.test_tuning import section


def job(empty_job, *statuses: str):
    """A configuration with a seed of each of ``statuses``, ended at step 250 unless it completed."""
    job_dir = empty_job(*(("slow", seed) for seed in range(len(statuses))))
    for seed, status in enumerate(statuses):
        step = STEPS if status == "completed" else 250
        trial = job_dir.trial(f"slow-seed{seed}")
        reason = "" if status == "completed" else f"why {seed}"
        trial.write_state(state(STEPS, status=status, step=step, reason=reason))
        write_metrics(trial, "slow", seed, STEPS, end=20.0)
    return job_dir


def test_failures_are_a_rate_with_an_interval_and_have_their_steps_and_reasons(empty_job):
    page = report(job(empty_job, "completed", "unstable", "completed", "unstable", "diverged"))
    text = section(page, "Outcomes", "Metrics Measured")

    assert "slow unstable 2 of 5 (40%, 5 to 85%) seed 1 at step 250: why 1 seed 3 at step 250: why 3" in text
    assert "slow diverged 1 of 5 (20%, 1 to 72%) seed 4 at step 250: why 4" in text


def test_seeds_that_ended_alike_stand_together(empty_job):
    job_dir = job(empty_job, "completed", *["pruned"] * 3)
    for seed in (1, 2, 3):
        trial = job_dir.trial(f"slow-seed{seed}")
        trial.write_state(trial.read_state().model_copy(update={"reason": "why"}))

    text = section(report(job_dir), "Outcomes", "Metrics Measured")

    assert "slow pruned 3 of 4 seeds 1, 2 and 3 at step 250: why" in text


def test_what_was_pruned_is_shown_with_its_reason_and_is_no_part_of_the_rate(empty_job):
    text = section(report(job(empty_job, "completed", "failed", "pruned")), "Outcomes", "Metrics Measured")

    assert "slow failed 1 of 2 (50%, 1 to 99%)" in text
    assert "slow pruned 1 of 3 seed 2 at step 250: why 2" in text


def test_trials_that_run_or_completed_are_no_outcome_to_speak_of(empty_job):
    assert "outcomes" not in report(job(empty_job, "completed", "running", "queued")).sections


def test_the_closest_training_images_are_shown_where_they_were_drawn(job_dir):
    picture = encode_png(np.zeros((28, 56), np.uint8))
    job_dir.trial("slow-seed1").storage.write(TrialDir.PAIRS, picture)

    page = report(job_dir)

    assert "memorization" in page.sections
    [image] = page.images("pixels")
    assert (image["width"], image["height"]) == ("56", "28")
    assert "slow, seed 1" in image["alt"]
