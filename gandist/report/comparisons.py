"""Whether configurations differ by more than chance: exact rank tests, corrected for their number. Pure.

The seeds of two configurations are compared as two independent samples. That they share the order of the data
is not made use of: no paired test of five seeds can have a p below 2/2^5 = 0.06, this one has 0.008.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from gandist.report.statistics import Floats

LEVEL = 0.05
POWER = 0.8
EXACT = 100
"""Values of two configurations together, of which the distribution is enumerated; of more it is normal."""
MOST = 200
"""Configurations of which all pairs are tested; of more, only those with the first one."""
MANY = 50
"""Seeds: more of them are no advice."""


@dataclass(frozen=True)
class Comparison:
    """Two configurations.

    Attributes:
        better: pairs of a seed of the first and a seed of the second in which the first is better; a tie
            counts one half.
        pairs: of them all.
        p: two-sided, of this comparison alone.
        adjusted: p over all comparisons.
    """

    better: float
    pairs: int
    p: float
    adjusted: float = 1.0

    @property
    def is_significant(self) -> bool:
        """Whether the two differ, at the 5% level over all comparisons."""
        return self.adjusted <= LEVEL

    @property
    def is_better(self) -> bool:
        """Whether the first one is significantly better."""
        return self.is_significant and 2 * self.better > self.pairs


def compare_with_first(groups: Sequence[Floats]) -> list[Comparison]:
    """The first of ``groups`` with each of the others, each p adjusted for all pairs of groups.

    All pairs, because the first one was itself chosen for its values: whichever is chosen, the chance that
    any of these comparisons is significant without a difference is at most 5%.

    Args:
        groups: float64 ``[seeds]``, not empty, of a configuration each: lower is better, infinite is failed.
    """
    k = len(groups)
    chosen = itertools.combinations(range(k), 2) if k <= MOST else ((0, other) for other in range(1, k))
    pairs = [(first, second, compare(groups[first], groups[second])) for first, second in chosen]
    p_values = [found.p for _, _, found in pairs]
    many = k * (k - 1) // 2
    adjusted = adjust(p_values, k) if len(pairs) == many else [min(1.0, p * many) for p in p_values]
    both = zip(pairs, adjusted, strict=True)
    return [replace(found, adjusted=p) for (first, _, found), p in both if first == 0]


def compare(first: Floats, second: Floats) -> Comparison:
    """The test of Mann and Whitney (1947), exact under all ties: by the permutations of the midranks."""
    n, m = first.size, second.size
    _, place, counts = np.unique(np.concatenate([first, second]), return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(counts) - counts + 1)[place]  # midranks, times two: whole numbers
    total = int(doubled[:n].sum())
    better = n * m + n * (n + 1) / 2 - total / 2
    if n + m > EXACT:
        return Comparison(better, n * m, _normal_p(total, n, counts))
    tails = _tails(tuple(np.sort(doubled).tolist()), n)
    return Comparison(better, n * m, tails[abs(total - n * (n + m + 1))])


def adjust(p_values: Sequence[float], configs: int) -> list[float]:
    """p values of all pairs of ``configs`` such that in 95% of jobs none of equal ones is below 5%.

    Holm (1979), with the number of pairs that can be equal at once where others differ (Shaffer 1986,
    procedure S1): of three configurations, if one pair differs, at most one other pair is equal.
    """
    possible, many = _equal_pairs(configs), len(p_values)
    adjusted, largest = [1.0] * many, 0.0
    for step, place in enumerate(np.argsort(p_values, kind="stable")):
        can_be_equal = (possible & ((1 << (many - step + 1)) - 1)).bit_length() - 1
        largest = max(largest, min(1.0, p_values[place] * can_be_equal))
        adjusted[place] = largest
    return adjusted


def can_tell(seeds: Sequence[int]) -> bool:
    """Whether any outcome could be significant between configurations of so many seeds, one for each."""
    two_largest = sorted(seeds)[-2:]
    return len(two_largest) == 2 and _least_p(*two_largest) * math.comb(len(seeds), 2) <= LEVEL


def least_seeds(configs: int) -> int:
    """How many seeds each of so many configurations must have for any outcome to be significant."""
    return next(n for n in itertools.count(2) if can_tell([n] * configs))


def seeds_to_tell(found: Comparison, configs: int) -> int | None:
    """About how many seeds each would have to have for a significant difference in 8 of 10 jobs; None: many.

    Noether (1987), from the share of pairs in which one was better, drawn half a pair towards chance.
    """
    share = (max(found.better, found.pairs - found.better) + 0.5) / (found.pairs + 1)
    if share == 0.5:
        return None
    normal = NormalDist()
    reach = normal.inv_cdf(1 - LEVEL / 2 / math.comb(configs, 2)) + normal.inv_cdf(POWER)
    needed = max(least_seeds(configs), math.ceil(reach**2 / (6 * (share - 0.5) ** 2)))
    return needed if needed <= MANY else None


def _least_p(n: int, m: int) -> float:
    return 2 / math.comb(n + m, n)


@lru_cache(4096)
def _tails(doubled: tuple[int, ...], n: int) -> list[float]:
    """The chance that twice the rank sum of ``n`` of these midranks is at least so far from its mean."""
    most = sum(doubled[len(doubled) - n :])
    ways = np.zeros((n + 1, most + 1))
    ways[0, 0] = 1.0
    for seen, rank in enumerate(doubled, 1):
        # After each rank the weights of all choices of c ranks: those with this one, and those without.
        for c in range(min(seen, n), 0, -1):
            ways[c, rank:] += ways[c - 1, : most + 1 - rank]
    away = np.abs(np.arange(most + 1) - n * (len(doubled) + 1))
    shares = np.bincount(away, weights=ways[n]) / math.comb(len(doubled), n)
    tails: list[float] = np.minimum(1.0, np.cumsum(shares[::-1])[::-1]).tolist()
    return tails


def _normal_p(total: int, n: int, ties: np.ndarray) -> float:
    """The same for many values, with the corrections for ties and for continuity."""
    every = int(ties.sum())
    spread = every + 1 - float((ties.astype(np.float64) ** 3 - ties).sum()) / (every * (every - 1))
    variance = n * (every - n) / 12 * spread
    away = abs(total / 2 - n * (every + 1) / 2) - 0.5
    return 1.0 if variance <= 0 else min(1.0, math.erfc(max(0.0, away) / math.sqrt(2 * variance)))


@lru_cache(64)
def _equal_pairs(configs: int) -> int:
    """How many pairs of so many configurations can be equal at once, as the bits of a number."""
    found = [1]
    for k in range(1, configs + 1):
        bits = 0
        for alike in range(1, k + 1):
            bits |= found[k - alike] << math.comb(alike, 2)
        found.append(bits)
    return found[configs]
