"""Who runs a job, without waiting to see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandist.artifacts.driver import WATCH_S, Holder
from gandist.artifacts.job_dir import JobDir
from gandist.serve.drivers import Drivers
from tests.serve.jobs import drive, make


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def elsewhere(job_dir: JobDir, beat: int) -> Holder:
    """A driver on another machine, whose clock is of no use."""
    holder = Holder(token="t", host="far", place="far", pid=1, beat=beat)  # noqa: S106
    job_dir.storage.write(JobDir.DRIVER, holder.model_dump_json().encode())
    return holder


def test_one_of_this_machine_lives_with_its_process(runs: Path, clock: Clock) -> None:
    job_dir, drivers = make(runs), Drivers(clock)
    assert drivers.see(job_dir.storage) is None
    holder = drive(job_dir)
    clock.now += 10 * WATCH_S
    assert drivers.see(job_dir.storage) == holder
    gone = holder.model_copy(update={"process": "another"})
    job_dir.storage.write(JobDir.DRIVER, gone.model_dump_json().encode())
    assert drivers.see(job_dir.storage) is None


def test_one_of_another_machine_as_long_as_it_renews(runs: Path, clock: Clock) -> None:
    job_dir, drivers = make(runs), Drivers(clock)
    for beat in range(3):
        holder = elsewhere(job_dir, beat)
        assert drivers.see(job_dir.storage) == holder
        clock.now += WATCH_S - 1
    assert drivers.see(job_dir.storage) == holder
    clock.now += 1
    assert drivers.see(job_dir.storage) is None
