"""The schedule of a job: submit, requeue what was lost, give up after some failures, stop when asked to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TypeGuard

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.statuses import STOPPED
from gandist.artifacts.trial_state import TrialState
from gandist.errors import StorageError
from gandist.runner.backend import Backend
from gandist.runner.events import Finished, JobEvent, Lost, Notice, Outcome, Progress, Requeued
from gandist.runner.interrupts import at_a_checkpoint
from gandist.runner.plan import Plan
from gandist.spec.job import Job
from gandist.spec.trial import TrialSpec

POLL_S = 1.0
PREEMPTED = "stopped at a checkpoint: its node asked it to"
GRACE_S = 25.0
"""For trials to reach a checkpoint after a signal: Kubernetes kills after 30."""


def backoff_s(failures: int) -> float:
    """Seconds before a trial that was lost ``failures`` times is attempted again."""
    return float(min(60, 2**failures))


def run_job(
    job: Job,
    plan: Plan,
    job_dir: JobDir,
    backend: Backend,
    on_event: Callable[[JobEvent], None],
    backoff: Callable[[int], float] = backoff_s,
    check: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run what ``plan`` has to do on ``backend``, which is entered and has admitted it.

    A signal stops the trials at a checkpoint; a SIGINT after that raises ``Interrupted``.

    Args:
        job: whose trials they are.
        plan: from ``make_plan``.
        job_dir: where they are kept.
        backend: what runs them.
        on_event: told of everything that happens, in this thread.
        backoff: seconds to wait before another attempt, by the number of failures.
        check: called all the time; what it raises ends the run at once.
    """
    return _Run(job, plan, job_dir, backend, on_event, backoff, check).run()


def _was_stopped(event: JobEvent | Lost) -> TypeGuard[Finished]:
    """Whether a trial was told to leave before its time."""
    return isinstance(event, Finished) and event.state.meaning is STOPPED


class _Run:
    """What changes while a job runs."""

    def __init__(
        self,
        job: Job,
        plan: Plan,
        job_dir: JobDir,
        backend: Backend,
        on_event: Callable[[JobEvent], None],
        backoff: Callable[[int], float],
        check: Callable[[], None],
    ) -> None:
        self.max_failures = job.spec.schedule.max_failures
        self.trials = {trial.id: trial for trial in plan.todo}
        self.states = dict(plan.states)
        self.job_dir = job_dir
        self.backend = backend
        self.tell = on_event
        self.backoff = backoff
        self.check = check
        self.failures: Counter[str] = Counter()
        self.due: dict[str, float] = {}
        """When the lost trials are attempted again, in monotonic time."""
        self.stop_by: float | None = None
        """Until when running trials may reach a checkpoint; None while nothing was asked to stop."""

    def run(self) -> Outcome:
        with at_a_checkpoint() as interrupt:
            for trial in self.trials.values():
                self.backend.submit(trial)
            while self.backend.busy or self.due:
                self.check()
                if interrupt.signal is not None and self.stop_by is None:
                    self.stop()
                if self.stop_by is not None and time.monotonic() > self.stop_by:
                    self.tell(
                        Notice(
                            f"{GRACE_S:.0f} s are over: the rest goes on from the last checkpoint next time"
                        )
                    )
                    break
                for trial in self.take_due():
                    self.backend.submit(trial)
                for event in self.backend.poll(self.patience()):
                    self.handle_lost(event) if isinstance(event, Lost) else self.handle(event)
                    if _was_stopped(event) and self.stop_by is None:
                        self.requeue(event.trial, PREEMPTED, failures=0)
            return Outcome(self.states, self.job_dir.root, interrupt.signal)

    def stop(self) -> None:
        self.tell(Notice("stopping at the next checkpoint; once more to leave at once"))
        self.stop_by = time.monotonic() + GRACE_S
        self.due.clear()
        self.backend.stop()

    def take_due(self) -> list[TrialSpec]:
        now = time.monotonic()
        due = [trial for trial, at in self.due.items() if at <= now]
        for trial in due:
            del self.due[trial]
        return [self.trials[trial] for trial in due]

    def patience(self) -> float:
        return max(0.0, min([POLL_S, *(at - time.monotonic() for at in self.due.values())]))

    def handle(self, event: JobEvent) -> None:
        if isinstance(event, Progress | Finished):
            self.states[event.trial] = event.state
        self.tell(event)

    def handle_lost(self, lost: Lost) -> None:
        if lost.preempted:
            if self.stop_by is None:
                self.requeue(lost.trial, lost.reason, failures=0)
            return
        self.failures[lost.trial] += 1
        failures = self.failures[lost.trial]
        trial_dir = self.job_dir.trial(lost.trial)
        if lost.detail:
            self.try_to_write(lambda: trial_dir.storage.write(TrialDir.ERROR, lost.detail.encode()))
        if not lost.retry or failures > self.max_failures:
            self.handle(Finished(lost.trial, self.give_up(trial_dir, lost, failures)))
        elif self.stop_by is None:
            self.requeue(lost.trial, lost.reason, failures)

    def requeue(self, trial: str, reason: str, failures: int) -> None:
        delay_s = self.backoff(max(1, failures))
        self.due[trial] = time.monotonic() + delay_s
        self.tell(Requeued(trial, reason, failures, delay_s))

    def give_up(self, trial_dir: TrialDir, lost: Lost, failures: int) -> TrialState:
        try:
            state = trial_dir.read_state()
        except StorageError:
            state = self.states[lost.trial]
        state = state.model_copy(
            update={
                "status": "failed",
                "reason": lost.reason,
                "activity": "",
                "attempts": max(state.attempts, failures),  # one that died early has not counted itself
                "updated_at": time.time(),
            }
        )
        self.try_to_write(lambda: trial_dir.write_state(state))
        return state

    def try_to_write(self, write: Callable[[], None]) -> None:
        """The other trials go on where the storage refuses the record of a lost one."""
        try:
            write()
        except StorageError as error:
            self.tell(Notice(str(error)))
