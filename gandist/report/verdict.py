"""Which configuration is best by a metric, and whether seeds and budgets allow to say so. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gandist.artifacts.statuses import Counts
from gandist.report import budgets, text
from gandist.report.comparisons import can_tell, least_seeds, seeds_to_tell
from gandist.report.evaluations import Metric
from gandist.report.ranking import Standing, rank
from gandist.report.scores import Scores
from gandist.report.trial import Trial

Configs = Mapping[str, Sequence[Trial]]


@dataclass(frozen=True)
class Ranked:
    """Configurations by their scores, the best one first; at least one."""

    standings: Sequence[Standing]

    @property
    def best(self) -> Standing:
        """The one with the best median."""
        return self.standings[0]

    @property
    def others(self) -> Sequence[Standing]:
        """All but the best one."""
        return self.standings[1:]

    @cached_property
    def beaten(self) -> list[Standing]:
        """Those that the best one is significantly better than."""
        return [it for it in self.others if it.against and it.against.is_better]

    @property
    def undecided(self) -> list[Standing]:
        """The rest of the others."""
        return [it for it in self.others if not (it.against and it.against.is_better)]

    @property
    def can_tell(self) -> bool:
        """Whether any outcome could have been significant with so many seeds."""
        return can_tell([it.scores.n for it in self.standings])

    @property
    def least(self) -> int:
        """The seeds that each must have for that."""
        return least_seeds(len(self.standings))

    def more_seeds(self, other: Standing) -> int | None:
        """About how many more each would probably tell ``other`` from the best one; None: too many to say."""
        if other.against is None:
            return None
        needed = seeds_to_tell(other.against, len(self.standings))
        fewest = min(self.best.scores.n, other.scores.n)
        return needed and max(1, needed - fewest)


@dataclass(frozen=True)
class Equal:
    """The same at equal budgets: by the last evaluations up to ``kimg``, which all trials have reached.

    Attributes:
        kimg: that budget.
        used: the least and the most kimg of the evaluations that count; None for none.
        ranked: by them; None where no configuration was evaluated by then.
        without: the configurations that were not.
    """

    kimg: float
    used: tuple[float, float] | None
    ranked: Ranked | None
    without: Sequence[str]

    @property
    def earlier(self) -> bool:
        """Whether some evaluations were well before."""
        return self.used is not None and self.used[0] < self.kimg * (1 - budgets.SAME)


@dataclass(frozen=True)
class Verdict:
    """What a job says of its configurations by one metric.

    Attributes:
        metric: which one.
        ranked: by the final values.
        counted: by configuration, the trials whose budgets are compared.
        pruned: configurations that were pruned on the way, which have no place in the ranking.
        unranked: others without a value.
        unfinished: trials that have not ended.
        equal: the same at equal budgets; None where they are.
    """

    metric: Metric
    ranked: Ranked
    counted: budgets.Counted
    pruned: Sequence[str]
    unranked: Sequence[str]
    unfinished: int
    equal: Equal | None


def verdict(configs: Configs, metric: Metric) -> Verdict | None:
    """By the final values of the trials that completed; None where no trial has one."""
    scores = {config: metric.scores(trials) for config, trials in configs.items()}
    if not any(found.values for found in scores.values()):
        return None
    counted = {config: metric.whole(trials) for config, trials in configs.items()}
    without = [config for config in configs if not scores[config].n]
    pruned = [
        config for config in without if any(trial.ended.counts is Counts.PRUNED for trial in configs[config])
    ]
    return Verdict(
        metric,
        Ranked(rank(scores)),
        counted,
        pruned,
        [config for config in without if config not in pruned],
        sum(not trial.meaning.final for trials in configs.values() for trial in trials),
        _at_equal(configs, metric, counted),
    )


def broken(trials: Sequence[Trial]) -> list[tuple[str, int]]:
    """How many trials ended badly, by how."""
    return text.status_counts(trial.ended.name for trial in trials if trial.failed or not trial.ended.stored)


def _at_equal(configs: Configs, metric: Metric, counted: budgets.Counted) -> Equal | None:
    kimg = budgets.least(counted)
    if kimg is None or not budgets.differ(counted):
        return None
    valued = {config: metric.counted(trials) for config, trials in counted.items()}
    found = {config: metric.at(trials, kimg) for config, trials in valued.items()}
    used = [at for of_seeds in found.values() for at, _ in of_seeds.values()]
    scores: dict[str, Scores] = {
        config: metric.scores_at(trials, kimg)
        for config, trials in configs.items()
        if found[config] or not valued[config]
    }
    return Equal(
        kimg,
        (min(used), max(used)) if used else None,
        Ranked(rank(scores)) if used else None,
        [config for config in found if valued[config] and not found[config]],
    )
