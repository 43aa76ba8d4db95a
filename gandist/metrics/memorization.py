"""Whether generated images are nearer to those of the training than to images that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandist.metrics import _neighbours
from gandist.metrics._base import Need, Sets, Value
from gandist.order import permutation

HEADLINE = "memorization"
HAS_FLOOR = False
NEEDS = frozenset({Need.HELD_OUT})
NONE = 0.5


@dataclass(frozen=True)
class Pairs:
    """Generated images and the training images nearest to them, the closest first.

    Attributes:
        generated: uint8 ``[n, height, width, channels]``.
        training: uint8 of the same shape; no image twice.
        distances: float64 ``[n]``, between their features.
    """

    generated: np.ndarray
    training: np.ndarray
    distances: np.ndarray


@dataclass(frozen=True)
class _Nearest:
    distances: np.ndarray
    """To the nearest training image, float64 ``[n]``."""
    indices: np.ndarray
    """Which one that is, int ``[n]``."""
    nearer: np.ndarray
    """In what share of the parts of the training set it was nearer than held-out images, float64 ``[n]``."""
    held_out: np.ndarray
    """Which held-out image is the nearest, int ``[n]``."""


def measure(sets: Sets) -> list[Value]:
    """``memorization``: the share of generated images that are nearer to a training than to a held-out image.

    0.5 where training images are to the generator what others are; 1 where it has learned them by heart. The
    training set is compared in parts of as many images as are held out, so that its size decides nothing. The
    standard error is of both the generated and the held-out images: of these, one may decide for many. None
    where no images are held out.
    """
    if not sets.unseen:
        return []
    nearest = _nearest(sets)
    value = float(nearest.nearer.mean())
    decided = np.bincount(nearest.held_out, weights=nearest.nearer - value)
    error = float(np.sqrt(np.sum(decided**2)) / len(nearest.nearer))
    return [Value("memorization", value, lower_is_better=True, error=error, floor=NONE)]


def closest_pairs(sets: Sets, count: int = 8) -> Pairs:
    """The ``count`` generated images that are closest to a training image, each to another one.

    What ``measure`` has found is not computed again. Fewer where there are not as many.
    """
    nearest = _nearest(sets)
    order = np.argsort(nearest.distances, kind="stable")
    _, first = np.unique(nearest.indices[order], return_index=True)
    chosen = order[np.sort(first)[:count]]
    training = np.stack([sets.training.pixels[index] for index in nearest.indices[chosen]])
    return Pairs(sets.generated.pixels[chosen], training, np.sqrt(nearest.distances[chosen]))


def _nearest(sets: Sets) -> _Nearest:
    return sets.generated.once("nearest", lambda: _compare(sets))


def _compare(sets: Sets) -> _Nearest:
    generated, training = sets.generated.features, sets.training.features
    size = min(len(sets.real), len(training))
    unseen, held_out = _neighbours.nearest(generated, sets.real.features[:size])
    order = permutation(0, 0, len(training))  # the data may be in the order of its classes
    nearer, parts = np.zeros(len(generated)), len(training) // size
    distances, indices = np.full(len(generated), np.inf), np.zeros(len(generated), np.int64)
    for start in range(0, len(training), size):
        some = order[start : start + size]
        found, where = _neighbours.nearest(generated, training[some])
        if len(some) == size:
            nearer += (found < unseen) + 0.5 * (found == unseen)
        closer = found < distances
        distances[closer], indices[closer] = found[closer], some[where[closer]]
    return _Nearest(distances, indices, nearer / parts, held_out)
