"""Jobs of fake trials, on each backend."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.runner.backend import Backend
from gandist.runner.events import JobEvent, Outcome
from gandist.runner.local_backend import LocalBackend
from gandist.runner.plan import make_plan
from gandist.runner.ray.pool import RayBackend
from gandist.runner.schedule import run_job
from gandist.spec.job import Job, JobSpec, expand

from .fakes import FAKE

MakeBackend = Callable[[Job, JobDir, str], AbstractContextManager[Backend]]
TESTS = str(Path(__file__).parents[1])


def make_job(seeds: int = 2, steps: int = 3, **fields: Any) -> Job:
    """A job of one configuration, ``base``."""
    sections = {
        "name": "fake",
        "data": {"name": "digits"},
        "model": {"name": "dcgan"},
        "training": {"steps": steps},
        "seeds": list(range(seeds)),
        "resources": {"cpus": 1},
    }
    return expand(JobSpec.model_validate(sections | fields))


def local(job: Job, job_dir: JobDir, function: str) -> AbstractContextManager[Backend]:
    return LocalBackend(job, job_dir.root, None, function)


def on_ray(job: Job, job_dir: JobDir, function: str) -> AbstractContextManager[Backend]:
    return RayBackend(job, job_dir.root, None, function, env_vars={"PYTHONPATH": TESTS})


def at_once(_: int) -> float:
    return 0.0


def ignore(_: JobEvent) -> None:
    pass


class Jobs:
    """Runs jobs of fake trials in one job directory, and keeps what was told of them."""

    def __init__(self, job_dir: JobDir, make_backend: MakeBackend) -> None:
        self.job_dir = job_dir
        self.make_backend = make_backend
        self.events: list[JobEvent] = []

    def run(
        self,
        job: Job,
        *,
        function: str = FAKE,
        retry_failed: bool = False,
        fresh: bool = False,
        backoff: Callable[[int], float] = at_once,
        on_event: Callable[[JobEvent], None] = ignore,
        check: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Plan and run ``job`` as the command line does; ``events`` are this run's."""
        self.events.clear()

        def tell(event: JobEvent) -> None:
            self.events.append(event)
            on_event(event)

        plan = make_plan(job.trials, self.job_dir, retry_failed=retry_failed, fresh=fresh)
        with self.make_backend(job, self.job_dir, function) as backend:
            backend.admit()
            for trial in plan.aside:
                self.job_dir.set_aside(trial)
            return run_job(job, plan, self.job_dir, backend, tell, backoff, check)

    def of(self, kind: type, trial: str | None = None) -> list[Any]:
        """The events of a kind, of one trial or of all."""
        return [e for e in self.events if isinstance(e, kind) and trial in (None, getattr(e, "trial", None))]


@pytest.fixture
def job_dir(tmp_path: Path) -> JobDir:
    return JobDir(str(tmp_path / "fake"))


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.ray)])
def jobs(request: pytest.FixtureRequest, job_dir: JobDir) -> Jobs:
    """On either backend."""
    if request.param == "ray":
        request.getfixturevalue("ray_cluster")
        return Jobs(job_dir, on_ray)
    return Jobs(job_dir, local)


@pytest.fixture
def ray_jobs(ray_cluster: object, job_dir: JobDir) -> Jobs:
    return Jobs(job_dir, on_ray)


@pytest.fixture
def local_jobs(job_dir: JobDir) -> Jobs:
    return Jobs(job_dir, local)
