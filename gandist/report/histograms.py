"""How a discriminator's outputs are distributed over real and over generated images. Pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gandist.report.merge import Trial
from gandist.report.statistics import Floats

BINS = 40
ROUNDING = 1e-5
"""A mean of float32 ones need not be one."""


@dataclass(frozen=True)
class Histogram:
    """One configuration, all its seeds together.

    Attributes:
        real: float64 ``[BINS]``: the share of real images in each bin.
        generated: the same of generated ones.
        edges: float64 ``[BINS + 1]``, of both.
        probability: whether all outputs lie in [0, 1].
        images: real and generated ones.
        means: the mean output on real and on generated images.
        seeds: trials that the images are of.
        outside: images beyond the first and the last edge, counted in the first and the last bin.
    """

    real: Floats
    generated: Floats
    edges: Floats
    probability: bool
    images: tuple[int, int]
    means: tuple[float, float]
    seeds: int
    outside: int


def histogram(trials: Sequence[Trial]) -> Histogram | None:
    """Of the completed ones among a configuration's ``trials``; None where those have left no outputs."""
    kept = [trial for trial in trials if trial.status == "completed" and has_outputs(trial)]
    if not kept:
        return None
    kinds = [np.concatenate([trial.outputs[kind] for trial in kept]) for kind in ("real", "generated")]
    both = np.concatenate(kinds)
    probability = is_probability(both)
    low, high = (0.0, 1.0) if probability else _ends(both)
    edges = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(np.clip(kind, low, high), edges)[0] / kind.size for kind in kinds]
    return Histogram(
        real=shares[0],
        generated=shares[1],
        edges=edges,
        probability=probability,
        images=(kinds[0].size, kinds[1].size),
        means=(float(kinds[0].mean()), float(kinds[1].mean())),
        seeds=len(kept),
        outside=int(((both < low) | (both > high)).sum()),
    )


def _ends(scores: Floats) -> tuple[float, float]:
    """Of an axis for all ``scores``, but a few so far out that the others would share a bin or two."""
    low, high = map(float, np.percentile(scores, [0.5, 99.5]))
    first, last = float(scores.min()), float(scores.max())
    if last - first <= 3 * (high - low):
        low, high = first, last
    around = max(0.5, 0.01 * abs(low))
    return (low, high) if high > low else (low - around, high + around)


def has_outputs(trial: Trial) -> bool:
    """Whether there are outputs of both kinds."""
    return all(trial.outputs.get(kind, np.empty(0)).size for kind in ("real", "generated"))


def is_probability(values: Floats) -> bool:
    """Whether all finite ``values`` lie in [0, 1], which scores do not do for long."""
    values = values[np.isfinite(values)]
    return bool(np.all((values >= -ROUNDING) & (values <= 1 + ROUNDING)))
