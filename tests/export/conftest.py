"""A sweep of eight configurations, evaluated, of which one trial is unstable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gandist.artifacts.job_dir import JobDir
from tests.report.conftest import make_job, state
from tests.report.sweep import STEPS, make_sweep_job, write_metrics


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> JobDir:
    """To be read only."""
    return make_sweep_job(tmp_path_factory.mktemp("sweep"))


@pytest.fixture
def empty_job(tmp_path: Path) -> Callable[..., JobDir]:
    """A job directory of the test's own whose trials have left nothing yet."""
    return partial(make_job, tmp_path)


def make_evaluated_job(root: Path, job: dict[str, Any] | None = None, **changes: Any) -> JobDir:
    """One trial that was evaluated and has left no losses: quick to draw. ``changes`` are of ``METRICS``."""
    job_dir = make_job(root, ("slow", 0), job=job)
    directory = job_dir.trial("slow-seed0")
    directory.write_state(state(STEPS))
    changes = {"metric": "frechet", "lower_is_better": True} | changes
    write_metrics(directory, "slow", 0, STEPS, 20.0, **changes)
    return job_dir
