"""Which configurations have losses that can be told from each other on one axis. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from gandist.report.merge import Merged
from gandist.report.thinning import NONE
from gandist.report.trial import Trial

APART = 5
"""Values of a configuration that are so many times those of another stand on an axis of their own."""
TINY = 1e-9


def by_scale(merged: Merged, columns: Sequence[str], configs: Iterable[str]) -> list[list[str]]:
    """``configs`` in groups that may share an axis: on one for values near 35, those near 1 are a flat line.

    Args:
        merged: the job.
        columns: of the losses.
        configs: of the job.

    Returns:
        the groups and their members in the job's order.
    """
    sizes = {config: _size(merged.configs[config], columns) for config in configs}
    groups: list[list[str]] = []
    least = math.nan
    for config in sorted(sizes, key=lambda config: sizes[config]):
        if not sizes[config] <= APART * least:
            groups.append([])
            least = sizes[config]
        groups[-1].append(config)
    order = {config: place for place, config in enumerate(merged.configs)}
    return sorted((sorted(group, key=order.__getitem__) for group in groups), key=lambda it: order[it[0]])


def _size(trials: Sequence[Trial], columns: Sequence[str]) -> float:
    """Of the usual values, without their sign; 1 where there are none."""
    curves = [trial.losses.curves.get(column, NONE).values for trial in trials for column in columns]
    usual = [float(np.percentile(np.abs(values), 90)) for values in curves if values.size]
    return max(float(np.median(usual)), TINY) if usual else 1.0
