"""Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020) of features.

A ball around each image reaches to its K-th nearest neighbour in its own set.
"""

from __future__ import annotations

import numpy as np

from gandist.metrics import _neighbours
from gandist.metrics._base import Images, Need, Sets, Value

HEADLINE = "coverage"
HAS_FLOOR = True
NEEDS = frozenset[Need]()
K = 5


def measure(sets: Sets) -> list[Value]:
    """``precision``, ``recall``, ``density`` and ``coverage``; of two images a set at least."""
    real, generated = sets.real, sets.generated
    found = prdc(real.features, generated.features, _radii(real), _radii(generated), _k(real))
    return [Value(name, value, lower_is_better=False) for name, value in found.items()]


def prdc(
    real: np.ndarray, generated: np.ndarray, real_radii: np.ndarray, generated_radii: np.ndarray, k: int
) -> dict[str, float]:
    """Precision: the share of generated images in a ball around a real one; recall: the other way round.
    Density: of how many balls each generated image is in, over k. Coverage: the share of balls around real
    images that have a generated one in them.

    Args:
        real: features ``[n, d]``.
        generated: features ``[m, d]``.
        real_radii: squared radii ``[n]`` of the balls around real ones.
        generated_radii: ``[m]``.
        k: which neighbour the radii of real ones reach to.
    """
    inside = np.zeros(len(generated))  # balls that it is in
    recalled, covered = np.empty(len(real), bool), np.empty(len(real), bool)
    for rows, part in _neighbours.distances(real, generated):
        within = part < real_radii[rows, np.newaxis]
        inside += within.sum(axis=0)
        covered[rows] = within.any(axis=1)
        recalled[rows] = (part < generated_radii).any(axis=1)
    return {
        "precision": float((inside > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(inside.mean() / k),
        "coverage": float(covered.mean()),
    }


def _radii(images: Images) -> np.ndarray:
    return images.once("radii", lambda: _neighbours.radii(images.features, _k(images)))


def _k(images: Images) -> int:
    return min(K, len(images) - 1)
