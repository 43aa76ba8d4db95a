"""How the trials of a job stand, as metrics of Ray's: what Prometheus finds at the driver's node."""

from __future__ import annotations

import time
from collections.abc import Callable

from gandist.artifacts.statuses import Counts
from gandist.artifacts.trial_state import TrialState
from gandist.runner.events import Began, Finished, Progress, Requeued, RunEvent, Started

LABELS = ("gandist_job", "trial")
"""Not ``job``: that is what Prometheus itself calls what it scrapes."""
REFRESH_S = 5.0
GONE = float("nan")
"""Ends a series: seen with Ray 2.60, which has no call for it."""


class TrialMetrics:
    """Keeps Ray's metrics of a job's trials up to date; made while Ray is connected.

    Args:
        job: its name.
        clock: seconds, from wherever.
    """

    def __init__(self, job: str, clock: Callable[[], float] = time.monotonic) -> None:
        from ray.util.metrics import Counter, Gauge

        def gauge(name: str, description: str, *labels: str) -> Gauge:
            return Gauge(f"gandist_trial_{name}", description, (*LABELS, *labels))

        self._job, self._clock = job, clock
        self._images = gauge("images_per_second", "Real images shown to the discriminator a second.")
        self._step = gauge("step", "Generator updates so far.")
        self._status = gauge("status", "1, for the status that the trial has.", "status")
        self._age = gauge(
            "seconds_since_checkpoint",
            "Training that would be lost: since the last checkpoint, or since the attempt began.",
        )
        self._failures = Counter(
            "gandist_trial_failures_total", "Attempts that ended without a result.", LABELS
        )
        self._statuses: dict[str, str] = {}
        self._saved: dict[str, float] = {}
        """Of each running trial, when its last checkpoint was finished or its attempt began, by ``clock``."""
        self._refreshed = clock()

    def __call__(self, event: RunEvent) -> None:
        """Take in an event."""
        match event:
            case Began():
                for trial, state in event.states.items():
                    # Nothing runs yet, whatever a driver that was killed has left behind.
                    self._settle(trial, "queued" if state.meaning.active else state.status)
                    self._step.set(state.step, self._labels(trial))
            case Started():
                self._stands(event.trial, "starting")
                self._saved[event.trial] = self._clock()
            case Progress():
                self._stands(event.trial, "running")
                self._trains(event.trial, event.state)
            case Requeued():
                self._settle(event.trial, "requeued")
                if event.failures:
                    self._failures.inc(1, self._labels(event.trial))
            case Finished():
                self._settle(event.trial, event.state.status)
                self._step.set(event.state.step, self._labels(event.trial))
                if event.state.meaning.counts is Counts.FAILURE:
                    self._failures.inc(1, self._labels(event.trial))

    def refresh(self) -> None:
        """Called all the time: what is never checkpointed grows old without any event."""
        if self._clock() - self._refreshed >= REFRESH_S:
            self._refreshed = self._clock()
            for trial, since in self._saved.items():
                self._age.set(self._refreshed - since, self._labels(trial))

    def _trains(self, trial: str, state: TrialState) -> None:
        labels, now = self._labels(trial), self._clock()
        # Both times of the state are of one clock, which need not be this machine's.
        saved = now - max(0.0, state.updated_at - state.checkpointed_at)
        self._saved[trial] = max(saved, self._saved.get(trial, now))
        self._age.set(now - self._saved[trial], labels)
        self._images.set(state.images_per_s, labels)
        self._step.set(state.step, labels)

    def _settle(self, trial: str, status: str) -> None:
        self._stands(trial, status)
        self._saved.pop(trial, None)
        for metric in (self._images, self._age):
            metric.set(GONE, self._labels(trial))

    def _stands(self, trial: str, status: str) -> None:
        before = self._statuses.get(trial)
        if before != status:
            self._statuses[trial] = status
            if before is not None:
                self._status.set(GONE, self._labels(trial) | {"status": before})
            self._status.set(1.0, self._labels(trial) | {"status": status})

    def _labels(self, trial: str) -> dict[str, str]:
        return dict(zip(LABELS, (self._job, trial), strict=True))
