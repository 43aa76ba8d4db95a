"""The schedule by itself, with a backend that does as it is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.runner import schedule
from gandist.runner.events import (
    BackendEvent,
    Finished,
    JobEvent,
    Lost,
    Notice,
    Outcome,
    Progress,
    Requeued,
    Started,
)
from gandist.runner.interrupts import at_a_checkpoint
from gandist.runner.plan import Plan, make_plan
from gandist.runner.schedule import backoff_s, run_job
from gandist.spec.trial import TrialSpec

from .conftest import Jobs, make_job
from .fakes import script

A, B = "base-seed0", "base-seed1"


class Scripted:
    """A backend whose every poll is the next item of a generator; busy until that ends."""

    def __init__(self, polls: Callable[[], Iterator[list[BackendEvent]]]) -> None:
        self.polls = polls()
        self.next: list[BackendEvent] | None = next(self.polls, None)
        self.submitted: list[str] = []
        self.stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def admit(self) -> list[str]:
        return []

    def submit(self, trial: TrialSpec) -> None:
        self.submitted.append(trial.id)

    @property
    def busy(self) -> bool:
        return self.next is not None

    def poll(self, timeout_s: float) -> list[BackendEvent]:
        assert self.next is not None
        assert timeout_s >= 0
        events, self.next = self.next, next(self.polls, None)
        return events

    def stop(self) -> None:
        self.stopped = True


def run(polls: Callable[[], Iterator[list[BackendEvent]]], job_dir: JobDir) -> tuple[Outcome, list[JobEvent]]:
    job, told = make_job(), []
    plan = Plan(job.trials, {trial.id: TrialState() for trial in job.trials})
    return run_job(job, plan, job_dir, Scripted(polls), told.append), told


def test_backoff_doubles_up_to_a_minute() -> None:
    assert [backoff_s(failures) for failures in range(1, 9)] == [2, 4, 8, 16, 32, 60, 60, 60]


def test_others_run_while_a_lost_trial_waits(local_jobs: Jobs) -> None:
    script(local_jobs.job_dir, {A: ["fail"]})
    outcome = local_jobs.run(make_job(), backoff=lambda _: 1.0)
    order = [(type(event), event.trial) for event in local_jobs.of(Started) + local_jobs.of(Finished)]
    assert order == [(Started, A), (Started, B), (Started, A), (Finished, B), (Finished, A)]
    assert outcome.exit_code == 0


def test_a_completed_trial_goes_on_when_its_budget_grew(local_jobs: Jobs) -> None:
    local_jobs.run(make_job(seeds=1, steps=3))
    outcome = local_jobs.run(make_job(seeds=1, steps=5))
    assert [event.state.step for event in local_jobs.of(Progress)] == [4, 5]
    assert outcome.states[A].step == 5
    local_jobs.run(make_job(seeds=1, steps=4))
    assert local_jobs.events == []


def test_a_failed_trial_is_run_again_only_on_request(local_jobs: Jobs) -> None:
    script(local_jobs.job_dir, {A: ["fail"]})
    job = make_job(seeds=1, schedule={"max_failures": 0})
    assert local_jobs.run(job).exit_code == 1
    assert local_jobs.run(job).exit_code == 1
    assert local_jobs.events == []
    assert local_jobs.run(job, retry_failed=True).exit_code == 0


def test_before_its_first_step_a_trial_may_change(local_jobs: Jobs) -> None:
    local_jobs.job_dir.trial(A).write_state(TrialState(status="stopped", identity="of another learning rate"))
    assert local_jobs.run(make_job(seeds=1)).exit_code == 0


def test_a_storage_that_refuses_the_record_of_a_failure_does_not_end_the_job(job_dir: JobDir) -> None:
    for name in ("error.txt", "state.json"):
        job_dir.trial(A).storage.write(f"{name}/taken", b"a directory where a file should be")

    def polls() -> Iterator[list[BackendEvent]]:
        yield [Lost(A, "broken", retry=False, detail="Traceback")]
        yield [Finished(B, TrialState(status="completed"))]

    outcome, told = run(polls, job_dir)
    assert outcome.counts == {"failed": 1, "completed": 1}
    assert sum("cannot be written" in event.text for event in told if isinstance(event, Notice)) == 2


def test_a_trial_whose_node_was_told_to_go_is_queued_again_and_has_not_failed(job_dir: JobDir) -> None:
    lost = Lost(A, "its node has died: received SIGTERM", preempted=True)
    backend = Scripted(lambda: iter([[lost], [lost], []]))
    told: list[JobEvent] = []
    job = make_job(seeds=1, schedule={"max_failures": 0})
    plan = Plan(job.trials, {A: TrialState()})
    run_job(job, plan, job_dir, backend, told.append, backoff=lambda _: 0.0)
    assert backend.submitted == [A, A, A]
    assert told == [Requeued(A, lost.reason, failures=0, delay_s=0.0)] * 2


def test_what_does_not_stop_in_time_is_left(job_dir: JobDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GRACE_S", -1.0)

    def polls() -> Iterator[list[BackendEvent]]:
        yield [Started(A)]
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            yield []

    outcome, told = run(polls, job_dir)
    assert outcome.exit_code == 143
    assert [type(event) for event in told] == [Started, Notice, Notice]
    assert "last checkpoint" in told[-1].text


def test_a_trial_lost_while_stopping_is_left_for_the_next_run(job_dir: JobDir) -> None:
    def polls() -> Iterator[list[BackendEvent]]:
        yield [Started(A)]
        os.kill(os.getpid(), signal.SIGINT)
        yield []
        yield [Lost(A, "its worker process has died")]

    outcome, _ = run(polls, job_dir)
    assert outcome.exit_code == 130
    assert outcome.states[A].status == "queued"


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ctrl_c_leaves_at_once(first: signal.Signals) -> None:
    with at_a_checkpoint() as interrupt:
        os.kill(os.getpid(), first)
        assert interrupt.signal == first
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_platform_that_asks_twice_is_not_more_urgent() -> None:
    with at_a_checkpoint() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.signal == signal.SIGTERM


@pytest.mark.parametrize(
    ("trained", "training", "todo"),
    [
        ('{"epochs":3}', {"epochs": 3}, False),
        ('{"epochs":3}', {"epochs": 4}, True),
        ('{"epochs":3}', {"epochs": 2}, False),
        ('{"epochs":3}', {"steps": 2}, True),
        ('{"kimg":0.5}', {"kimg": 1}, True),
        ("", {"epochs": 4}, False),
    ],
)
def test_a_completed_trial_is_run_only_for_a_larger_budget(
    job_dir: JobDir, trained: str, training: dict[str, float], todo: bool
) -> None:
    (trial,) = make_job(seeds=1, training=training).trials
    job_dir.trial(A).write_state(
        TrialState(status="completed", step=9, identity=trial.identity(), budget=trained)
    )
    assert bool(make_plan([trial], job_dir).todo) == todo
