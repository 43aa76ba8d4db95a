"""What is drawn: curves over seeds, their axes and their legend. Pure; ``drawing`` makes the picture."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from gandist.artifacts.statuses import Meaning
from gandist.report.budgets import SAME
from gandist.report.merge import Merged
from gandist.report.statistics import Band, Floats, Series, band, changes
from gandist.report.thinning import NONE
from gandist.report.trial import Trial

PER_PLOT = 7
"""Configurations in one plot: as many as there are colours that colour-blind readers tell apart."""

MAX_PLOTS = 6
"""Plots of one column; 42 configurations."""

DECADES = 2
"""Of positive values: an axis for more of them may be logarithmic."""

TINY = 1e-9

KIMG = "kimg"

Measure = Callable[[Trial], Series]
"""What is drawn of a trial, against the ``kimg`` of the series: of some measures another amount of work."""


@dataclass(frozen=True)
class End:
    """Where the curve of a trial ends before its time."""

    kimg: float
    value: float
    """The last finite one."""
    why: Meaning
    """``Trial.ended``."""


@dataclass(frozen=True)
class Curve:
    """One configuration in a plot."""

    config: str
    colour: int
    """Which of the ``PER_PLOT`` colours, counted from 1."""
    band: Band
    seeds: int
    """Seeds that the configuration has in the job."""
    ends: tuple[End, ...]
    """One for each trial that diverged or became unstable."""
    usual: Floats
    """The values of ``band`` without those trials."""

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
        logarithmic: whether the y axis is.
        x: what the x axis shows.
        also: other units of the x axis that hold for all curves, and how many of them one ``x`` is.
    """

    title: str
    curves: tuple[Curve, ...]
    limits: tuple[float, float]
    reference: float | None
    clipped: float | None
    logarithmic: bool = False
    x: str = KIMG
    also: tuple[tuple[str, float], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no configuration has a value."""
        return not any(curve.band.x.size for curve in self.curves)

    @property
    def steps_per_point(self) -> int:
        """The most steps that were averaged into a point."""
        return max((curve.band.steps_per_point for curve in self.curves), default=1)


def loss(column: str) -> Measure:
    """``column`` of the losses, up to the last step before one was not finite; empty where there is none."""
    return lambda trial: trial.losses.curves.get(column, NONE)


def prepare(
    merged: Merged,
    measures: Mapping[str, Measure],
    *,
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
    one_axis: Sequence[Sequence[str]] = (),
    may_be_logarithmic: bool = False,
    most: int = MAX_PLOTS,
    x: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> list[list[Plot]]:
    """The plots of ``measures`` (by title): rows of up to ``PER_PLOT`` configurations that have data.

    Args:
        merged: the job.
        measures: what is drawn of a trial, one plot each.
        reference: a horizontal line.
        limits: of the y axis; by default those of the values, but for outliers that would flatten the rest.
        one_axis: titles of measures that share a y axis.
        may_be_logarithmic: whether y axes of positive values that span decades are.
        most: rows to return.
        x: what the x axis of a measure shows, by title, where it is not kimg.
        only: configurations to draw; by default all.
        sizes: images of the data set, by configuration, where they are known.

    Returns:
        At most ``most`` rows; in each, one plot a measure. No rows where nothing can be drawn.
    """
    curves = [
        [_curve(config, trials, measure) for measure in measures.values()]
        for config, trials in merged.configs.items()
        if only is None or config in only
    ]
    drawn = [row for row in curves if any(curve.band.x.size for curve in row)][: most * PER_PLOT]
    if not drawn:
        return []
    # The plots of a measure share their y axis, to be compared, and the curves, so that none has the rest.
    columns = {title: [row[i] for row in drawn] for i, title in enumerate(measures)}
    axes = _axes(columns, one_axis, limits, may_be_logarithmic)
    each = -(-len(drawn) // -(-len(drawn) // PER_PLOT))
    colours = _colours(merged)
    rows = []
    for start in range(0, len(drawn), each):
        group = drawn[start : start + each]
        plots = []
        also = _other_units(merged, [row[0].config for row in group], sizes or {})
        for i, title in enumerate(measures):
            shown = tuple(
                replace(row[i], colour=colours.get(row[i].config, place))
                for place, row in enumerate(group, 1)
            )
            ends, logarithmic = axes[title]
            outlier = None if limits else _outlier(shown, ends)
            against = (x or {}).get(title, KIMG)
            units = also if against == KIMG else ()
            plots.append(Plot(title, shown, ends, reference, outlier, logarithmic, against, units))
        rows.append(plots)
    return rows


def _colours(merged: Merged) -> dict[str, int]:
    """Of few configurations: the same in all plots."""
    few = len(merged.configs) <= PER_PLOT
    return {config: place for place, config in enumerate(merged.configs, 1)} if few else {}


def _other_units(
    merged: Merged, configs: Sequence[str], sizes: Mapping[str, int]
) -> tuple[tuple[str, float], ...]:
    """Steps and epochs of one kimg, where they are those of all of ``configs``."""
    steps = [
        trial.state.step / trial.state.kimg
        for config in configs
        for trial in merged.configs[config]
        if trial.state.kimg > TINY
    ]
    epochs = [1000 / size for config in configs if (size := sizes.get(config))]
    known = {"steps": steps, "epochs": epochs if len(epochs) == len(configs) else []}
    return tuple(
        (unit, min(values))
        for unit, values in known.items()
        if values and TINY < max(values) <= min(min(values) * (1 + SAME), 1 / TINY)
    )


def _axes(
    columns: Mapping[str, Sequence[Curve]],
    one_axis: Sequence[Sequence[str]],
    limits: tuple[float, float] | None,
    may_be_logarithmic: bool,
) -> dict[str, tuple[tuple[float, float], bool]]:
    """By title, the limits of the y axis and whether it is logarithmic. Arguments as of ``prepare``."""
    axes: dict[str, tuple[tuple[float, float], bool]] = {}
    for titles in (*((title,) for title in columns), *one_axis):
        together = [columns[title] for title in titles]
        logarithmic = may_be_logarithmic and _span_decades(list(chain.from_iterable(together)))
        each = [limits or _limits(curves, logarithmic) for curves in together]
        ends = (min(low for low, _ in each), max(high for _, high in each))
        axes |= dict.fromkeys(titles, (ends, logarithmic))
    return axes


def _curve(config: str, trials: Sequence[Trial], measure: Measure) -> Curve:
    per_seed = [measure(trial) for trial in trials]
    ends = tuple(
        End(*seed.last, trial.ended)
        for trial, seed in zip(trials, per_seed, strict=True)
        if seed.steps.size and _cut(trial) and np.isfinite(sum(seed.last))
    )
    drawn = band(per_seed)
    stable = [seed for trial, seed in zip(trials, per_seed, strict=True) if not _cut(trial)]
    usual = drawn if len(stable) == len(per_seed) else band(stable)
    return Curve(config, 0, drawn, len(trials), ends, _values(usual))


def _cut(trial: Trial) -> bool:
    """Whether its curves end before their time."""
    return trial.ended.is_outcome


def _span_decades(curves: Sequence[Curve]) -> bool:
    # Of the seeds that count, too: beside longer ones a value of theirs may vanish in a mean.
    every = np.concatenate([part for curve in curves for part in (_values(curve.band), curve.usual)])
    if not every.size or every.min() <= 0:
        return False
    values = np.concatenate([_values(curve.band) for curve in curves])
    low, high = np.percentile(np.log10(values), [1, 99])
    return bool(high - low > DECADES)


def _limits(curves: Sequence[Curve], logarithmic: bool = False) -> tuple[float, float]:
    """A y axis for ``curves``."""
    values = np.concatenate([_values(curve.band) for curve in curves])
    usual = np.concatenate([curve.usual for curve in curves])
    if not values.size:
        return (1.0, 10.0) if logarithmic else (0.0, 1.0)
    if logarithmic:
        low, high = _ends(np.log10(values), np.log10(usual))
        return 10**low, 10**high
    return _ends(values, usual)


def _ends(values: Floats, usual: Floats) -> tuple[float, float]:
    """Of an axis for ``values``, of which ``usual`` ones must be told from each other."""
    # A trial may pass 1e30 on its way to NaN: such a spike must not flatten all that came before. Nor may
    # an unstable trial flatten those that are not.
    low, high = _without_spikes(usual if usual.size else values)
    if values.max() - values.min() <= 4 * (high - low) or high == low:
        low, high = values.min(), values.max()
    margin = 0.06 * (high - low) or 0.5 * max(abs(high), 1e-6)
    return float(low - margin), float(high + margin)


def _without_spikes(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, [1, 99])
    spiked = values.max() - values.min() > 4 * (high - low) > 0
    return (low, high) if spiked else (values.min(), values.max())


def _outlier(curves: Sequence[Curve], limits: tuple[float, float]) -> float | None:
    """The farthest value of ``curves`` that lies outside of ``limits``."""
    values = np.concatenate([_values(curve.band) for curve in curves])
    outside = values[(values < limits[0]) | (values > limits[1])]
    return float(outside[np.abs(outside).argmax()]) if outside.size else None


def _values(drawn: Band) -> Floats:
    values = np.concatenate([drawn.mean, drawn.low, drawn.high])
    finite: Floats = values[np.isfinite(values)]
    return finite
