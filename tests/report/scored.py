"""Trials as a verdict sees them, made of their scores alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gandist.artifacts.trial_state import TrialState
from gandist.report.evaluations import Metric
from gandist.report.reading import Evaluations
from gandist.report.statistics import Series
from gandist.report.thinning import Thinned
from gandist.report.trial import Trial
from gandist.report.verdict import Verdict, verdict

METRIC = Metric("frechet", lower_is_better=True, protocol="p", title="frechet (mnist)")


def trial(config: str, seed: int, value: float, status: str = "completed", kimg: float = 64.0) -> Trial:
    """One that ended at ``value``; NaN for none."""
    at = np.ones(1, np.int64)
    values = {("frechet", True, "p"): Series(at, at * kimg, np.asarray([value]))}
    ended = TrialState(status=status, step=1, total_steps=1, kimg=kimg)
    there = Evaluations(values) if math.isfinite(value) else Evaluations()
    return Trial(f"{config}-seed{seed}", config, seed, status, ended, Thinned(), there)


def judged(scores: Mapping[str, Sequence[float | str]], **kimg: float) -> Verdict | None:
    """By configuration a score or a status a seed."""
    configs = {
        config: [
            trial(config, seed, math.nan, it, kimg=kimg.get(config, 64.0))
            if isinstance(it, str)
            else trial(config, seed, it, kimg=kimg.get(config, 64.0))
            for seed, it in enumerate(of_config)
        ]
        for config, of_config in scores.items()
    }
    return verdict(configs, METRIC)
