"""What many seeds say together: arrays in, arrays out.

Two rules hold throughout. A value that is not finite never enters an average: a trial is cut where it
diverged, and the averages go on with fewer seeds, whose number ``n`` travels with them. And a spread is never
made up: one seed has a value, but neither a band nor a standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POINTS = 250
"""A curve is drawn with at most so many points: one for each 1.5 pixels."""

FINAL_SHARE = 0.05
"""The last part of the steps over which a final value is averaged."""


@dataclass(frozen=True)
class Series:
    """One number of one trial, step by step, or thinned to means of consecutive steps.

    Attributes:
        steps: int64 ``[rows]``, increasing; of those averaged into a row the first.
        kimg: float64 ``[rows]``: thousand real images shown by then.
        values: float64 ``[rows]``.
        counts: int64 ``[rows]``, steps averaged into a row; None for one each.
        width: steps that a row may stand for; ``steps`` are 1 and multiples of it more.
        end: kimg and value of the very last step, where rows are means.
    """

    steps: Ints
    kimg: Floats
    values: Floats
    counts: Ints | None = None
    width: int = 1
    end: tuple[float, float] | None = None

    def head(self, rows: int) -> Series:
        """The first ``rows`` rows."""
        if rows == self.steps.size:
            return self
        counts = None if self.counts is None else self.counts[:rows]
        return Series(self.steps[:rows], self.kimg[:rows], self.values[:rows], counts, self.width)

    @property
    def last(self) -> tuple[float, float]:
        """Kimg and value of the last step; there must be one."""
        return self.end or (float(self.kimg[-1]), float(self.values[-1]))


@dataclass(frozen=True)
class Band:
    """A curve over seeds: its mean, and the range from the lowest seed to the highest.

    Attributes:
        x: float64 ``[points]``, kimg.
        mean: float64 ``[points]``, over the seeds that have values there.
        low: float64 ``[points]``, the minimum over seeds; NaN where there are fewer than two.
        high: float64 ``[points]``, the maximum over seeds; NaN where there are fewer than two.
        n: int64 ``[points]``, the seeds that have values there, at least 1.
        steps_per_point: steps averaged, within each seed, into a point.
    """

    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: Ints
    steps_per_point: int


@dataclass(frozen=True)
class Summary:
    """``mean`` of ``n`` values, NaN for none; ``sd``, their sample standard deviation, NaN for one."""

    mean: float
    sd: float
    n: int


def finite_rows(*columns: NDArray[np.floating]) -> int:
    """How many rows there are before the first one in which any of ``columns`` (``[rows]``) is not finite."""
    bad = ~np.logical_and.reduce([np.isfinite(column) for column in columns])
    return int(bad.argmax()) if bad.any() else len(bad)


def band(seeds: Sequence[Series], points: int = POINTS) -> Band:
    """The mean and the range over ``seeds`` of one configuration, on a common kimg axis.

    Curves of more than ``points`` steps are thinned: ``steps_per_point`` consecutive ones are averaged within
    each seed, so that no more than ``points`` points remain, and the range is that of these averages. Each
    seed counts up to its first value that is not finite.

    Args:
        seeds: one series a seed, of any lengths; empty ones are allowed.
        points: the most points to return.
    """
    cut = [seed.head(finite_rows(seed.values, seed.kimg)) for seed in seeds]
    cut = [seed for seed in cut if seed.steps.size]
    if not cut:
        none = np.empty(0)
        return Band(none, none, none, none, np.empty(0, np.int64), 1)
    # By step, not by kimg: in one configuration a step is a fixed count of images, and counts do not round.
    steps = np.unique(np.concatenate([seed.steps for seed in cut]))
    unit = max(seed.width for seed in cut)  # powers of two: each divides all wider ones
    if steps.size <= points and unit == 1:  # evaluations are few and far between: each has a point of its own
        width, length = 1, steps.size
        places = [np.searchsorted(steps, seed.steps) for seed in cut]
    else:
        first, last = (int(steps[0]) - 1) // unit * unit + 1, int(steps[-1])
        width = -(-((last - first) // unit + 1) // points) * unit
        length = (last - first) // width + 1
        places = [(seed.steps - first) // width for seed in cut]
    counts = [np.ones(seed.steps.size, np.int64) if seed.counts is None else seed.counts for seed in cut]
    kimg = np.concatenate([seed.kimg for seed in cut])
    x = _bucket_means(np.concatenate(places), kimg, np.concatenate(counts), length)
    means = np.stack(
        [_bucket_means(at, it.values, n, length) for at, it, n in zip(places, cut, counts, strict=True)]
    )
    there = np.isfinite(means)
    n = there.sum(axis=0)
    kept = n > 0
    mean = np.where(there, means, 0.0).sum(axis=0)[kept] / n[kept]
    low = np.where(there, means, np.inf).min(axis=0)[kept]
    high = np.where(there, means, -np.inf).max(axis=0)[kept]
    alone = n[kept] < 2
    low[alone] = high[alone] = np.nan
    return Band(x[kept], mean, low, high, n[kept], width)


def changes(n: Ints) -> list[int]:
    """The indices at which the number of seeds differs from the point before."""
    return [int(i) + 1 for i in np.flatnonzero(np.diff(n))]


def final_value(seed: Series, total_steps: int) -> float | None:
    """The mean over the last 5% of ``total_steps``.

    None for a trial that has no such value: it diverged, its losses do not reach the last step (yet), or that
    step is not known (0).
    """
    if total_steps < 1 or not seed.steps.size or seed.steps[-1] < total_steps:
        return None
    if finite_rows(seed.values) < seed.values.size:
        return None
    total = max(total_steps, int(seed.steps[-1]))
    return float(seed.values[seed.steps > total - max(1, round(FINAL_SHARE * total))].mean())


def last_value(seed: Series, total_steps: int) -> float | None:
    """The value after the last of ``total_steps``; None where there is none (yet)."""
    if total_steps < 1 or not seed.steps.size or seed.steps[-1] < total_steps:
        return None
    return float(seed.values[-1]) if np.isfinite(seed.values[-1]) else None


def summary(values: Sequence[float]) -> Summary:
    """The mean and the sample standard deviation (n - 1) of finite ``values``; the others are not counted."""
    kept = np.asarray([value for value in values if np.isfinite(value)], np.float64)
    mean = float(kept.mean()) if kept.size else float("nan")
    sd = float(kept.std(ddof=1)) if kept.size > 1 else float("nan")
    return Summary(mean, sd, int(kept.size))


def _bucket_means(places: Ints, values: Floats, counts: Ints, length: int) -> Floats:
    """The mean of ``values``, each ``counts`` times, by bucket; NaN where there are none."""
    weights = np.bincount(places, weights=counts, minlength=length)
    sums = np.bincount(places, weights=values * counts, minlength=length)
    means: Floats = np.divide(sums, weights, out=np.full(length, np.nan), where=weights > 0)
    return means
