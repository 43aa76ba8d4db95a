"""A pool of Ray actors, each running one trial after another."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gandist.artifacts.statuses import STOPPED
from gandist.errors import RunError, UsageError
from gandist.runner.backend import RUN_TRIAL
from gandist.runner.events import BackendEvent, Finished, Lost, Notice, Started
from gandist.runner.ray.actor import TrialActor, variables
from gandist.runner.ray.connection import QUIET, Cluster, connected
from gandist.runner.ray.failures import lost
from gandist.runner.ray.turns import Turns
from gandist.spec.job import MAX_TRIALS, Job
from gandist.spec.plugins import Sent
from gandist.spec.trial import TrialSpec

MAX_PENDING = 100
"""Actors that wait for a place at a time: demand enough for an autoscaler, few enough for Ray."""

MIN_WAIT_S = 0.01
PLACE_S = 15.0
"""Without a place for any trial, until that is told; told again after twice that time, and so on."""
ASLEEP_S = 10.0
"""Between two polls, which are a second apart: the driver itself was not there, and has heard of nobody."""

_numbers = itertools.count(1)
"""Actors are ``<job>/<number>``, each once in the namespace that Ray gives to this process: a name is given
when an actor is made, before it is known which trials it will run. Its tasks are named after those."""


@dataclass(eq=False)
class _Worker:
    """An actor, and what the driver waits for: that it is placed, or the next event of its trial."""

    actor: Any
    waits_for: Any
    placed: bool = False
    trial: TrialSpec | None = None
    seen: float = 0.0
    """When its trial last gave a sign of life, in monotonic time."""


class RayBackend:
    """Runs as many trials at a time as fit, on the cluster of ``RAY_ADDRESS`` or on this machine.

    The pool has an actor, placed or pending, for each unfinished trial up to ``max_concurrent``: the demand
    that an autoscaler sees. A trial is given to an actor that is placed, so one that has just become free
    takes the next trial before one that still waits for its place.

    Args:
        job: its resources and schedule.
        job_root: the job directory.
        data_dir: where data files lie, on each node.
        trial_function: ``module:name`` of what runs a trial.
        env_vars: further environment variables of the actors.
        tell: takes a line for a person who waits.
    """

    def __init__(
        self,
        job: Job,
        job_root: str,
        data_dir: str | None,
        trial_function: str = RUN_TRIAL,
        env_vars: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._job, self._resources, self._schedule = job.spec.name, job.spec.resources, job.spec.schedule
        self._max_concurrent = self._schedule.max_concurrent or MAX_TRIALS
        # An actor's working directory is not the driver's.
        root = job_root if "://" in job_root else str(Path(job_root).absolute())
        self._arguments = (root, data_dir and str(Path(data_dir).absolute()))
        self._function = trial_function
        self._env_vars = dict(env_vars or {})
        self._tell = tell
        self._queue: deque[TrialSpec] = deque()
        self._workers: list[_Worker] = []
        self._polled: float | None = None
        """When last, in monotonic time."""
        self._placed_at = 0.0
        """When an actor last had a place, or none was asked for, in monotonic time."""
        self._tell_after_s = PLACE_S
        self._stack = ExitStack()
        self._cluster: Cluster
        self._actor_class: Any

    def __enter__(self) -> Self:
        self._cluster = self._stack.enter_context(connected(tell=self._tell))
        import ray  # connected() has set the environment that it reads

        self._ray = ray
        self._turns = Turns(self._job, self._schedule.priority)
        self._actor_class = ray.remote(
            num_cpus=self._resources.cpus,
            num_gpus=self._gpus,
            max_restarts=0,
            max_concurrency=3,  # run, the last run while it is leaving, and stop
            runtime_env={"env_vars": QUIET | variables(self._gpus) | self._env_vars},
        )(TrialActor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A Ray that has died would be waited for, once for each; its processes are ended in another way.
        if not self._cluster.watch.error:
            for worker in list(self._workers):
                self._discard(worker)
            self._turns.leave()
        self._stack.close()

    @property
    def _gpus(self) -> float:
        asked = self._resources.gpus
        return asked if asked is not None else float(self._cluster.gpus > 0)

    def admit(self) -> list[str]:
        """Refuse what can never be placed; else say where trials run.

        Raises:
            UsageError: this machine is smaller than a trial.
        """
        cpus, gpus, cluster = self._resources.cpus, self._gpus, self._cluster
        notices = [f"{cluster}; a trial takes {cpus} CPUs, {gpus:g} GPUs"]
        if not cluster.fits(cpus, gpus):
            if cluster.own:
                raise UsageError(f"resources: {self._demand()}")
            notices.append(f"resources: {self._demand()}; {self._patience()}")
        if len(cluster.nodes) > 1 and "://" not in self._arguments[0]:
            notices.append(f"{self._arguments[0]} must be a directory that all nodes share")
        return notices

    def _demand(self) -> str:
        """What a trial asks for, and what there is now."""
        cpus, gpus, cluster = self._resources.cpus, self._gpus, self._cluster.now()
        asks = f"a trial asks for {cpus} CPUs and {gpus:g} GPUs"
        if cluster.fits(cpus, gpus):
            return f"{asks}, and nodes that have them are in use or starting ({cluster})"
        return f"{asks}, more than any node has ({cluster}): {cluster.advice(cpus, gpus)}"

    def _patience(self) -> str:
        limit = self._schedule.placement_timeout_s
        how = f"for {limit:g} s" if limit else "without end; schedule.placement_timeout_s sets one"
        return f"waiting for a place {how}"

    def submit(self, trial: TrialSpec) -> None:
        """Queue a trial."""
        self._queue.append(trial)

    @property
    def busy(self) -> bool:
        """Whether a trial is queued or running."""
        return bool(self._queue) or any(worker.trial for worker in self._workers)

    def poll(self, timeout_s: float) -> list[BackendEvent]:
        """Keep the pool at work; what the trials have sent since.

        Raises:
            RunError: no trial has had a place for ``placement_timeout_s``, or Ray itself has died.
        """
        self._cluster.watch.check()
        events = self._wake_up() + self._tell_unplaced()
        if not self._cluster.own:  # else there are no others
            events += self._turns.look(self._waits)
        self._grow()
        events += [event for worker in self._ready(timeout_s) for event in self._take(worker)]
        events += self._kill_stalled()
        events += self._assign()
        self._shrink()
        self._polled = time.monotonic()
        return events

    def stop(self) -> None:
        """Forget what is queued, and ask what is running to stop at a checkpoint."""
        self._queue.clear()
        self._shrink()
        for worker in self._workers:
            worker.actor.stop.remote()

    def _waits(self) -> bool:
        """Whether trials are queued that a node could hold, and none of what runs is to end first."""
        room = sum(worker.trial is not None for worker in self._workers) < self._max_concurrent
        return bool(self._queue) and room and self._cluster.now().fits(self._resources.cpus, self._gpus)

    def _grow(self) -> None:
        if self._turns.yielding:
            return
        busy = sum(worker.trial is not None for worker in self._workers)
        pending = sum(not worker.placed for worker in self._workers)
        wanted = min(busy + len(self._queue), self._max_concurrent) - len(self._workers)
        for _ in range(min(wanted, MAX_PENDING - pending)):
            self._add_worker()

    def _add_worker(self) -> _Worker:
        actor = self._actor_class.options(name=f"{self._job}/{next(_numbers)}").remote()
        worker = _Worker(actor, actor.ready.remote())
        self._workers.append(worker)
        return worker

    def _ready(self, timeout_s: float) -> list[_Worker]:
        by_wait = {worker.waits_for: worker for worker in self._workers if worker.waits_for is not None}
        if not by_wait:
            time.sleep(timeout_s)
            return []
        waits = list(by_wait)
        ready, _ = self._ray.wait(waits, timeout=max(timeout_s, MIN_WAIT_S))
        if ready:  # the first wait ends with one; this one collects all, so that none is overlooked for long
            ready, _ = self._ray.wait(waits, num_returns=len(waits), timeout=0)
        return [by_wait[wait] for wait in ready]

    def _take(self, worker: _Worker) -> list[BackendEvent]:
        """The event of a worker whose wait is over."""
        trial = worker.trial
        try:
            if trial is None:
                self._ray.get(worker.waits_for)
                worker.placed, worker.waits_for = True, None
                return []
            event: BackendEvent = self._ray.get(next(worker.waits_for))
        except (self._ray.exceptions.RayError, StopIteration) as error:
            self._discard(worker)
            # An actor that could not be made counts against the trial it would have run: this must end, too.
            trial = trial or (self._queue.popleft() if self._queue else None)
            return [lost(trial.id, error)] if trial else []
        worker.seen = time.monotonic()
        if isinstance(event, Lost):
            self._discard(worker)  # whatever broke may have left something behind
        elif isinstance(event, Finished) and event.state.meaning is not STOPPED:
            worker.trial = worker.waits_for = None
        elif isinstance(event, Finished):
            self._discard(worker)  # it was asked to stop, and would stop any other trial, too
        return [event]

    def _wake_up(self) -> list[BackendEvent]:
        """Where this process has slept, as a laptop or a paused machine does, nobody else has stalled."""
        now = time.monotonic()
        if self._polled is None or now - self._polled < ASLEEP_S:
            return []
        self._placed_at = now
        for worker in self._workers:
            worker.seen = now
        slept = f"this driver did not run for {now - self._polled:.0f} s (a machine that slept?)"
        return [Notice(f"{slept}: no trial is taken for stalled because of that")]

    def _tell_unplaced(self) -> list[BackendEvent]:
        """A job that waits does not wait in silence, nor for longer than it was told to."""
        now = time.monotonic()
        if not self._workers or any(worker.placed for worker in self._workers):
            self._placed_at, self._tell_after_s = now, PLACE_S
        waited_s, limit = now - self._placed_at, self._schedule.placement_timeout_s
        if limit and waited_s >= limit:
            ended = f"schedule.placement_timeout_s: no trial has had a place for {limit:g} s"
            raise RunError(f"{ended}: {self._demand()}")
        if waited_s < self._tell_after_s:
            return []
        self._tell_after_s *= 2
        return [Notice(f"no trial has a place yet: {self._demand()}; {self._patience()}")]

    def _kill_stalled(self) -> list[BackendEvent]:
        oldest = time.monotonic() - self._schedule.stall_timeout_s
        stalled = [
            (worker, worker.trial) for worker in self._workers if worker.trial and worker.seen < oldest
        ]
        for worker, _ in stalled:
            self._discard(worker)
        return [
            Lost(trial.id, f"no sign of life for {self._schedule.stall_timeout_s:g} s")
            for _, trial in stalled
        ]

    def _assign(self) -> list[BackendEvent]:
        events: list[BackendEvent] = []
        for worker in self._workers:
            if worker.placed and worker.trial is None and self._queue and not self._turns.yielding:
                trial = worker.trial = self._queue.popleft()
                # Also the title of the process, which a preStop hook knows by the class.
                name = f"{TrialActor.__name__}:{trial.job}/{trial.id}"
                run = worker.actor.run.options(num_returns="streaming", name=name)
                worker.waits_for = run.remote(self._function, Sent.of(trial), *self._arguments)
                worker.seen = time.monotonic()
                events.append(Started(trial.id))
        return events

    def _shrink(self) -> None:
        """Let go of actors for which nothing is queued, or may be placed: others need their place."""
        if not self._queue or self._turns.yielding:
            for worker in [worker for worker in self._workers if worker.trial is None]:
                self._discard(worker)

    def _discard(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._ray.kill(worker.actor)
