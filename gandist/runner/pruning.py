"""Which configurations of a job go on after a rung: a pure function of what its trials have recorded there.

Whoever runs the job asks again after each stage, and after any interruption, and gets the same answers: a
trial's value at a rung is that of its first evaluation there, which is never made again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gandist import metrics
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.statuses import PRUNED
from gandist.artifacts.tables import SELECTION
from gandist.artifacts.trial_state import TrialState
from gandist.artifacts.trials import READERS
from gandist.runner.plan import Plan
from gandist.spec.job import Job
from gandist.spec.pruning import Pruning
from gandist.spec.trial import TrialSpec

WORST = math.inf
ROUNDING = 1e-9
"""Of kimg, which are computed from steps."""
MAX_NAMES = 6

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Decision:
    """What was decided at a rung.

    Attributes:
        kimg: the rung.
        kept: the configurations that go on, the best one first.
        pruned: why the others do not, by configuration.
    """

    kimg: float
    kept: tuple[str, ...]
    pruned: Mapping[str, str]

    def __str__(self) -> str:
        """``at 20 kimg 2 of 4 configurations go on: a, b; pruned: c, d``."""
        count, total = len(self.kept), len(self.kept) + len(self.pruned)
        ended = f"pruned: {_some(self.pruned)}" if self.pruned else "none is pruned"
        return f"at {self.kimg:g} kimg {count} of {total} configurations go on: {_some(self.kept)}; {ended}"


@dataclass(frozen=True)
class Stage:
    """What is to be run now.

    Attributes:
        plan: the trials, up to the next rung or to their ends.
        pruned: why others are not trained further, by trial; without those that have ended in another way.
        decisions: of the rungs so far.
    """

    plan: Plan
    pruned: Mapping[str, str]
    decisions: tuple[Decision, ...]


def next_stage(job: Job, plan: Plan, job_dir: JobDir) -> Stage:
    """What of ``plan``'s trials is to be run now; all of them where the job has no pruning.

    Args:
        job: the job.
        plan: all that is left to do of it.
        job_dir: where the trials' evaluations lie.

    Raises:
        StorageError: the storage refused.
    """
    if (pruning := job.spec.pruning) is None:
        return Stage(plan, {}, ())
    configs: dict[str, list[TrialSpec]] = {}
    for trial in job.trials:
        configs.setdefault(trial.config, []).append(trial)
    todo = {trial.id for trial in plan.todo}
    rows = _all_rows(job.trials, plan, job_dir)
    decisions: list[Decision] = []
    for kimg in pruning.rungs_kimg:
        alive = [trial for trials in configs.values() for trial in trials]
        waited_for = [it for it in alive if it.id in todo and _at(rows[it.id], pruning, kimg) is None]
        if waited_for:
            paused = tuple(it.model_copy(update={"pause_kimg": kimg}) for it in waited_for)
            return _stage(plan, paused, decisions, job)
        values = {
            config: [_value(rows[it.id], plan.states[it.id], pruning, kimg) for it in trials]
            for config, trials in configs.items()
        }
        decisions.append(decide(values, pruning, kimg, _sign(rows, pruning)))
        configs = {config: configs[config] for config in configs if config in decisions[-1].kept}
    alive = [trial for trials in configs.values() for trial in trials]
    return _stage(plan, tuple(it for it in alive if it.id in todo), decisions, job)


def decide(values: Mapping[str, Sequence[float]], pruning: Pruning, kimg: float, sign: int = 1) -> Decision:
    """Rank configurations by the median over their seeds, then by the mean of ranks; the earlier one first.

    Args:
        values: by configuration, a value a seed; lower is better, and ``WORST`` is one that has failed.
        pruning: how many go on.
        kimg: the rung.
        sign: -1 where ``values`` are those of the metric with another sign.
    """
    every = np.sort([value for of_seeds in values.values() for value in of_seeds])

    def place(config: str) -> tuple[float, float]:
        ranks = np.searchsorted(every, values[config]) + np.searchsorted(every, values[config], side="right")
        return float(np.median(values[config])), float(np.mean(ranks))

    ranked = sorted(values, key=place)
    count = math.ceil(pruning.keep * len(ranked) - ROUNDING)
    kept = tuple(ranked[:count])
    last = f"{kept[-1]} with {_shown(values[kept[-1]], sign)}"
    pruned = {
        config: f"at {kimg:g} kimg {pruning.metric} was {_shown(values[config], sign)}, place {number} of "
        f"{len(ranked)} configurations; the last to go on was {last}"
        for number, config in enumerate(ranked[count:], count + 1)
    }
    return Decision(kimg, kept, pruned)


def mark(stage: Stage, job_dir: JobDir) -> dict[str, TrialState]:
    """Write down which trials were pruned, and why; the states of those that were not yet.

    Raises:
        StorageError: the storage refused.
    """
    before = stage.plan.states
    states = {
        trial: before[trial].model_copy(update={"status": PRUNED.name, "reason": reason})
        for trial, reason in stage.pruned.items()
        if (before[trial].status, before[trial].reason) != (PRUNED.name, reason)
    }
    for trial, state in states.items():
        job_dir.trial(trial).write_state(state)
    return states


def _stage(plan: Plan, now: tuple[TrialSpec, ...], decisions: Sequence[Decision], job: Job) -> Stage:
    reasons = {config: why for decision in decisions for config, why in decision.pruned.items()}
    left = {trial.id for trial in plan.todo}
    pruned = {it.id: reasons[it.config] for it in job.trials if it.config in reasons and it.id in left}
    return Stage(replace(plan, todo=now), pruned, tuple(decisions))


def _all_rows(trials: Sequence[TrialSpec], plan: Plan, job_dir: JobDir) -> dict[str, Rows]:
    """The evaluations of each trial; none of those that are about to be trained anew."""

    def read(trial: TrialSpec) -> Rows:
        return [] if trial.id in plan.aside else job_dir.trial(trial.id).read_metrics()

    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip((it.id for it in trials), readers.map(read, trials), strict=True))


def _value(rows: Rows, state: TrialState, pruning: Pruning, kimg: float) -> float:
    """At the rung, or after the end of a trial that has completed before it; lower is better."""
    if (found := _at(rows, pruning, kimg)) is not None:
        return found
    last = _series(rows, pruning)[-1:]
    return last[0][1] if last and state.meaning.is_success else WORST


def _at(rows: Rows, pruning: Pruning, kimg: float) -> float | None:
    """The value of the first evaluation at the rung; None where there is none (yet)."""
    return next((value for at, value in _series(rows, pruning) if at >= kimg * (1 - ROUNDING)), None)


def _series(rows: Rows, pruning: Pruning) -> list[tuple[float, float]]:
    """``(kimg, value)`` by kimg, lower values better; on the selection split where there is one."""
    own = [row for row in rows if row["metric"] == metrics.headline(pruning.metric)]
    chosen = [row for row in own if row["split"] == SELECTION] or own
    values = [(row["kimg"], row["value"] * (1 if row["lower_is_better"] else -1)) for row in chosen]
    return sorted((kimg, value if math.isfinite(value) else WORST) for kimg, value in values)


def _sign(rows: Mapping[str, Rows], pruning: Pruning) -> int:
    """1 where lower values of the metric are better, else -1."""
    headline = metrics.headline(pruning.metric)
    lower = (
        row["lower_is_better"] for of_trial in rows.values() for row in of_trial if row["metric"] == headline
    )
    return 1 if next(lower, True) else -1


def _shown(of_seeds: Sequence[float], sign: int) -> str:
    """``18.6 (median of 3 seeds, 1 failed)``."""
    failed = sum(value == WORST for value in of_seeds)
    median = float(np.median(of_seeds))
    value = f"{sign * median:.4g}" if math.isfinite(median) else "none"
    seeds = f"median of {len(of_seeds)} seeds" if len(of_seeds) > 1 else "one seed"
    return f"{value} ({seeds}{f', {failed} failed' if failed else ''})"


def _some(names: Sequence[str] | Mapping[str, str]) -> str:
    shown = list(names)[:MAX_NAMES]
    return ", ".join(shown) + (f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else "")
