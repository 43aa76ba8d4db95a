"""A job from its directory to how its trials stand in the end; whoever calls this writes the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from gandist.activity import telling
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.data import DataOptions
from gandist.errors import StorageError
from gandist.runner.backend import Backend
from gandist.runner.datasets import check_models, data_lines, datasets, lengths
from gandist.runner.events import Began, Finished, JobEvent, Notice, Outcome, Progress, RunEvent
from gandist.runner.interrupts import at_once
from gandist.runner.lease import Lease
from gandist.runner.local_backend import LocalBackend
from gandist.runner.manifest import open_job_dir, write_job
from gandist.runner.plan import make_plan, shortened
from gandist.runner.pruning import Stage, mark, next_stage
from gandist.runner.ray.connection import on_this_machine
from gandist.runner.ray.metrics import TrialMetrics
from gandist.runner.ray.pool import RayBackend
from gandist.runner.schedule import run_job
from gandist.spec import plugins
from gandist.spec.job import Job
from gandist.spec.notices import notices
from gandist.spec.trial import TrialSpec
from gandist.spec.variants import held


def run(
    job: Job,
    storage: str,
    *,
    data_dir: str | None,
    local: bool,
    retry_failed: bool,
    fresh: bool,
    on_event: Callable[[RunEvent], None],
) -> Outcome:
    """Run a job, or continue it: finished trials are not run twice.

    Signals are noted only within ``interruptible``; arguments and what is raised as in ``gandist.run``.

    Returns:
        How the trials stand; what ``on_event`` has been told last.
    """
    began = time.monotonic()
    plugins.use(job.plugins)

    def tell(line: str) -> None:
        on_event(Notice(line))

    def warn(line: str) -> None:
        on_event(Notice(line, warning=True))

    here = local or on_this_machine()
    with at_once():
        job = job.located(data_dir) if here else job  # a cluster's nodes have other files
        job_dir = open_job_dir(storage, job)
        look = partial(make_plan, job.trials, job_dir, retry_failed=retry_failed, fresh=fresh)
        stage = next_stage(job, look(), job_dir)
    plan = stage.plan
    if ahead := shortened(job.trials, plan.states):
        warn(ahead)
    done = sum(state.finished for state in plan.states.values())
    lease = Lease(job_dir.storage, tell)
    if not plan.todo:
        tell(f"nothing left to do: {done} of {len(job.trials)} trials are finished")
        with lease:
            lease.take()
            write_job(job_dir, job)
            plan.states.update(_pruned(stage, job_dir, on_event))
        outcome = Outcome(plan.states, job_dir.root)
        on_event(outcome)
        return outcome
    with at_once():  # what is missing is told before anything is written or started
        found = telling(partial(datasets, plan.todo, data_dir), warn) if here else {}
        check_models(plan.todo, found)
    tell(f"{job}, {len(plan.todo)} to run, {done} finished; in {job_dir.root}")
    for line in data_lines(found):
        tell(line)
    for line in notices(job, plan.todo, found):
        warn(line)
    if len(plan.todo) == 1 and not local and here:
        tell("one trial only: --local runs it without Ray, and begins sooner")
    backend: Backend
    if local:
        backend = LocalBackend(job, job_dir.root, data_dir)
    else:
        backend = RayBackend(job, job_dir.root, data_dir, tell=tell)
    with at_once():
        lease.look()
    with lease, backend, held():  # the lease goes when all trials have ended
        with at_once():
            for line in backend.admit():
                tell(line)
            lease.take()
            plan = look()  # another driver may have been at work since
        for trial in plan.aside:
            tell(f"{trial}: trained anew; what there was is now in {job_dir.set_aside(trial)}")
        write_job(job_dir, job, start_s=time.monotonic() - began)
        listeners, checks = [on_event], [lease.check]
        if not local:
            metrics = TrialMetrics(job.spec.name)
            listeners.append(metrics)
            checks.append(metrics.refresh)
        tell_all = partial(_each, listeners)
        tell_all(Began(plan.states, lengths(plan.todo, found)))
        of_trials = tell_all if here else ToldData(tell_all, job_dir, plan.todo)
        plan = replace(plan, aside=())
        while (stage := next_stage(job, plan, job_dir)).plan.todo:
            plan.states.update(_pruned(stage, job_dir, of_trials))
            outcome = run_job(job, stage.plan, job_dir, backend, of_trials, check=partial(_each, checks))
            if outcome.signal is not None:
                break
            plan = make_plan(job.trials, job_dir)
        else:
            plan.states.update(_pruned(stage, job_dir, of_trials))
            outcome = Outcome(plan.states, job_dir.root)
    on_event(outcome)
    return outcome


def _each(functions: Sequence[Callable[..., None]], *arguments: object) -> None:
    for function in functions:
        function(*arguments)


def _pruned(stage: Stage, job_dir: JobDir, on_event: Callable[[JobEvent], None]) -> dict[str, TrialState]:
    """Marks the trials that a rung has pruned, tells of them, and gives their states."""
    states = mark(stage, job_dir)
    if states:
        on_event(Notice(str(stage.decisions[-1])))
    for trial, state in states.items():
        on_event(Finished(trial, state))
    return states


class ToldData:
    """Passes events on, and adds a notice on what the trials found in their data, once for each data set.

    For a driver that may not have the data: the first trial that has loaded it has written that down.

    Args:
        show: takes the events.
        job_dir: whose trials they are of.
        trials: with their data sections.
    """

    def __init__(
        self, show: Callable[[JobEvent], None], job_dir: JobDir, trials: Iterable[TrialSpec]
    ) -> None:
        self._show, self._job_dir = show, job_dir
        self._untold: dict[str, DataOptions] = {trial.id: trial.data for trial in trials}
        self._lines: set[str] = set()

    def __call__(self, event: JobEvent) -> None:
        """Show an event."""
        self._show(event)
        # In its first steps a trial has its data; while it does something else, it may not.
        if isinstance(event, Progress | Finished) and event.state.step and not event.state.activity:
            self._tell(event.trial)

    def _tell(self, trial: str) -> None:
        if (data := self._untold.get(trial)) is None:
            return
        self._untold = {other: options for other, options in self._untold.items() if options != data}
        try:
            found = self._job_dir.trial(trial).read_dataset()
        except StorageError:  # which the trial itself will tell of
            return
        for line in found.lines if found else ():
            if line not in self._lines:
                self._lines.add(line)
                self._show(Notice(f"data: {line}"))
