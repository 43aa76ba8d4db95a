"""A sweep of eight configurations, evaluated, of which one trial is unstable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gandist.artifacts.job_dir import JobDir
from tests.report.conftest import make_job
from tests.report.sweep import make_sweep_job


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> JobDir:
    """To be read only."""
    return make_sweep_job(tmp_path_factory.mktemp("sweep"))


@pytest.fixture
def empty_job(tmp_path: Path) -> Callable[..., JobDir]:
    """A job directory of the test's own whose trials have left nothing yet."""
    return partial(make_job, tmp_path)
