"""The Frechet distance between the features of two sets of images (Heusel et al. 2017, equation 6).

With the features of the Inception network of 2015 it is the FID; with others it is on another scale.
"""

from __future__ import annotations

import numpy as np

from gandist.metrics._base import Need, Sets, Value

HEADLINE = "frechet"
HAS_FLOOR = True
NEEDS = frozenset[Need]()


def measure(sets: Sets) -> list[Value]:
    """``frechet``: the squared distance, at least 0; of two images a set at least."""
    found = frechet_distance(*_statistics(sets.real.features), *_statistics(sets.generated.features))
    return [Value("frechet", found, lower_is_better=True)]


def frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """|m - m'|^2 + trace(C + C' - 2 (C^1/2 C' C^1/2)^1/2) of two normal distributions.

    In the symmetric form all roots are of positive semidefinite matrices, so no value turns complex.

    Args:
        mean: float64 ``[d]``.
        covariance: float64 ``[d, d]``.
        other_mean: float64 ``[d]``.
        other_covariance: float64 ``[d, d]``.
    """
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    products = np.linalg.eigvalsh(root @ other_covariance @ root)
    overlap = np.sqrt(np.maximum(products, 0.0)).sum()
    gap = float(np.sum((mean - other_mean) ** 2))
    return max(0.0, gap + float(np.trace(covariance) + np.trace(other_covariance) - 2.0 * overlap))


def _statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = features.astype(np.float64)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))
