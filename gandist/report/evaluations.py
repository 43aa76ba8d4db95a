"""Where trials ended, by their losses and by what was measured of their images. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from gandist.artifacts.tables import SELECTION
from gandist.metrics import headline
from gandist.report import text
from gandist.report.merge import Merged
from gandist.report.scores import Scores
from gandist.report.statistics import Series, last_value
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
    """The name, the features that it sees, and a number where several protocols share these."""
    features: str = ""
    """``mnist``: without the hash of the weights; empty where that is not known."""
    floor: float | None = None
    """What real images have in place of generated ones, where that is known."""
    split: str = ""
    """Of the real images: ``held-out``, or ``training`` where none were kept from it."""

    @property
    def direction(self) -> str:
        """``lower is better`` or ``higher is better``."""
        return f"{'lower' if self.lower_is_better else 'higher'} is better"

    def series(self, trial: Trial) -> Series:
        """The finite values of ``trial``, by step."""
        return trial.evaluations.values.get(self._key, NONE)

    def last(self, trial: Trial) -> float | None:
        """The value after the last step of a trial that completed, else None."""
        if not trial.ended.is_success:
            return None
        return last_value(self.series(trial), trial.state.total_steps)

    def chosen(self, trial: Trial) -> tuple[int, float] | None:
        """Step and value of the checkpoint that a trial that completed chose on other images, else None."""
        step = trial.state.best_step if trial.ended.is_success else None
        value = None if step is None else _at(self.series(trial), step)
        return None if step is None or value is None else (step, value)

    def best(self, trial: Trial) -> tuple[int, float] | None:
        """Step and value of the best evaluation of a trial that completed: a number that flatters it."""
        of_trial = self.series(trial)
        if not trial.ended.is_success or not of_trial.values.size:
            return None
        at = _best(of_trial.values, self.lower_is_better)
        return int(of_trial.steps[at]), float(of_trial.values[at])

    def final(self, trial: Trial) -> float | None:
        """What a trial counts with: the value of the checkpoint that it chose, else the last one."""
        if trial.state.best_step is not None:
            chosen = self.chosen(trial)
            return chosen[1] if chosen else None
        return self.last(trial)

    def error(self, trial: Trial) -> float | None:
        """The standard error of ``last``, where it is known."""
        return last_value(trial.evaluations.errors.get(self._key, NONE), trial.state.total_steps)

    def counted(self, trials: Sequence[Trial]) -> list[Trial]:
        """Those that have a final value."""
        return [trial for trial in trials if self.final(trial) is not None]

    def whole(self, trials: Sequence[Trial]) -> list[Trial]:
        """Those, and the failed ones that were trained to their end: whose budgets are compared."""
        return [t for t in trials if self.final(t) is not None or (t.failed and t.meaning.exported)]

    def scores(self, trials: Sequence[Trial], of: Callable[[Trial], float | None] | None = None) -> Scores:
        """The values of one configuration, by default the final ones, with the seeds that failed."""
        value = of or self.final
        return self._with_failed(trials, {trial.seed: value(trial) for trial in trials})

    def scores_at(self, trials: Sequence[Trial], kimg: float) -> Scores:
        """The same by the last evaluation up to ``kimg``."""
        found = {seed: value for seed, (_, value) in self.at(trials, kimg).items()}
        return self._with_failed(trials, found)

    def at(self, trials: Sequence[Trial], kimg: float) -> dict[int, tuple[float, float]]:
        """By seed, ``(kimg, value)`` of the last evaluation up to ``kimg`` of those with a final value."""
        found = {}
        for trial in self.counted(trials):
            of_trial = self.series(trial)
            rows = int(np.searchsorted(of_trial.kimg, kimg * (1 + ROUNDING), side="right"))
            if rows:
                found[trial.seed] = (float(of_trial.kimg[rows - 1]), float(of_trial.values[rows - 1]))
        return found

    def elsewhere(self, trials: Sequence[Trial]) -> int:
        """How many trials completed with values of this metric by other protocols only."""
        others = [t for t in trials if t.ended.is_success and self.final(t) is None]
        return sum(
            any(name == self.name and protocol != self.protocol for name, _, protocol in t.evaluations.values)
            for t in others
        )

    def _with_failed(self, trials: Sequence[Trial], found: Mapping[int, float | None]) -> Scores:
        values = {seed: value for seed, value in found.items() if value is not None}
        failed = {trial.seed: trial.ended.name for trial in trials if trial.failed}
        if not values and len(failed) < len(trials):  # how the others do is not known yet
            failed = {}
        return Scores(values, failed, self.lower_is_better)

    @property
    def _key(self) -> tuple[str, bool, str]:
        return self.name, self.lower_is_better, self.protocol


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
    """All metrics of a job that are reported, in the order in which they were written."""
    return metrics_in(merged.metrics)


def metrics_in(rows: pa.Table, selection: bool = False) -> list[Metric]:
    """The same of a table of ``METRICS``; with ``selection`` those that checkpoints are chosen by instead."""
    names = ("metric", "lower_is_better", "protocol", "features", "floor", "split")
    found: dict[tuple[str, bool, str], Metric] = {}
    for name, lower, protocol, features, floor, split in zip(
        *(rows[column].to_pylist() for column in names), strict=True
    ):
        if (split == SELECTION) != selection:
            continue
        metric = found.get((name, lower, protocol))
        if metric is None:
            seen = text.plain((features or "").rpartition("-")[0] or features or "", 40)
            title = text.plain(name, 40) + (f" ({seen})" if seen else "")
            found[name, lower, protocol] = metric = Metric(name, lower, protocol, title, seen, split=split)
        if metric.floor is None and floor is not None and np.isfinite(floor):
            found[name, lower, protocol] = replace(metric, floor=floor)
    return _numbered(list(found.values()))


def objective(job: Mapping[str, Any], metrics: Sequence[Metric]) -> Metric | None:
    """What the configurations of ``job`` are compared by: the first metric that it names, or that it has."""
    evaluation = job.get("evaluation")
    named = evaluation.get("metrics") if isinstance(evaluation, Mapping) else None
    first = todays_metric(str(named[0]))[0] if isinstance(named, list | tuple) and named else ""
    decides = headline(first)
    return next((metric for metric in metrics if metric.name == decides), metrics[0] if metrics else None)


def _numbered(metrics: Sequence[Metric]) -> list[Metric]:
    """With a number where several protocols share a title."""
    titles = Counter(metric.title for metric in metrics)
    count: Counter[str] = Counter()
    numbered = []
    for metric in metrics:
        count[metric.title] += 1
        number = f" (protocol {count[metric.title]})" if titles[metric.title] > 1 else ""
        numbered.append(replace(metric, title=metric.title + number))
    return numbered


def _best(values: np.ndarray, lower_is_better: bool) -> int:
    return int(np.argmin(values) if lower_is_better else np.argmax(values))


def _at(series: Series, step: int) -> float | None:
    places = np.flatnonzero(series.steps == step)
    return float(series.values[places[-1]]) if places.size else None
