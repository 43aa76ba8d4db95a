"""Configurations from the best one on, and whether their seeds tell them apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gandist.report.statistics import Difference, Summary, difference, summary


@dataclass(frozen=True)
class Standing:
    """One configuration.

    Attributes:
        config: its name.
        value: its final values, over seeds.
        gap: how much higher they are than those of the best one, seed by seed; None for the best one, and
            where fewer than two seeds are common.
    """

    config: str
    value: Summary
    gap: Difference | None

    @property
    def is_told(self) -> bool:
        """Whether the seeds tell it apart from the best one."""
        return self.gap is not None and self.gap.is_told


def rank(finals: Mapping[str, Mapping[int, float]], lower_is_better: bool) -> list[Standing]:
    """Those that have a value, by their means; of equals, the earlier one first.

    Args:
        finals: final values by configuration and seed.
        lower_is_better: whether the lowest mean is first.
    """
    values = {config: summary(list(of_seeds.values())) for config, of_seeds in finals.items()}
    sign = 1 if lower_is_better else -1
    ordered = sorted((c for c in finals if values[c].n), key=lambda config: sign * values[config].mean)
    return [
        Standing(config, values[config], difference(finals[ordered[0]], finals[config]) if place else None)
        for place, config in enumerate(ordered)
    ]
