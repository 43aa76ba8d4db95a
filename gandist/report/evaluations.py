"""Where trials ended, by their losses and by what was measured of their images. Pure.

A trial that diverged or collapsed has curves up to there, but no place in an average over seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from gandist.report import text
from gandist.report.merge import Merged, Trial
from gandist.report.plots import series
from gandist.report.statistics import Series, Summary, final_value, last_value, summary


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
        rows = trial.metrics
        for column, own in (
            ("metric", self.name),
            ("protocol", self.protocol),
            ("lower_is_better", self.lower_is_better),
        ):
            rows = rows.filter(pc.equal(rows[column], own))
        values, kimg = (np.asarray(rows[column].to_numpy(), np.float64) for column in ("value", "kimg"))
        finite = np.isfinite(values) & np.isfinite(kimg)
        return Series(rows["step"].to_numpy()[finite], kimg[finite], values[finite])

    def finals(self, trials: Sequence[Trial]) -> dict[int, float]:
        """By seed, the value after the last step of each trial that completed."""
        found = {
            trial.seed: last_value(self.series(trial), trial.state.total_steps)
            for trial in trials
            if trial.status == "completed" and not trial.unstable
        }
        return {seed: value for seed, value in found.items() if value is not None}


@dataclass(frozen=True)
class Best:
    """The best value of each seed at any time: over seeds, and the steps where they were."""

    values: Summary
    steps: tuple[int, int]
    """The earliest and the latest; 0, 0 for none."""


def final_losses(trials: Sequence[Trial], column: str) -> dict[int, float]:
    """By seed, the last value of ``column`` of each trial that reached its last step, see ``final_value``."""
    found = {
        trial.seed: final_value(series(trial.losses, column), trial.state.total_steps)
        for trial in trials
        if not trial.unstable
    }
    return {seed: value for seed, value in found.items() if value is not None}


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
    first = named[0] if isinstance(named, list | tuple) and named else None
    return next((metric for metric in metrics if metric.name == first), metrics[0] if metrics else None)


def best_over_time(metric: Metric, trials: Sequence[Trial]) -> Best:
    """Of the trials that completed."""
    values, steps = [], []
    for trial in trials:
        of_seed = metric.series(trial)
        if trial.status == "completed" and not trial.unstable and of_seed.values.size:
            at = metric.better(of_seed.values)
            values.append(float(of_seed.values[at]))
            steps.append(int(of_seed.steps[at]))
    return Best(summary(values), (min(steps, default=0), max(steps, default=0)))
