"""Whether generated images are nearer to those of the training than to images that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandist.metrics import _neighbours
from gandist.metrics._base import Need, Sets, Value

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
    training: np.ndarray
    """Which training image is the nearest, int ``[n]``."""
    held_out: np.ndarray
    """Which held-out image is."""
    share: np.ndarray
    """1 where the held-out one is nearer, 0 where the training image is, 0.5 where both are as near."""
    distances: np.ndarray
    """To the training image, squared, float32 ``[n]``."""


def measure(sets: Sets) -> list[Value]:
    """``memorization``: a / (a + b) of generated images that are nearest to a training image, ``a`` for each
    of these, or to a held-out one, ``b`` for each of those; so the sizes of the sets decide nothing.

    0.5 where training images are to the generator what others are; 1 where it has learned them by heart. The
    standard error is of which images are held out, too: one may be the nearest to many. None where none are.
    """
    if not sets.unseen:
        return []
    nearest, trained, held_out = _nearest(sets), len(sets.training), len(sets.real)
    share = float(nearest.share.mean())
    a, b = (1.0 - share) / trained, share / held_out
    # Had others been held out, all generated images near one would be counted otherwise: they are one draw.
    which = np.where(nearest.share > 0.5, trained + nearest.held_out, nearest.training)
    draws = np.bincount(which, weights=nearest.share - share)
    error = np.sqrt(np.sum(draws**2)) / len(nearest.share)
    slope = 1.0 / (trained * held_out * (a + b) ** 2)
    return [Value("memorization", a / (a + b), True, error=float(slope * error), floor=NONE)]


def closest_pairs(sets: Sets, count: int = 8) -> Pairs:
    """The ``count`` generated images that are closest to a training image, each to another one.

    What ``measure`` has found is not computed again. Fewer where there are not as many.
    """
    nearest = _nearest(sets)
    order = np.argsort(nearest.distances, kind="stable")
    _, first = np.unique(nearest.training[order], return_index=True)
    chosen = order[np.sort(first)[:count]]
    partners = nearest.training[chosen]
    apart = sets.generated.features[chosen].astype(np.float64) - sets.training.features[partners]
    training = np.stack([sets.training.pixels[index] for index in partners])
    return Pairs(sets.generated.pixels[chosen], training, np.linalg.norm(apart, axis=1))


def _nearest(sets: Sets) -> _Nearest:
    def compare() -> _Nearest:
        generated = sets.generated.features
        seen, training = _neighbours.nearest(generated, sets.training.features)
        unseen, held_out = _neighbours.nearest(generated, sets.real.features)
        return _Nearest(training, held_out, (unseen < seen) + 0.5 * (unseen == seen), seen)

    return sets.generated.once("nearest", compare)
