"""How a discriminator's outputs are distributed over real and over generated images. Pure numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gandist.artifacts.tables import OUTPUT_KINDS
from gandist.report.statistics import Floats
from gandist.report.trial import Trial

BINS = 40
ROUNDING = 1e-5
"""A mean of float32 ones need not be one."""
_NONE = np.empty(0)


@dataclass(frozen=True)
class Histogram:
    """One configuration, all its seeds together.

    Attributes:
        shares: of each of ``tables.OUTPUT_KINDS`` that there are outputs on, the share of its images in each
            bin: float64 ``[BINS]``.
        edges: float64 ``[BINS + 1]``, of all.
        probability: whether all outputs lie in [0, 1].
        images: of each kind.
        means: the mean output on each kind.
        seeds: trials that the images are of.
        outside: images beyond the first and the last edge, counted in the first and the last bin.
    """

    shares: Mapping[str, Floats]
    edges: Floats
    probability: bool
    images: Mapping[str, int]
    means: Mapping[str, float]
    seeds: int
    outside: int


def histogram(trials: Sequence[Trial]) -> Histogram | None:
    """Of the completed ones among a configuration's ``trials``; None where those have left no outputs."""
    kept = [trial for trial in trials if trial.meaning.is_success and has_outputs(trial)]
    if not kept:
        return None
    kinds = {
        kind: np.concatenate([trial.outputs[kind] for trial in kept])
        for kind in OUTPUT_KINDS
        if all(trial.outputs.get(kind, _NONE).size for trial in kept)
    }
    every = np.concatenate(list(kinds.values()))
    probability = is_probability(every)
    low, high = (0.0, 1.0) if probability else _ends(every)
    edges = np.linspace(low, high, BINS + 1)
    return Histogram(
        shares={
            kind: np.histogram(np.clip(values, low, high), edges)[0] / values.size
            for kind, values in kinds.items()
        },
        edges=edges,
        probability=probability,
        images={kind: values.size for kind, values in kinds.items()},
        means={kind: float(values.mean()) for kind, values in kinds.items()},
        seeds=len(kept),
        outside=int(((every < low) | (every > high)).sum()),
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
    """Whether there are outputs on real and on generated images; only those of some trials are held out."""
    return all(trial.outputs.get(kind, _NONE).size for kind in ("real", "generated"))


def is_probability(values: Floats) -> bool:
    """Whether all finite ``values`` lie in [0, 1], which scores do not do for long."""
    values = values[np.isfinite(values)]
    return bool(np.all((values >= -ROUNDING) & (values <= 1 + ROUNDING)))
