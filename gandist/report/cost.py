"""What training cost: seconds, times the GPUs or cores that a trial had. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandist.report.statistics import Series
from gandist.report.trial import Trial

_GPUS = re.compile(r"(\d{1,4}) x ")
_CORES = re.compile(r", (\d{1,5}) threads?\b")


@dataclass(frozen=True)
class Cost:
    """How the cost of a job's trials is counted.

    Attributes:
        unit: ``GPU-seconds``, ``core-seconds``, or ``device-seconds`` where the device is not known.
        share: of a GPU that a trial had.
    """

    unit: str
    share: float = 1.0

    def against(self, trial: Trial, values: Series) -> Series:
        """``values`` against the cost of the steps up to theirs, at the trial's mean rate.

        Steps that were made again after a kill count as often as they were made.
        """
        state = trial.state
        if state.step < 1 or not values.steps.size:
            return values.head(0)
        each = state.train_s / state.step * _count(trial)[1] * self.share
        return Series(values.steps, values.steps.astype(np.float64) * each, values.values)


def cost(job: Mapping[str, Any], trials: Sequence[Trial]) -> Cost | None:
    """How ``trials`` can be compared by what they cost; None where their devices differ or are not known."""
    devices = {(trial.state.device, trial.state.replicas) for trial in trials if trial.state.train_s > 0}
    kinds = {re.sub(r"\d+ (?:x |threads?)", "", device) for device, _ in devices}
    if len(kinds) != 1 or kinds == {""}:
        return None
    unit = next(_count(trial)[0] for trial in trials if trial.state.train_s > 0)
    resources = job.get("resources")
    gpus = resources.get("gpus") if isinstance(resources, Mapping) else None
    shared = unit == "GPU-seconds" and isinstance(gpus, float) and 0 < gpus < 1
    return Cost(unit, float(gpus) if shared and gpus else 1.0)


def _count(trial: Trial) -> tuple[str, int]:
    """The unit, and how many devices or cores a trial has of it, by its state."""
    device = trial.state.device
    if found := _GPUS.match(device):
        return "GPU-seconds", int(found[1])
    if found := _CORES.search(device):
        return "core-seconds", int(found[1])
    return "device-seconds", max(1, trial.state.replicas)
