"""How the trials of a job stand, as metrics of Ray's: what Prometheus finds at the driver's node."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gandist.artifacts.statuses import Counts
from gandist.artifacts.trial_state import TrialState
from gandist.runner.events import Began, Finished, Progress, Requeued, RunEvent, Started

if TYPE_CHECKING:
    from ray.util.metrics import Gauge

LABELS = ("gandist_job", "trial")
"""Not ``job``: that is what Prometheus itself calls what it scrapes."""
REFRESH_S = 5.0
"""Seen with Ray 2.60: a gauge that is not set anew is gone after two of Ray's reports, 20 s by default."""
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
        self._told: dict[tuple[Gauge, tuple[tuple[str, str], ...]], float] = {}
        """What each gauge holds, by its labels but the job's."""
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
                    self._set(self._step, state.step, trial=trial)
            case Started():
                self._stands(event.trial, "starting")
                self._saved[event.trial] = self._clock()
            case Progress():
                self._stands(event.trial, "running")
                self._trains(event.trial, event.state)
            case Requeued():
                self._settle(event.trial, "requeued")
                if event.failures:
                    self._failures.inc(1, self._labels(trial=event.trial))
            case Finished():
                self._settle(event.trial, event.state.status)
                self._set(self._step, event.state.step, trial=event.trial)
                if event.state.meaning.counts is Counts.FAILURE:
                    self._failures.inc(1, self._labels(trial=event.trial))

    def refresh(self) -> None:
        """Called all the time: Ray forgets what is not told again, and no event tells a checkpoint's age."""
        if self._clock() - self._refreshed >= REFRESH_S:
            self._refreshed = self._clock()
            for trial, since in self._saved.items():
                self._set(self._age, self._refreshed - since, trial=trial)
            for (gauge, labels), value in self._told.items():
                gauge.set(value, self._labels(**dict(labels)))

    def _trains(self, trial: str, state: TrialState) -> None:
        now = self._clock()
        # Both times of the state are of one clock, which need not be this machine's.
        saved = now - max(0.0, state.updated_at - state.checkpointed_at)
        self._saved[trial] = max(saved, self._saved.get(trial, now))
        self._set(self._age, now - self._saved[trial], trial=trial)
        self._set(self._images, state.images_per_s, trial=trial)
        self._set(self._step, state.step, trial=trial)

    def _settle(self, trial: str, status: str) -> None:
        self._stands(trial, status)
        self._saved.pop(trial, None)
        for metric in (self._images, self._age):
            self._end(metric, trial=trial)

    def _stands(self, trial: str, status: str) -> None:
        before = self._statuses.get(trial)
        if before != status:
            self._statuses[trial] = status
            if before is not None:
                self._end(self._status, trial=trial, status=before)
            self._set(self._status, 1.0, trial=trial, status=status)

    def _set(self, gauge: Gauge, value: float, **labels: str) -> None:
        self._told[gauge, tuple(labels.items())] = value
        gauge.set(value, self._labels(**labels))

    def _end(self, gauge: Gauge, **labels: str) -> None:
        self._told.pop((gauge, tuple(labels.items())), None)
        gauge.set(GONE, self._labels(**labels))

    def _labels(self, **labels: str) -> dict[str, str]:
        return {"gandist_job": self._job, **labels}
