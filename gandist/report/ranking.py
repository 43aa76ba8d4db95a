"""Configurations from the best one on, and whether the differences are significant. Pure."""

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
        sign: 1 where higher values are worse, else -1.
    """

    config: str
    value: Summary
    gap: Difference | None
    sign: int

    @property
    def is_worse(self) -> bool:
        """Whether it is significantly worse than the best one."""
        return self.gap is not None and self.gap.is_significant and not self.is_ahead

    @property
    def is_ahead(self) -> bool:
        """Whether, by the seeds that both have, it is better than the one with the best mean over all."""
        return self.gap is not None and self.sign * self.gap.mean < 0


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
        Standing(
            config, values[config], difference(finals[ordered[0]], finals[config]) if place else None, sign
        )
        for place, config in enumerate(ordered)
    ]
