"""Which configuration is best by a metric, and whether the seeds and the budgets allow to say so. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gandist.artifacts.statuses import Counts
from gandist.report import budgets, text
from gandist.report.evaluations import Metric
from gandist.report.ranking import Standing, rank
from gandist.report.trial import Trial

MAX_NAMES = 6

Configs = Mapping[str, Sequence[Trial]]


def verdict(configs: Configs, metric: Metric) -> dict[str, Any] | None:
    """By the values after the last steps; None where no trial has one."""
    counted = {config: metric.counted(trials) for config, trials in configs.items()}
    finals = {config: metric.finals(trials) for config, trials in counted.items()}
    made = _verdict(configs, metric, counted, finals)
    return made and {
        **made,
        "budgets": budgets.compared(counted),
        "equal": _at_equal(configs, metric, counted),
    }


def broken(trials: Sequence[Trial]) -> list[tuple[str, int]]:
    """How many trials ended badly, by how."""
    ended = [trial.ended for trial in trials]
    return text.status_counts(it.name for it in ended if it.counts in (Counts.OUTCOME, Counts.FAILURE))


def _at_equal(configs: Configs, metric: Metric, counted: budgets.Counted) -> dict[str, Any] | None:
    """The same, by the last evaluations up to the kimg that all have reached; None for equal budgets."""
    kimg = budgets.least(counted)
    if kimg is None or not budgets.differ(counted):
        return None
    found = {config: metric.at(trials, kimg) for config, trials in counted.items()}
    used = [at for of_seeds in found.values() for at, _ in of_seeds.values()]
    finals = {
        config: {seed: value for seed, (_, value) in of_seeds.items()} for config, of_seeds in found.items()
    }
    return {
        "kimg": text.number(kimg),
        "used": text.span((min(used), max(used)), text.number) if used else "",
        "earlier": bool(used) and min(used) < kimg * (1 - budgets.SAME),
        "without": _names([config for config in found if counted[config] and not found[config]]),
        "verdict": _verdict(configs, metric, {}, finals),
    }


def _verdict(
    configs: Configs, metric: Metric, counted: budgets.Counted, finals: Mapping[str, Mapping[int, float]]
) -> dict[str, Any] | None:
    ranked = rank(finals, metric.lower_is_better)
    if not ranked:
        return None
    best, *others = ranked
    gap = others[0].gap if others else None
    return {
        "best": _stands(configs, metric, counted, best),
        "second": _stands(configs, metric, counted, others[0]) if others else None,
        "gap": gap
        and {
            "n": gap.n,
            "significant": gap.is_significant,
            "ahead": others[0].is_ahead,
            "mean": text.number(abs(gap.mean), 3),
            "higher": gap.mean > 0,
            "low": text.number(gap.low, 3),
            "high": text.number(gap.high, 3),
        },
        "ranked": len(ranked),
        "worse": sum(other.is_worse for other in others),
        "unranked": _names([config for config in configs if not finals.get(config)]),
    }


def _stands(configs: Configs, metric: Metric, counted: budgets.Counted, it: Standing) -> dict[str, Any]:
    """A configuration, its value, its budget, and what became of the trials that do not count."""
    trials = configs[it.config]
    elsewhere = metric.elsewhere(trials)
    return {
        "config": it.config,
        "value": it.value,
        "seeds": len(trials),
        "broken": broken(trials) + ([("measured by another protocol", elsewhere)] if elsewhere else []),
        "budget": budgets.budget(counted[it.config]).cells if it.config in counted else None,
    }


def _names(configs: Sequence[str]) -> dict[str, Any]:
    return {"some": list(configs[:MAX_NAMES]), "more": len(configs[MAX_NAMES:])}
