"""One configuration's values by a metric, a seed each, with the seeds that failed as its worst ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gandist.report.intervals import Interval, median_interval
from gandist.report.statistics import Floats


@dataclass(frozen=True)
class Scores:
    """See above.

    Attributes:
        values: finite ones, by seed.
        failed: how the seeds ended that have none because they failed, by seed: ``diverged``, ...
        lower_is_better: the direction.
    """

    values: Mapping[int, float]
    failed: Mapping[int, str]
    lower_is_better: bool = True

    @property
    def n(self) -> int:
        """Seeds that count."""
        return len(self.values) + len(self.failed)

    @cached_property
    def costs(self) -> Floats:
        """float64 ``[n]``: lower is better, and infinite is failed."""
        values = np.asarray([self._sign * value for value in self.values.values()], np.float64)
        return np.concatenate([values, np.full(len(self.failed), np.inf)])

    @cached_property
    def median(self) -> float:
        """Over all seeds; infinite where half of them failed, NaN where there are none."""
        return self._sign * float(np.median(self.costs)) if self.n else float("nan")

    @cached_property
    def interval(self) -> Interval | None:
        """Around the median; an end is infinite where it lies among seeds that failed."""
        found = median_interval(self.costs.tolist())
        if found is None or self.lower_is_better:
            return found
        return Interval(-found.high, -found.low, found.coverage)

    @property
    def mean(self) -> float:
        """Of the seeds that have a value: those that failed are not in it."""
        return float(np.mean(list(self.values.values()))) if self.values else float("nan")

    @property
    def _sign(self) -> int:
        return 1 if self.lower_is_better else -1
