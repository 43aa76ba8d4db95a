"""A trial's losses and metrics as named series of numbers, for tools that draw them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.report.evaluations import metrics_in
from gandist.report.losses import read_piece
from gandist.report.merge import OpenedTrial
from gandist.report.statistics import Floats, Ints

LOSSES = "losses/"
"""How the names of what steps log begin."""
_PLACES = ("trial", "config", "seed", "step", "epoch", "wall_time")
"""Columns of the losses that are no series."""

Key = tuple[str, bool, str, bool]
"""A metric's name, direction and protocol, and whether it is what checkpoints are chosen by."""


@dataclass(frozen=True, eq=False)
class Scalars:
    """One series.

    Attributes:
        name: such as ``losses/d_loss``: letters, digits, ``_`` and ``/``.
        steps: int64 ``[n]``, increasing, not negative.
        values: float64 ``[n]``, which need not be finite.
        times: float64 ``[n]``, Unix seconds.
    """

    name: str
    steps: Ints
    values: Floats
    times: Floats

    def after(self, step: int) -> Scalars:
        """The part behind ``step``."""
        first = int(np.searchsorted(self.steps, step, side="right"))
        return Scalars(self.name, self.steps[first:], self.values[first:], self.times[first:])


def names(metrics: pa.Table) -> dict[Key, str]:
    """What the series of each metric of a job is called, by the table of all of them.

    ``metrics/frechet_mnist``, or ``selection/...`` for what checkpoints are chosen by.
    """
    found: dict[Key, str] = {}
    for selection, group in ((False, "metrics"), (True, "selection")):
        for metric in metrics_in(metrics, selection):
            slug = re.sub(r"[^A-Za-z0-9]+", "_", metric.title).strip("_")[:100] or "metric"
            numbered = (f"{group}/{slug}{f'_{n}' if n > 1 else ''}" for n in range(1, len(found) + 2))
            key = (metric.name, metric.lower_is_better, metric.protocol, selection)
            found[key] = next(name for name in numbered if name not in found.values())
    return found


def scalars(trial: OpenedTrial, named: Mapping[Key, str]) -> list[Scalars]:
    """All series of a trial: what its steps log, kimg among it, then its metrics; none that is empty.

    Args:
        trial: what cannot be read of it is left out, as in a report.
        named: of ``names``.
    """
    return [it for it in (*_losses(trial), *_metrics(trial, named)) if it.steps.size]


def _losses(trial: OpenedTrial) -> list[Scalars]:
    read = [read_piece(trial.directory, piece)[0] for piece in trial.pieces]
    rows = pa.concat_tables([tables.LOSSES.empty_table(), *read], promote_options="default")
    shown = [name for name in rows.schema.names if name not in _PLACES]
    return [_series(LOSSES + name, rows, name) for name in shown]


def _metrics(trial: OpenedTrial, named: Mapping[Key, str]) -> list[Scalars]:
    rows = trial.metrics
    places: dict[str, list[int]] = {}
    columns = [rows[name].to_pylist() for name in ("metric", "lower_is_better", "protocol", "split")]
    for row, (metric, lower, protocol, split) in enumerate(zip(*columns, strict=True)):
        places.setdefault(named[metric, lower, protocol, split == tables.SELECTION], []).append(row)
    return [_series(name, rows.take(pa.array(at)), "value") for name, at in places.items()]


def _series(name: str, rows: pa.Table, column: str) -> Scalars:
    """Of the rows that have a value, each step once: the row that was written last."""
    steps = rows["step"].to_numpy()
    with np.errstate(invalid="ignore"):  # a damaged file may hold NaNs that complain of being copied
        values = np.asarray(rows[column].to_numpy(), np.float64)
        times = np.asarray(rows["wall_time"].to_numpy(), np.float64)
    there = np.flatnonzero(rows[column].is_valid().to_numpy() & (steps >= 0))
    there = there[np.append(np.diff(steps[there]) > 0, np.ones(min(1, there.size), bool))]
    return Scalars(name, steps[there], values[there], np.nan_to_num(times[there]))
