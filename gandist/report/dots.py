"""Where the dots of a dot plot lie: a strip for each configuration, all on one axis. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gandist.report import text
from gandist.report.scores import Scores

WIDTH, HEIGHT = 260, 22
"""Of a strip, in units of its SVG."""
EDGE = 8
FAILED = 26
"""Of the width, at the bad end, for the seeds that failed."""
DECADE = 10.0
TICKS = 4


@dataclass(frozen=True)
class Strip:
    """One configuration; places along x.

    Attributes:
        dots: of the seeds that have a value.
        failed: how many seeds failed, at ``Axis.failed``.
        median: None where half of the seeds failed.
        interval: around it; None for a single seed.
    """

    dots: list[float]
    failed: int
    median: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Dots:
    """The strips of one metric.

    Attributes:
        strips: one for each of the scores.
        ticks: places and labels.
        failed: the place of seeds that failed; None where none did.
        logarithmic: whether the axis is.
    """

    strips: list[Strip]
    ticks: list[tuple[float, str]]
    failed: float | None
    logarithmic: bool
    width: int = WIDTH
    height: int = HEIGHT


def dots(scores: Sequence[Scores]) -> Dots:
    """The strips of ``scores``, all of one direction; failed seeds stand at the bad end."""
    values = [value for it in scores for value in it.values.values()]
    if not values:
        return Dots([Strip([], len(it.failed), None, None) for it in scores], [], WIDTH / 2, False)
    low, high = min(values), max(values)
    logarithmic = low > 0 and high > DECADE * low
    some_failed = any(it.failed for it in scores)
    lower = scores[0].lower_is_better
    left = EDGE + (FAILED if some_failed and not lower else 0)
    right = WIDTH - EDGE - (FAILED if some_failed and lower else 0)
    failed = (WIDTH - EDGE if lower else EDGE) if some_failed else None

    def scale(value: float) -> float:
        return math.log10(value) if logarithmic else value

    def x(value: float) -> float:
        if not math.isfinite(value):
            return float(failed if failed is not None else right)
        share = (scale(value) - scale(low)) / (scale(high) - scale(low)) if high > low else 0.5
        return round(left + (right - left) * share, 1)

    strips = [
        Strip(
            [x(value) for value in it.values.values()],
            len(it.failed),
            x(it.median) if it.n and math.isfinite(it.median) else None,
            (x(it.interval.low), x(it.interval.high)) if it.interval else None,
        )
        for it in scores
    ]
    ticks = [(x(tick), text.number(tick)) for tick in _ticks(low, high, logarithmic)]
    return Dots(strips, ticks, failed, logarithmic)


def _ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    from matplotlib.ticker import LogLocator, MaxNLocator  # here, for a report without a metric needs none

    if high <= low:
        return [low]
    locator = LogLocator(subs=(1.0, 2.0, 5.0)) if logarithmic else MaxNLocator(TICKS)
    inside = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
    return inside[:: math.ceil(len(inside) / (TICKS + 1))] if inside else [low]
