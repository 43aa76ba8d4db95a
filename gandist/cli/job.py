"""A job file as every command reads it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from gandist.activity import Tell, alive
from gandist.cli.application import complain

T = TypeVar("T")
TELL_EVERY_S = 5.0

if TYPE_CHECKING:
    from gandist.runner.cost import Datasets
    from gandist.spec.job import JobSpec, TrialSpec


def load(job_file: Path, overrides: list[str] | None) -> tuple[JobSpec, tuple[TrialSpec, ...]]:
    """The job and its trials.

    Raises:
        SpecError: the file or an override is wrong.
    """
    from gandist.spec.job import expand
    from gandist.spec.loading import load_job

    job = load_job(job_file, overrides or [])
    return job, expand(job)


def tell_data(found: Datasets) -> None:
    """What the data sets hold, and what was left out of them, each once."""
    for line in dict.fromkeys(line for dataset in found.values() for line in dataset.lines):
        typer.echo(f"data: {line}")


def telling(work: Callable[[Tell], T]) -> T:
    """What ``work`` returns; what it tells when it takes long goes to stderr, a line now and then."""
    signs, told_at = alive(work, str), 0.0
    while True:
        try:
            text = next(signs)
        except StopIteration as end:
            result: T = end.value
            return result
        if time.monotonic() - told_at >= TELL_EVERY_S:
            complain(text)
            told_at = time.monotonic()


def tell_notices(job: JobSpec, trials: tuple[TrialSpec, ...], datasets: Datasets | None = None) -> None:
    """To stderr, what is allowed and probably not meant."""
    from gandist.spec.notices import notices

    sizes = {options: len(dataset) for options, dataset in (datasets or {}).items()}
    for line in notices(job, trials, sizes):
        complain(line)


def product(trials: tuple[TrialSpec, ...]) -> str:
    """``2 configurations x 4 seeds = 8 trials``."""
    configs, seeds = len({trial.config for trial in trials}), len({trial.seed for trial in trials})
    counts = ((configs, "configuration"), (seeds, "seed"), (len(trials), "trial"))
    return "{} x {} = {}".format(*(f"{count} {noun}{'s'[: count > 1]}" for count, noun in counts))
