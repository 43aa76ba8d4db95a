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
    from gandist.spec.job import Job, TrialSpec


def load(job_file: Path, overrides: list[str] | None) -> Job:
    """The job in a file.

    Raises:
        SpecError: the file or an override is wrong.
    """
    from gandist.spec.loading import load_job

    return load_job(job_file, overrides or [])


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


def tell_notices(job: Job, trials: tuple[TrialSpec, ...], datasets: Datasets | None = None) -> None:
    """To stderr, what is allowed and probably not meant."""
    from gandist.spec.notices import notices

    sizes = {options: len(dataset) for options, dataset in (datasets or {}).items()}
    for line in notices(job, trials, sizes):
        complain(line)
