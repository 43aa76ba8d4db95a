"""What only Ray can do: many at a time, and the death of processes."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from gandist.errors import RunError, UsageError
from gandist.runner.cluster import Cluster, Node, connected
from gandist.runner.events import JobEvent, Progress, Requeued

from .conftest import Jobs, make_job
from .fakes import script

A, B = "base-seed0", "base-seed1"


def test_the_death_of_a_process_costs_one_attempt(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["kill"]})
    outcome = ray_jobs.run(make_job(steps=4))
    assert outcome.counts == {"completed": 2}
    assert outcome.states[A].attempts == 2
    (lost,) = ray_jobs.of(Requeued)
    assert lost.reason == "its worker process has died"


def test_a_stalled_trial_is_killed_and_requeued(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["stall"]})
    outcome = ray_jobs.run(make_job(seeds=1, schedule={"stall_timeout_s": 3.0}))
    assert [lost.reason for lost in ray_jobs.of(Requeued)] == ["no progress for 3 s"]
    assert outcome.states[A].attempts == 2
    assert outcome.counts == {"completed": 1}


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


def test_a_ray_client_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(UsageError, match="ray job submit"), connected():
        pass


def test_a_cluster_that_does_not_answer_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(RunError, match=f"RAY_ADDRESS={address}: no Ray answers"), connected():
        pass


def test_a_trial_fits_on_one_node_only() -> None:
    cluster = Cluster(own=False, nodes=(Node(8, 0), Node(2, 1)))
    assert cluster.fits(8, 0)
    assert cluster.fits(2, 0.5)
    assert not cluster.fits(8, 1)
    assert str(cluster) == "Ray cluster of 2 nodes: 10 CPUs, 1 GPUs"
