"""The section on metrics: a panel and a table for each, with what stands beside a value."""

from __future__ import annotations

import numpy as np

from tests.report.conftest import state
from tests.report.pages import report
from tests.report.sweep import STEPS, write_metrics
from tests.report.test_tuning import section


def job(empty_job, *, best_step: int | None = None, **changes):
    """Two configurations of two seeds that ended at 20 to 23."""
    job_dir = empty_job(*((config, seed) for config in ("a", "b") for seed in (0, 1)))
    for place, config in enumerate(("a", "b")):
        for seed in (0, 1):
            trial = job_dir.trial(f"{config}-seed{seed}")
            write_metrics(trial, config, seed, STEPS, end=20.0 + 2 * place + seed, **changes)
            ended = state(STEPS, best_step=best_step, device="EPYC, 2 threads", train_s=STEPS * 0.1)
            trial.write_state(ended)
    return job_dir


def test_each_metric_has_a_table_of_its_own_with_its_floor_and_errors(empty_job):
    rows = 2 * (STEPS // 50)
    own = np.arange(rows) % 2 == 0
    changes = {"floor": np.where(own, 0.96, 0.98), "error": np.ma.masked_array(np.full(rows, 0.31), ~own)}
    text = section(report(job(empty_job, **changes)), "Metrics", "Trials Trial")

    assert "frechet (pixels) lower is better; 0.96 with real images in place of generated ones" in text
    assert "recall (pixels) higher is better; 0.98 with real images in place of generated ones" in text
    assert "a 2 of 2 20.5 [20.0, 21.0] 0.31" in text


def test_last_and_chosen_stand_side_by_side(empty_job):
    values = np.tile(np.repeat([30.0, 20.0], 2), 4)  # 30 at the odd evaluations
    text = section(report(job(empty_job, best_step=50, value=values)), "Metrics", "Trials Trial")

    assert "Last Chosen at step" in text
    assert "a 2 of 2 20 [20, 20] 30 [30, 30] 50" in text
    assert "flatters the pick" not in text


def test_the_first_metric_is_drawn_against_kimg_and_against_what_it_cost(empty_job):
    page = report(job(empty_job))
    text = section(page, "Metrics", "Trials Trial")

    assert "frechet (pixels) by cost" in text
    assert "core-seconds" in text
    assert [it for it in page.all("div") if "by cost against core-seconds" in it.get("aria-label", "")]


def test_every_seed_is_a_dot_in_the_answer_and_in_each_table(empty_job):
    assert len(report(job(empty_job)).all("circle")) == 4 + 2 * 4
