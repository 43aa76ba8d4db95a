"""What only Ray can do: many at a time, and the death of processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
import ray

from gandist.artifacts.job_dir import TrialDir
from gandist.errors import RunError, UsageError
from gandist.runner import schedule
from gandist.runner.events import JobEvent, Notice, Progress, Requeued
from gandist.runner.ray.pool import RayBackend

from ..conftest import Jobs, make_job
from ..fakes import script

A, B = "base-seed0", "base-seed1"


def test_the_death_of_a_process_costs_one_attempt(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["kill"]})
    outcome = ray_jobs.run(make_job(steps=4))
    assert outcome.counts == {"completed": 2}
    assert outcome.states[A].attempts == 2
    (requeued,) = ray_jobs.of(Requeued)
    assert requeued.reason == "its worker process has died: killed from outside, out of memory, or crashed"
    detail = ray_jobs.job_dir.trial(A).storage.read(TrialDir.ERROR).decode()
    assert "Worker exit detail" in detail


def test_a_stalled_trial_is_killed_and_requeued(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["stall"]})
    outcome = ray_jobs.run(make_job(seeds=1, schedule={"stall_timeout_s": 3.0}))
    assert [event.reason for event in ray_jobs.of(Requeued)] == ["no sign of life for 3 s"]
    assert outcome.states[A].attempts == 2
    assert outcome.counts == {"completed": 1}


def test_a_driver_that_has_slept_takes_nobody_for_stalled(
    ray_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that was closed, a virtual machine that was paused: all clocks have jumped."""
    script(ray_jobs.job_dir, {A: ["until_stopped"]})
    slept: list[float] = []
    monotonic = time.monotonic

    def asleep_or_stop(event: JobEvent) -> None:
        if isinstance(event, Progress) and not slept:
            slept.append(600.0)
            monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(slept))
        elif isinstance(event, Progress) and ray_jobs.of(Notice):
            os.kill(os.getpid(), signal.SIGTERM)

    outcome = ray_jobs.run(
        make_job(seeds=1, schedule={"stall_timeout_s": 300.0, "max_failures": 0}), on_event=asleep_or_stop
    )
    assert outcome.counts == {"stopped": 1}
    assert ray_jobs.of(Requeued) == []
    assert ray_jobs.of(Notice)[0].text.startswith("this driver did not run for 60")


def test_trials_run_at_the_same_time(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["until_stopped"], B: ["until_stopped"]})
    running = set()

    def interrupt_when_both_run(event: JobEvent) -> None:
        if isinstance(event, Progress) and len(running) < 2:
            running.add(event.trial)
            if len(running) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    outcome = ray_jobs.run(make_job(), on_event=interrupt_when_both_run)
    assert outcome.counts == {"stopped": 2}
    assert len({state.host for state in outcome.states.values()}) == 2


@pytest.mark.parametrize(
    ("resources", "hint"),
    [({"cpus": 5}, "--set resources.cpus=4"), ({"cpus": 1, "gpus": 2}, "--set resources.gpus=0")],
)
def test_what_can_never_fit_is_refused(ray_jobs: Jobs, resources: dict[str, int], hint: str) -> None:
    with pytest.raises(UsageError, match=r"this machine: 4 CPUs, 0 GPUs") as refused:
        ray_jobs.run(make_job(resources=resources))
    assert hint in str(refused.value)
    assert ray_jobs.events == []


@pytest.fixture
def shared_ray(ray_cluster: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Ray of this session as a cluster that others use, too, and that may grow."""
    monkeypatch.setenv("RAY_ADDRESS", ray.get_runtime_context().gcs_address)


@pytest.fixture
def five_seconds_a_look(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called with each look at the backend: it passes the time."""
    passed: list[float] = []
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(passed))
    monkeypatch.setattr(schedule, "POLL_S", 0.01)
    return lambda: passed.append(5.0)


TOO_LARGE = (
    "a trial asks for 5 CPUs and 0 GPUs, more than any node has "
    "(Ray cluster of 1 node: 1 with 4 CPUs, 0 GPUs): --set resources.cpus=4"
)


@pytest.mark.usefixtures("shared_ray")
def test_a_cluster_too_small_is_waited_for_as_long_as_the_job_says(
    ray_jobs: Jobs, five_seconds_a_look: Callable[[], None]
) -> None:
    job = make_job(resources={"cpus": 5}, schedule={"placement_timeout_s": 100.0})
    with pytest.raises(RunError) as ended:
        ray_jobs.run(job, check=five_seconds_a_look)
    assert str(ended.value) == (
        f"schedule.placement_timeout_s: no trial has had a place for 100 s: {TOO_LARGE}"
    )
    told = f"no trial has a place yet: {TOO_LARGE}; waiting for a place for 100 s"
    assert [event.text for event in ray_jobs.of(Notice)] == 3 * [told], "after 15, 30 and 60 s"


@pytest.mark.usefixtures("shared_ray")
def test_without_a_limit_a_job_waits_and_tells(
    ray_jobs: Jobs, five_seconds_a_look: Callable[[], None]
) -> None:
    def leave_when_told(event: JobEvent) -> None:
        if isinstance(event, Notice) and len(ray_jobs.of(Notice)) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    job = make_job(resources={"cpus": 5})
    with RayBackend(job, ray_jobs.job_dir.root, None) as backend:
        assert backend.admit()[1] == f"resources: {TOO_LARGE}; {NO_END}"
    outcome = ray_jobs.run(job, check=five_seconds_a_look, on_event=leave_when_told)
    assert ray_jobs.of(Notice)[0].text == f"no trial has a place yet: {TOO_LARGE}; {NO_END}"
    assert (outcome.signal, outcome.counts) == (signal.SIGTERM, {"queued": 2})


NO_END = "waiting for a place without end; schedule.placement_timeout_s sets one"


@pytest.mark.usefixtures("shared_ray")
def test_a_job_whose_place_others_have_says_so_and_begins_when_they_leave(
    ray_jobs: Jobs, five_seconds_a_look: Callable[[], None]
) -> None:
    class Others:
        pass

    others = ray.remote(Others).options(num_cpus=4).remote()
    ray.get(others.__ray_ready__.remote())

    def let_others_leave(event: JobEvent) -> None:
        if isinstance(event, Notice) and len(ray_jobs.of(Notice)) == 1:
            ray.kill(others)

    outcome = ray_jobs.run(make_job(), check=five_seconds_a_look, on_event=let_others_leave)
    assert ray_jobs.of(Notice)[0].text.startswith(
        "no trial has a place yet: a trial asks for 1 CPUs and 0 GPUs, and nodes that have them are in use"
    )
    assert outcome.counts == {"completed": 2}
