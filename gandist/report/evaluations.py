"""Where trials ended, by their losses and by what was measured of their images. Pure.

A trial that diverged or became unstable has curves up to there, but no place in an average over seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandist.report import text
from gandist.report.merge import Merged
from gandist.report.statistics import Series, Summary, last_value, summary
from gandist.report.thinning import NONE
from gandist.report.trial import Trial
from gandist.spec.renamed import todays_metric

ROUNDING = 1e-9
"""Of a budget that was computed in two ways."""


@dataclass(frozen=True)
class Metric:
    """What can be compared: values of another protocol are another metric."""

    name: str
    lower_is_better: bool
    protocol: str
    title: str
    """The name, with a number where several protocols share it."""

    @property
    def direction(self) -> str:
        """``lower is better`` or ``higher is better``."""
        return f"{'lower' if self.lower_is_better else 'higher'} is better"

    def better(self, values: np.ndarray) -> int:
        """Which of ``values``, float64 ``[n]``, n > 0, is best."""
        return int(np.argmin(values) if self.lower_is_better else np.argmax(values))

    def series(self, trial: Trial) -> Series:
        """The finite values of ``trial``, by step."""
        return trial.evaluations.get((self.name, self.lower_is_better, self.protocol), NONE)

    def counted(self, trials: Sequence[Trial]) -> list[Trial]:
        """Those that completed and were evaluated after their last step."""
        return [trial for trial in trials if self._final(trial) is not None]

    def finals(self, trials: Sequence[Trial]) -> dict[int, float]:
        """By seed, the value after the last step of each trial that completed."""
        found = {trial.seed: self._final(trial) for trial in trials}
        return {seed: value for seed, value in found.items() if value is not None}

    def at(self, trials: Sequence[Trial], kimg: float) -> dict[int, tuple[float, float]]:
        """By seed, ``(kimg, value)`` of the last evaluation up to ``kimg``; trials as in ``finals``."""
        found = {}
        for trial in self.counted(trials):
            of_trial = self.series(trial)
            rows = int(np.searchsorted(of_trial.kimg, kimg * (1 + ROUNDING), side="right"))
            if rows:
                found[trial.seed] = (float(of_trial.kimg[rows - 1]), float(of_trial.values[rows - 1]))
        return found

    def elsewhere(self, trials: Sequence[Trial]) -> int:
        """How many trials completed with values of this metric by other protocols only."""
        others = [t for t in trials if t.ended.is_success and self._final(t) is None]
        return sum(
            any(name == self.name and protocol != self.protocol for name, _, protocol in trial.evaluations)
            for trial in others
        )

    def _final(self, trial: Trial) -> float | None:
        if not trial.ended.is_success:
            return None
        return last_value(self.series(trial), trial.state.total_steps)


@dataclass(frozen=True)
class Best:
    """The best value of each seed at any time: over seeds, and the steps where they were."""

    values: Summary
    steps: tuple[int, int]
    """The earliest and the latest; 0, 0 for none."""


def final_losses(trials: Sequence[Trial], column: str) -> dict[int, float]:
    """By seed, the last value of ``column`` of each trial that reached its last step, see ``final_value``."""
    return {
        trial.seed: trial.losses.finals[column]
        for trial in trials
        if not trial.ended.is_outcome and column in trial.losses.finals
    }


def counted_losses(trials: Sequence[Trial]) -> list[Trial]:
    """Those that have a final loss."""
    seeds = final_losses(trials, "d_loss")
    return [trial for trial in trials if trial.seed in seeds]


def measured(merged: Merged) -> list[Metric]:
    """All metrics of a job, in the order in which they were written."""
    columns = [merged.metrics[name].to_pylist() for name in ("metric", "lower_is_better", "protocol")]
    found = list(dict.fromkeys(zip(*columns, strict=True)))
    names = Counter(name for name, _, _ in found)
    count: Counter[str] = Counter()
    metrics = []
    for name, lower_is_better, protocol in found:
        count[name] += 1
        title = text.plain(name, 40)
        if names[name] > 1:
            title += f" (protocol {count[name]})"
        metrics.append(Metric(name, lower_is_better, protocol, title))
    return metrics


def objective(job: Mapping[str, Any], metrics: Sequence[Metric]) -> Metric | None:
    """What the configurations of ``job`` are compared by: the first metric that it names, or that it has."""
    evaluation = job.get("evaluation")
    named = evaluation.get("metrics") if isinstance(evaluation, Mapping) else None
    first = todays_metric(str(named[0]))[0] if isinstance(named, list | tuple) and named else None
    return next((metric for metric in metrics if metric.name == first), metrics[0] if metrics else None)


def best_over_time(metric: Metric, trials: Sequence[Trial]) -> Best:
    """Of the trials that completed."""
    values, steps = [], []
    for trial in trials:
        of_seed = metric.series(trial)
        if trial.ended.is_success and of_seed.values.size:
            at = metric.better(of_seed.values)
            values.append(float(of_seed.values[at]))
            steps.append(int(of_seed.steps[at]))
    return Best(summary(values), (min(steps, default=0), max(steps, default=0)))
