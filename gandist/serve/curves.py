"""The curves of trials and of configurations as JSON for a chart: who is drawn, and against what."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gandist.report.evaluations import measured
from gandist.report.merge import Merged
from gandist.report.plots import Measure, loss
from gandist.report.statistics import Floats, Series, band
from gandist.report.thinning import MAX_FIGURES, NORMS
from gandist.report.trial import Trial

CLOCK = "wall_time"
"""The column that a time axis is made of; of the losses, as others are."""
LOSSES = {
    "d_loss": "Discriminator loss",
    "g_loss": "Generator loss",
    "d_real": "D on real images",
    "d_fake": "D on generated images",
}


@dataclass(frozen=True)
class Panel:
    """One chart."""

    key: str
    title: str
    measure: Measure
    note: str = ""
    extra: bool = False
    """Whether it is shown on demand only."""

    @property
    def described(self) -> dict[str, Any]:
        """For the page."""
        return {"key": self.key, "title": self.title, "note": self.note, "extra": self.extra}


def panels(merged: Merged) -> list[Panel]:
    """What there is to draw of a job: metrics first, for these say how good the images are."""
    found = []
    for metric in measured(merged):
        whole = repr((metric.name, metric.lower_is_better, metric.protocol))
        key = "metric-" + hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:12]
        floor = "" if metric.floor is None else f"; real images have {metric.floor:.3g}"
        found.append(Panel(key, metric.title, metric.series, metric.direction + floor))
    found += [Panel(column, title, loss(column)) for column, title in LOSSES.items()]
    others = (*NORMS, *merged.logged[:MAX_FIGURES])
    return found + [Panel(name, name, loss(name), extra=True) for name in others]


def series(name: str, trials: Sequence[Trial], shown: Sequence[Panel], images: int) -> dict[str, Any]:
    """The curves of one trial, or of all trials of a configuration: their mean, and range over seeds.

    All of them are against kimg. Other axes are made of that by ``steps`` and ``epochs``, which are factors,
    and by ``clock``: kimg, and seconds since the first step.

    Args:
        name: of the trial or configuration.
        trials: whose curves are put together.
        shown: what to draw.
        images: of the data set; 0 where that is not known.
    """
    axes: list[Floats] = []
    curves: dict[str, Any] = {}
    for panel in shown:
        drawn = band([panel.measure(trial) for trial in trials])
        if not drawn.x.size:
            continue
        if not axes or not np.array_equal(axes[-1], drawn.x):
            axes.append(drawn.x)
        curve: dict[str, Any] = {"x": len(axes) - 1, "y": _numbers(drawn.mean)}
        if (drawn.n > 1).any():
            curve |= {"low": _numbers(drawn.low), "high": _numbers(drawn.high)}
        curves[panel.key] = curve
    steps = [trial.state.step / trial.state.kimg for trial in trials if trial.state.kimg > 0]
    clocks = [trial.losses.curves[CLOCK] for trial in trials if CLOCK in trial.losses.curves]
    clock = band([_since_first(clock) for clock in clocks])
    return {
        "name": name,
        "axes": [_numbers(x, 7) for x in axes],
        "curves": curves,
        "steps": steps[0] if steps else None,
        "epochs": 1000 / images if images else None,
        "clock": [_numbers(clock.x, 7), _numbers(clock.mean, 7)],
    }


def _since_first(clock: Series) -> Series:
    return replace(clock, values=clock.values - clock.values[0])


def _numbers(values: Floats, digits: int = 5) -> list[float | None]:
    """Short ones; None for what is no number."""
    finite = np.isfinite(values)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(values))))
        rounded = np.round(values * scale) / scale
    short = np.where(np.isfinite(rounded), rounded, values).tolist()
    return short if finite.all() else [it if there else None for it, there in zip(short, finite, strict=True)]
