"""Trials in this process, one after another, without Ray: for development, a debugger, one GPU."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from gandist import threads
from gandist.runner.backend import RUN_TRIAL, attempt
from gandist.runner.events import BackendEvent, Finished, Lost, Started
from gandist.spec.job import Job
from gandist.spec.trial import TrialSpec


class LocalBackend:
    """Runs a trial's next block of steps in each ``poll``: a trial that stalls, stalls the job.

    Args:
        job: its resources.
        job_root: the job directory.
        data_dir: where data files lie.
        trial_function: ``module:name`` of what runs a trial.
    """

    def __init__(
        self, job: Job, job_root: str, data_dir: str | None, trial_function: str = RUN_TRIAL
    ) -> None:
        self._resources = job.spec.resources
        self._job_root = job_root
        self._data_dir = data_dir
        self._function = trial_function
        self._queue: deque[TrialSpec] = deque()
        self._current: Iterator[BackendEvent] | None = None
        self._stop = threading.Event()
        self._visible_gpus = os.environ.get("CUDA_VISIBLE_DEVICES")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current = None
        if self._visible_gpus is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = self._visible_gpus
        else:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)

    def admit(self) -> list[str]:
        """One trial at a time always fits; this process may be too old for the promise of the same bits."""
        if self._resources.gpus == 0:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # read when TensorFlow first looks for devices
        why = threads.why_inexact(threads.of(self._resources))
        return ["in this process, one trial after another", *filter(None, [why])]

    def submit(self, trial: TrialSpec) -> None:
        """Queue a trial."""
        self._queue.append(trial)

    @property
    def busy(self) -> bool:
        """Whether a trial is queued or running."""
        return bool(self._queue) or self._current is not None

    def poll(self, timeout_s: float) -> list[BackendEvent]:
        """The current trial's next event; starts the next trial where there is none."""
        if self._current is not None:
            event = next(self._current)
            if isinstance(event, Finished | Lost):
                self._current = None
            return [event]
        if not self._queue:
            time.sleep(timeout_s)
            return []
        trial = self._queue.popleft()
        self._current = attempt(self._function, trial, self._job_root, self._data_dir, self._stop)
        return [Started(trial.id)]

    def stop(self) -> None:
        """Forget what is queued, and ask the current trial to stop at a checkpoint."""
        self._queue.clear()
        self._stop.set()
