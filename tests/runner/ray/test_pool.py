"""What only Ray can do: many at a time, and the death of processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from ray.core.generated.common_pb2 import ActorDiedErrorContext, NodeDeathInfo
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayError

from gandist import environment
from gandist.artifacts.job_dir import TrialDir
from gandist.errors import RunError, UsageError
from gandist.runner import schedule
from gandist.runner.events import Finished, JobEvent, Notice, Progress, Requeued
from gandist.runner.ray.connection import HEALTH, Cluster, Node, connected
from gandist.runner.ray.failures import lost, reason
from gandist.runner.ray.pool import RayBackend
from gandist.runner.schedule import PREEMPTED

from ..conftest import TESTS, Jobs, make_job
from ..fakes import script

A, B = "base-seed0", "base-seed1"
RAYS = str(Path(ray.__file__).parent)


def test_the_death_of_a_process_costs_one_attempt(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["kill"]})
    outcome = ray_jobs.run(make_job(steps=4))
    assert outcome.counts == {"completed": 2}
    assert outcome.states[A].attempts == 2
    (requeued,) = ray_jobs.of(Requeued)
    assert requeued.reason == "its worker process has died: killed from outside, out of memory, or crashed"
    detail = ray_jobs.job_dir.trial(A).storage.read(TrialDir.ERROR).decode()
    assert "Worker exit detail" in detail


def test_a_trial_that_its_node_stops_goes_on_elsewhere_and_has_not_failed(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["terminated"]})
    outcome = ray_jobs.run(make_job(seeds=1, schedule={"max_failures": 0}))
    (requeued,) = ray_jobs.of(Requeued)
    assert (requeued.failures, requeued.reason) == (0, PREEMPTED)
    assert [event.state.status for event in ray_jobs.of(Finished)] == ["stopped", "completed"]
    assert [event.state.step for event in ray_jobs.of(Progress)][-2:] == [2, 3]
    stopped, completed = (event.state for event in ray_jobs.of(Finished))
    assert stopped.host != completed.host, "the process that was stopped runs no other trial"
    assert outcome.states[A].attempts == 2


def test_actors_import_what_is_installed_and_have_gandists_environment(
    ray_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    script(ray_jobs.job_dir, {A: ["tell"]})
    told = json.loads(ray_jobs.run(make_job(seeds=1)).states[A].reason)
    # What comes before the standard library: what PYTHONPATH names, and what Ray's own programs need.
    before = told["path"][: told["path"].index(str(Path(os.__file__).parent))]
    assert [entry for entry in before if not (entry.endswith(".zip") or entry.startswith(RAYS))] == [TESTS]
    found = {name: told["variables"].get(name) for name in environment.PINNED}
    assert found == environment.PINNED


def node_died(why: NodeDeathInfo.Reason, message: str) -> ActorDiedError:
    """As Ray 2.60 has it, whose GCS writes the text."""
    end = f"Node Id: 0331f7\n\tthe actor's node was {message}"
    context = ActorDiedErrorContext(
        class_name="TrialActor",
        actor_id=bytes(16),
        pid=7,
        error_message=f"The actor died because its node has died. {end}",
        node_death_info=NodeDeathInfo(reason=why),
    )
    return ActorDiedError(context)


@pytest.mark.parametrize(
    ("why", "message", "preempted"),
    [
        (NodeDeathInfo.EXPECTED_TERMINATION, "terminated expectedly: received SIGTERM", True),
        (NodeDeathInfo.AUTOSCALER_DRAIN_PREEMPTED, "preempted: the spot instance is reclaimed", True),
        (NodeDeathInfo.UNEXPECTED_TERMINATION, "terminated unexpectedly: missing too many heartbeats", False),
    ],
)
def test_a_node_that_was_told_to_go_is_no_failure_and_one_that_died_is(
    why: NodeDeathInfo.Reason, message: str, preempted: bool
) -> None:
    event = lost(A, node_died(why, message))
    reason = f"its node has died: {message.partition(': ')[2]}"
    assert (event.trial, event.reason, event.preempted) == (A, reason, preempted)
    assert message in event.detail


def test_an_actor_that_cannot_be_made_says_why(ray_cluster: Cluster) -> None:
    class Broken:
        def __init__(self) -> None:
            raise ImportError("no gandist on this node")

    actor = ray.remote(Broken).options(num_cpus=0).remote()
    with pytest.raises(ActorDiedError) as died:
        ray.get(actor.__ray_ready__.remote())
    assert lost(A, died.value).reason == "its process could not start: ImportError: no gandist on this node"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            OutOfMemoryError(
                "1 worker(s) were killed due to the node running low on memory. Memory on the node "
                "(IP: 192.0.2.2, ID: 0e1d) was 15.10GB used / 16.00GB limit (0.94375)\nOOM kill reason: ..."
            ),
            "killed: out of memory on its node (15.10GB used / 16.00GB limit)",
        ),
        (
            RayError("The actor died.\n\tpid: 7\nThe actor is dead because its node has died. More\nlines."),
            "its node has died",
        ),
        (RayError("Something\nelse"), "RayError: Something"),
        (StopIteration(), "the trial ended without a result"),
    ],
)
def test_the_reason_is_what_ray_knows(error: BaseException, text: str) -> None:
    assert reason(error) == text


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc to look into")
def test_a_local_ray_soon_notices_a_frozen_node(ray_cluster: object) -> None:
    (head,) = (path.parent for path in Path("/proc").glob("[0-9]*/stat") if is_head_of_this_process(path))
    environment = (head / "environ").read_text().split("\0")
    assert {f"{name}={value}" for name, value in HEALTH.items()} <= set(environment)


def is_head_of_this_process(stat: Path) -> bool:
    try:
        name, _, rest = stat.read_text().rpartition(")")
    except OSError:  # it has just ended
        return False
    return name.endswith("(gcs_server") and int(rest.split()[1]) == os.getpid()


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


def test_a_ray_client_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(UsageError, match="gandist submit"), connected():
        pass


def test_local_is_a_ray_of_ones_own(ray_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "local")
    with connected() as cluster:
        assert cluster == ray_cluster
        assert cluster.own


def test_a_cluster_that_does_not_answer_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(RunError, match=f"RAY_ADDRESS={address}: no Ray answers"), connected():
        pass


def test_a_trial_fits_on_one_node_only() -> None:
    cluster = Cluster(own=False, nodes=(Node(8, 0), Node(2, 1), Node(8, 0)))
    assert cluster.fits(8, 0)
    assert cluster.fits(2, 0.5)
    assert not cluster.fits(8, 1)
    assert str(cluster) == "Ray cluster of 3 nodes: 1 with 2 CPUs, 1 GPU; 2 with 8 CPUs, 0 GPUs"


@pytest.mark.parametrize(
    ("cpus", "gpus", "advice"),
    [
        (80, 0, "--set resources.cpus=64"),
        (4, 1, "--set resources.cpus=2"),
        (2, 8, "--set resources.gpus=4"),
        (8, 8, "--set resources.gpus=0"),
        (80, 8, "--set resources.cpus=2 --set resources.gpus=4"),
    ],
)
def test_what_is_advised_fits(cpus: int, gpus: int, advice: str) -> None:
    cluster = Cluster(own=False, nodes=(Node(0, 0), Node(64, 0), Node(2, 4)))
    assert cluster.advice(cpus, gpus) == advice
    changed = {"cpus": cpus, "gpus": gpus} | {
        name: int(value) for name, value in re.findall(r"resources\.(\w+)=(\d+)", advice)
    }
    assert cluster.fits(changed["cpus"], changed["gpus"])


@pytest.mark.parametrize("nodes", [(), (Node(0, 0),), (Node(0, 4),)])
def test_where_no_trial_fits_nothing_smaller_is_advised(nodes: tuple[Node, ...]) -> None:
    assert Cluster(own=False, nodes=nodes).advice(1, 0) == "start nodes with CPUs first"
