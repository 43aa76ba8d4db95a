"""Confidence intervals for few seeds: of a median, and of a share. Pure.

Their coverage was simulated: ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """``low`` to ``high``, which may be infinite; ``coverage``: how often it holds the truth."""

    low: float
    high: float
    coverage: float = CONFIDENCE


def median_interval(values: Sequence[float]) -> Interval | None:
    """Of the median of what ``values`` were drawn from, whatever their distribution; None for fewer than two.

    From order statistics, interpolated to 95% (Hettmansperger and Sheather 1986, equation 2). Fewer than six
    values cannot have that: theirs is the range, and its coverage, 1 - 2^(1 - n), stands with it.

    Args:
        values: in any order; infinite ones are allowed.
    """
    from scipy.special import bdtr  # the binomial distribution; 0.2 s to import

    ordered, n = np.sort(np.asarray(values, np.float64)), len(values)
    if n < 2:
        return None
    # coverage[d - 1]: of the interval from the d-th lowest value to the d-th highest
    coverage = 1 - 2 * bdtr(np.arange(n // 2, dtype=np.float64), n, 0.5)
    wider = int((coverage >= CONFIDENCE).sum())
    if wider == 0:
        return Interval(float(ordered[0]), float(ordered[-1]), float(coverage[0]))
    if wider == coverage.size:
        return Interval(float(ordered[wider - 1]), float(ordered[-wider]))
    share = (coverage[wider - 1] - CONFIDENCE) / (coverage[wider - 1] - coverage[wider])
    weight = (n - wider) * share / (wider + (n - 2 * wider) * share)
    low = _between(ordered[wider - 1], ordered[wider], weight)
    return Interval(low, _between(ordered[-wider], ordered[-wider - 1], weight))


def share_interval(count: int, of: int) -> Interval:
    """Of the probability of what happened ``count`` times of ``of`` > 0 (Clopper and Pearson 1934): exact."""
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(count, of - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 1 - tail)) if count < of else 1.0
    return Interval(low, high)


def _between(outer: float, inner: float, weight: float) -> float:
    return float(outer if outer == inner else (1 - weight) * outer + weight * inner)
