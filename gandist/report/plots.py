"""What is drawn: curves over seeds, their axes and their legend. Pure; ``drawing`` makes the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gandist.report.merge import Merged, Trial
from gandist.report.statistics import Band, Floats, Series, band, changes, finite_rows

PER_PLOT = 7
"""Configurations in one plot: as many as there are colours that colour-blind readers tell apart."""

MAX_PLOTS = 6
"""Plots of one column; 42 configurations."""


@dataclass(frozen=True)
class Curve:
    """One configuration in a plot."""

    config: str
    colour: int
    """Which of the ``PER_PLOT`` colours, counted from 1."""
    band: Band
    seeds: int
    """Seeds that the configuration has in the job."""
    ends: tuple[tuple[float, float], ...]
    """``(kimg, value)`` of the last finite step of each trial that diverged."""

    @property
    def partial(self) -> Floats:
        """``band.mean`` where fewer seeds count than the most that ever do, and right beside it; else NaN."""
        few = self.band.n < self.band.n.max(initial=0)
        joined = few | np.append(few[1:], False) | np.append(False, few[:-1])[: few.size]
        return np.where(joined, self.band.mean, np.nan)

    @property
    def full(self) -> Floats:
        """``band.mean`` where all seeds count; else NaN."""
        return np.where(self.band.n == self.band.n.max(initial=0), self.band.mean, np.nan)

    @property
    def counts(self) -> str:
        """How many seeds the mean is over, and from where on fewer or more."""
        n, x = self.band.n, self.band.x
        if not n.size:
            return "no data"
        at = changes(n)
        later = [f"{n[i]} from {x[i]:.4g} kimg" for i in at[:3]] + (["…"] if len(at) > 3 else [])
        first = f"{n[0]} of {self.seeds} seed{'s' if self.seeds != 1 else ''}"
        return ", ".join([first, *later])


@dataclass(frozen=True)
class Plot:
    """One set of axes.

    Attributes:
        title: what the y axis shows.
        curves: at most ``PER_PLOT``.
        limits: of the y axis.
        reference: a horizontal line to compare with.
        clipped: the farthest value that lies outside of ``limits``, if any.
    """

    title: str
    curves: tuple[Curve, ...]
    limits: tuple[float, float]
    reference: float | None
    clipped: float | None

    @property
    def steps_per_point(self) -> int:
        """The most steps that were averaged into a point."""
        return max((curve.band.steps_per_point for curve in self.curves), default=1)


def series(losses: pa.Table, column: str) -> Series:
    """``column`` of one trial's ``losses``, up to the last step before a loss of it was not finite."""
    values = {name: _floats(losses, name) for name in ("kimg", "d_loss", "g_loss", column)}
    whole = Series(losses["step"].to_numpy(), values["kimg"], values[column])
    return whole.head(finite_rows(values["d_loss"], values["g_loss"]))


def diverged(losses: pa.Table) -> bool:
    """Whether a loss of one trial's ``losses`` is not finite."""
    columns = [_floats(losses, name) for name in ("d_loss", "g_loss")]
    return finite_rows(*columns) < len(columns[0])


def prepare(
    merged: Merged,
    columns: Mapping[str, str],
    *,
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
) -> list[list[Plot]]:
    """The plots of ``columns`` (column to title): a row for each ``PER_PLOT`` configurations that have data.

    Args:
        merged: the job.
        columns: of ``tables.LOSSES``.
        reference: a horizontal line.
        limits: of the y axis; by default those of the values, but for outliers that would flatten the rest.

    Returns:
        At most ``MAX_PLOTS`` rows; in each, one plot a column. No rows where nothing can be drawn.
    """
    curves = {
        config: [_curve(config, trials, column) for column in columns]
        for config, trials in merged.configs.items()
        if any(trial.losses.num_rows for trial in trials)
    }
    drawn = [row for row in curves.values() if any(curve.band.x.size for curve in row)]
    rows = []
    for start in range(0, min(len(drawn), MAX_PLOTS * PER_PLOT), PER_PLOT):
        group = drawn[start : start + PER_PLOT]
        plots = []
        for i, title in enumerate(columns.values()):
            shown = tuple(_coloured(row[i], place) for place, row in enumerate(group, 1))
            plots.append(Plot(title, shown, *_limits(shown, limits, reference)))
        rows.append(plots)
    return rows


def _coloured(curve: Curve, colour: int) -> Curve:
    return Curve(curve.config, colour, curve.band, curve.seeds, curve.ends)


def _curve(config: str, trials: Sequence[Trial], column: str) -> Curve:
    per_seed = [series(trial.losses, column) for trial in trials]
    ends = tuple(
        (float(seed.kimg[-1]), float(seed.values[-1]))
        for trial, seed in zip(trials, per_seed, strict=True)
        if seed.steps.size and diverged(trial.losses) and np.isfinite(seed.kimg[-1] + seed.values[-1])
    )
    return Curve(config, 0, band(per_seed), len(trials), ends)


def _limits(
    curves: Sequence[Curve], given: tuple[float, float] | None, reference: float | None
) -> tuple[tuple[float, float], float | None, float | None]:
    """The y axis, the reference passed through, and the farthest value that the axis leaves out."""
    values = np.concatenate(
        [part for c in curves for part in (c.band.mean, c.band.low, c.band.high)] or [np.empty(0)]
    )
    values = values[np.isfinite(values)]
    if given is not None or not values.size:
        return given or (0.0, 1.0), reference, None
    low, high = np.percentile(values, [1, 99])
    everything = values.min(), values.max()
    # A trial may pass 1e30 on its way to NaN: such a spike must not flatten all that came before.
    clipped = everything[1] - everything[0] > 4 * (high - low) > 0
    if not clipped:
        low, high = everything
    margin = 0.06 * (high - low) or 0.5 * max(abs(high), 1e-6)
    limits = float(low - margin), float(high + margin)
    outside = values[(values < limits[0]) | (values > limits[1])]
    return limits, reference, float(outside[np.abs(outside).argmax()]) if outside.size else None


def _floats(losses: pa.Table, column: str) -> Floats:
    return np.asarray(losses[column].to_numpy(), np.float64)
