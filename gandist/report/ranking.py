"""Configurations from the best one on, each compared with the best. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gandist.report.comparisons import Comparison, compare_with_first
from gandist.report.scores import Scores


@dataclass(frozen=True)
class Standing:
    """One configuration.

    Attributes:
        config: its name.
        scores: its seeds.
        against: the best one compared with it; None for the best one itself.
    """

    config: str
    scores: Scores
    against: Comparison | None = None


def rank(scores: Mapping[str, Scores]) -> list[Standing]:
    """Those that have seeds that count, by the median, then by the mean of ranks; the earlier one first.

    A configuration of which all seeds failed is the last one.
    """
    counted = {config: found for config, found in scores.items() if found.n}
    if not counted:
        return []
    every = np.sort(np.concatenate([found.costs for found in counted.values()]))

    def place(config: str) -> tuple[float, float]:
        costs = counted[config].costs
        ranks = np.searchsorted(every, costs) + np.searchsorted(every, costs, side="right")
        return float(np.median(costs)), float(np.mean(ranks))

    ordered = sorted(counted, key=place)
    found = compare_with_first([counted[config].costs for config in ordered])
    return [
        Standing(config, counted[config], against)
        for config, against in zip(ordered, [None, *found], strict=True)
    ]
