"""The kernel distance of features (Binkowski et al. 2018), unbiased, with its standard error.

With the features of the Inception network of 2015 it is the KID; with others it is on another scale.
"""

from __future__ import annotations

import numpy as np

from gandist.metrics._base import Images, Need, Sets, Value

HEADLINE = "kid"
HAS_FLOOR = True
NEEDS = frozenset[Need]()
PART = 2**20
"""Values of the kernel that are in memory at a time, 8 MiB."""


def measure(sets: Sets) -> list[Value]:
    """``kid``: may be below 0, as an unbiased estimate of 0 must; of three images a set at least."""
    found, error = kid(_within(sets.real), _within(sets.generated), *_between(sets.real, sets.generated))
    return [Value("kid", found, lower_is_better=True, error=error)]


def kid(
    within: np.ndarray, within_other: np.ndarray, between: np.ndarray, between_other: np.ndarray
) -> tuple[float, float]:
    """The U-statistic MMD^2 (Gretton et al. 2012, equation 3) over all images, and its standard error.

    The error is the jackknife's over the images of both sets, which is on average too large rather than too
    small (Efron & Stein 1981); where both are of one distribution, by a factor of about 1.4.

    Args:
        within: float64 ``[n]``: for each image of the one set, the sum of the kernel with all others of it.
        within_other: the same ``[m]`` of the other set.
        between: float64 ``[n]``: for each image of the one set, the sum of the kernel with the other set.
        between_other: ``[m]``: for each of the other set, with the one set.
    """
    n, m, cross = len(within), len(within_other), between.sum()

    def value(inside: np.ndarray, other: float, crossing: np.ndarray, n: int, m: int) -> np.ndarray:
        return np.asarray(inside / (n * (n - 1)) + other / (m * (m - 1)) - 2.0 * crossing / (n * m))

    total, total_other = within.sum(), within_other.sum()
    without_one = value(total - 2.0 * within, total_other, cross - between, n - 1, m)
    without_other = value(total_other - 2.0 * within_other, total, cross - between_other, m - 1, n)
    variance = (n - 1) * without_one.var() + (m - 1) * without_other.var()
    return float(value(total, total_other, cross, n, m)), float(np.sqrt(variance))


def _within(images: Images) -> np.ndarray:
    def sums() -> np.ndarray:
        features = images.features.astype(np.float64)
        own = (np.einsum("ij,ij->i", features, features) / features.shape[1] + 1.0) ** 3
        others: np.ndarray = _sums(features, features)[0] - own
        return others

    return images.once("kernel sums", sums)


def _between(one: Images, other: Images) -> tuple[np.ndarray, np.ndarray]:
    return _sums(one.features.astype(np.float64), other.features.astype(np.float64))


def _sums(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of (x.y / d + 1)^3 over the other set: ``[n]`` and ``[m]``."""
    rows, columns = np.empty(len(one)), np.zeros(len(other))
    step = max(1, PART // len(other))
    transposed = other.T / one.shape[1]
    for start in range(0, len(one), step):
        kernel = one[start : start + step] @ transposed
        kernel += 1.0
        kernel *= kernel * kernel
        rows[start : start + step] = kernel.sum(axis=1)
        columns += kernel.sum(axis=0)
    return rows, columns
