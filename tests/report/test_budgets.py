"""Values after unequal training: the budgets stand beside them, and a comparison at equal kimg."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gandist.artifacts.job_dir import JobDir
from tests.report.conftest import BATCH, rows, state
from tests.report.pages import report
from tests.report.sweep import write_metrics

SHARES = np.asarray([0.25, 0.5, 0.75, 1.0])


def add_trial(
    job_dir: JobDir,
    config: str,
    seed: int,
    values: list[float],
    *,
    steps: int = 200,
    kimg: float = 12.8,
    protocol: str = "p",
    **changes: Any,
) -> None:
    """A trial with four evaluations on its way to ``kimg``, after which its losses end."""
    directory = job_dir.trial(f"{config}-seed{seed}")
    at = (SHARES * steps).astype(int)
    columns = {"step": at, "epoch": SHARES, "kimg": SHARES * kimg, "wall_time": 1.7e9 + at}
    write_metrics(
        directory,
        config,
        seed,
        steps,
        end=1.0,
        **columns,
        metric="frechet",
        value=values,
        lower_is_better=True,
        protocol=protocol,
    )
    directory.write_losses(rows(config, seed, 1, steps, kimg=np.arange(1, steps + 1) * kimg / steps))
    directory.write_state(state(steps, **{"kimg": kimg, "train_s": 20.0, **changes}))


def critic_job(empty_job: Any, job: dict[str, Any] | None = None) -> JobDir:
    """``critic5`` is shown five times the images in as many steps; up to 12.8 kimg it is the worse one."""
    seeds = range(3)
    job_dir: JobDir = empty_job(
        *((c, s) for c in ("base", "critic5") for s in seeds), job=job or {"name": "demo"}
    )
    for seed in seeds:
        add_trial(job_dir, "base", seed, [60.0, 50.0, 40.0, 30.0 + seed])
        add_trial(job_dir, "critic5", seed, [45.0 + 1.1 * seed, 35.0, 25.0, 15.0], kimg=51.2, train_s=90.0)
    return job_dir


def test_budgets_stand_beside_each_value(empty_job):
    text = report(critic_job(empty_job)).text

    assert "base 3 12.8 200 20 s critic5 3 51.2 200 1 min 30 s" in text
    assert "base 3 of 3 12.8 200 20 s" in text  # the losses, too


def test_where_budgets_differ_the_verdict_says_so_with_the_figures(empty_job):
    text = report(critic_job(empty_job)).text

    assert (
        "The budgets differ; at equal ones (12.8 kimg) no difference is significant, and base has the" in text
    )
    assert (
        "Budgets differ : 51.2 kimg a trial for critic5; 12.8 kimg a trial for base, all in 200 steps."
        in text
    )
    assert text.count("Budgets differ :") == 3  # verdict, metrics, losses: wherever values can be compared


def test_the_comparison_at_equal_kimg_has_a_verdict_of_its_own(empty_job):
    text = report(critic_job(empty_job)).text
    equal = text[text.index("At equal budgets: 12.8 kimg") :]

    assert "base 31.0 [30.0, 32.0] 31 0 of 3 (0%, 0 to 71%) best median" in equal
    assert "critic5 46.1 [45.0, 47.2] 46.1 0 of 3 (0%, 0 to 71%) 9 of 9 pairs 0.1 not significant" in equal
    assert "last evaluation up to 12.8 kimg: after 12.8 kimg." in equal


def test_evaluations_before_that_kimg_are_told_with_theirs(empty_job):
    job_dir = empty_job(*((c, s) for c in ("a", "b") for s in (0, 1)))
    for seed in (0, 1):
        add_trial(job_dir, "a", seed, [9.0, 8.0, 7.0, 6.0], kimg=12.8)
        add_trial(job_dir, "b", seed, [9.5, 8.0, 7.0, 5.0], kimg=40.0)

    text = report(job_dir).text

    assert "up to 12.8 kimg: after 10 to 12.8 kimg. Some were evaluated well before" in text


def test_what_was_not_evaluated_by_then_is_not_compared(empty_job):
    job_dir = empty_job(*((c, s) for c in ("a", "b") for s in (0, 1)))
    for seed in (0, 1):
        add_trial(job_dir, "a", seed, [9.0, 8.0, 7.0, 6.0], kimg=12.8)
        add_trial(job_dir, "b", seed, [9.5, 8.0, 7.0, 5.0], kimg=64.0)

    text = report(job_dir).text

    assert "Fewer than two configurations were evaluated by then: nothing can be compared." in text
    assert "Not evaluated by then: b ." in text.replace("b.", "b .")


@pytest.mark.parametrize("kimg", [12.8, 12.85])
def test_equal_budgets_need_no_word(empty_job, kimg):
    job_dir = empty_job(("a", 0), ("b", 0))
    add_trial(job_dir, "a", 0, [9.0, 8.0, 7.0, 6.0])
    add_trial(job_dir, "b", 0, [9.0, 8.0, 7.0, 5.0], steps=50, kimg=kimg)  # another batch size

    text = report(job_dir).text

    assert "The best median is that of b" in text
    assert "udgets differ" not in text
    assert "At equal budgets" not in text


def test_equal_steps_of_another_batch_size_are_unequal_budgets(empty_job):
    job_dir = empty_job(("small", 0), ("large", 0))
    for config, batch in (("small", BATCH), ("large", 2 * BATCH)):
        add_trial(job_dir, config, 0, [9.0, 8.0, 7.0, 6.0], kimg=200 * batch / 1000)

    assert (
        "25.6 kimg a trial for large; 12.8 kimg a trial for small, all in 200 steps" in report(job_dir).text
    )


def test_seeds_of_one_configuration_may_differ_too(empty_job):
    """As where epochs were raised, and one trial has not been continued."""
    job_dir = empty_job(("a", 0), ("a", 1))
    add_trial(job_dir, "a", 0, [9.0, 8.0, 7.0, 6.0])
    add_trial(job_dir, "a", 1, [8.0, 6.0, 4.0, 2.0], steps=400, kimg=25.6, train_s=41.0)

    page = report(job_dir)

    assert "tuning" not in page.sections
    assert "Budgets differ : 12.8 to 25.6 kimg a trial for a." in page.text
    assert "a 2 of 2 12.8 to 25.6 200 to 400 20 s to 41 s" in page.text


@pytest.mark.parametrize("status", ["stopped", "running", "failed"])
def test_a_trial_that_does_not_count_makes_no_budget(empty_job, status):
    job_dir = empty_job(*((c, s) for c in ("a", "b") for s in (0, 1)))
    for config in ("a", "b"):
        add_trial(job_dir, config, 0, [9.0, 8.0, 7.0, 6.0])
        add_trial(
            job_dir, config, 1, [9.0, 8.0, 7.0, 6.0], steps=100, kimg=6.4, status=status, total_steps=200
        )

    assert "udgets differ" not in report(job_dir).text


def test_losses_alone_are_compared_with_their_budgets(empty_job):
    job_dir = critic_job(empty_job)
    for trial in ("base", "critic5"):
        for seed in range(3):
            job_dir.trial(f"{trial}-seed{seed}").storage.delete("metrics.parquet")

    text = report(job_dir).text

    assert "Budgets differ : 51.2 kimg a trial for critic5; 12.8 kimg a trial for base" in text


def test_seconds_of_different_devices_are_said_not_to_compare(empty_job):
    job_dir = empty_job(("a", 0), ("b", 0))
    add_trial(job_dir, "a", 0, [9.0, 8.0, 7.0, 6.0])
    add_trial(job_dir, "b", 0, [9.0, 8.0, 7.0, 5.0], device="CPU")

    assert (
        "Seconds of training on different devices do not compare: NVIDIA H100, CPU." in report(job_dir).text
    )


def test_what_was_measured_by_another_protocol_is_named_not_passed_over(empty_job):
    job_dir = empty_job(*((c, s) for c in ("a", "b", "c") for s in (0, 1)))
    for seed in (0, 1):
        add_trial(job_dir, "a", seed, [9.0, 8.0, 7.0, 6.0], protocol="n = 1,000")
        add_trial(job_dir, "b", seed, [9.0, 8.0, 7.0, 5.0], protocol="n = 50,000")
        add_trial(job_dir, "c", seed, [9.0, 8.0, 7.0, 8.0], protocol=["n = 1,000", "n = 50,000"][seed])

    text = report(job_dir).text

    assert "The best median is that of a" in text
    assert "No value by this protocol yet: b." in text
    assert "3 trials measured by another protocol, not counted" in text


def test_one_configuration_with_one_seed_has_no_spread_between_seeds(empty_job):
    job_dir = empty_job(("a", 0))
    add_trial(job_dir, "a", 0, [9.0, 8.0, 7.0, 6.0])

    text = report(job_dir).text

    for word in (
        "between seeds",
        "over seeds",
        "over the seeds",
        "standard deviation over seeds",
        "may be chance",
        "Mann-Whitney",
    ):
        assert word not in text.replace("Median over seeds and", "")
