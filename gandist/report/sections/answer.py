"""Which configuration is best and how sure that is, in a sentence; then every seed, and the comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gandist.report import budgets, text
from gandist.report.answer import NOT_MEASURED, answer, unranked
from gandist.report.dots import dots
from gandist.report.intervals import CONFIDENCE
from gandist.report.tuning import layout
from gandist.report.verdict import Equal, Ranked, verdict

if TYPE_CHECKING:
    from gandist.report.ranking import Standing
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Answer"
ORDER = 5

MAX_ROWS = 60
MAX_NAMES = 6

Configs = Mapping[str, Sequence["Trial"]]


def build(content: Content) -> dict[str, Any] | None:
    """By the job's first metric; None where nothing was measured and no trial has completed."""
    configs = content.merged.configs
    metric = content.objective
    if metric is None:
        ended = any(trial.ended.is_success for trial in content.merged.members)
        return {"sentence": NOT_MEASURED, "table": None} if ended else None
    found = verdict(configs, metric)
    if found is None:
        return {"sentence": unranked(content.merged.members), "table": None}
    places = layout(content.manifest.configs, list(configs)) if len(configs) > 1 else None
    best = found.ranked.best.config
    return {
        "sentence": answer(found),
        "metric": {
            "title": metric.title,
            "direction": metric.direction,
            "floor": "" if metric.floor is None else text.number(metric.floor, 3),
            "of_training": metric.split == "training",
        },
        "chosen": any(t.state.best_step is not None for trials in found.counted.values() for t in trials),
        "settings": places.points.get(best, {}) if places else {},
        "table": _table(found.ranked, configs, metric.title, found.counted),
        "budgets": budgets.compared(found.counted),
        "pruned": _names(found.pruned),
        "unranked": _names(found.unranked),
        "elsewhere": sum(metric.elsewhere(trials) for trials in configs.values()),
        "equal": found.equal and _equal(found.equal, configs, metric.title),
    }


def _table(
    ranked: Ranked, configs: Configs, title: str, counted: budgets.Counted | None = None
) -> dict[str, Any]:
    """The context of ``_ranked.html``; with the budgets of the trials that are ``counted``."""
    shown = ranked.standings[:MAX_ROWS]
    drawn = dots([it.scores for it in shown])
    intervals = [it.scores.interval for it in shown if it.scores.interval]
    failed = any(it.scores.failed for it in shown)
    many = len(ranked.standings)
    return {
        "title": title,
        "dots": drawn,
        "rows": [
            {
                **_row(ranked, it, len(configs[it.config])),
                "strip": strip,
                "budget": _budget(counted or {}, it.config),
            }
            for it, strip in zip(shown, drawn.strips, strict=True)
        ],
        "more": many - len(shown),
        "compared": many > 1,
        "comparisons": many * (many - 1) // 2,
        "failed": failed,
        "means_without": failed,
        "intervals": bool(intervals),
        "short": any(interval.coverage < CONFIDENCE for interval in intervals),
    }


def _budget(counted: budgets.Counted, config: str) -> dict[str, str] | None:
    trials = counted.get(config)
    return budgets.budget(trials).cells if trials else None


def _row(ranked: Ranked, it: Standing, seeds: int) -> dict[str, Any]:
    scores, against = it.scores, it.against
    estimate = text.estimate(scores.median, scores.interval)
    row = {
        "config": it.config,
        "label": f"{text.plural(len(scores.values), 'seed')}, {len(scores.failed)} failed; {estimate}",
        "estimate": estimate,
        "mean": text.number(scores.mean),
        "missing": seeds - scores.n,
        "failed": text.rate(len(scores.failed), scores.n),
        "best": against is None,
    }
    if against is not None:
        row |= {
            "pairs": (text.number(against.better), text.whole(against.pairs)),
            "p": text.p_value(against.adjusted).removeprefix("p ").removeprefix("= "),
            "significant": against.is_significant,
            "more": None if against.is_significant else ranked.more_seeds(it),
        }
    return row


def _equal(equal: Equal, configs: Configs, title: str) -> dict[str, Any]:
    compared = equal.ranked is not None and len(equal.ranked.standings) > 1
    return {
        "kimg": text.number(equal.kimg),
        "used": text.span(equal.used, text.number),
        "earlier": equal.earlier,
        "without": _names(equal.without),
        "table": _table(equal.ranked, configs, title) if equal.ranked and compared else None,
    }


def _names(configs: Sequence[str]) -> dict[str, Any]:
    return {"some": list(configs[:MAX_NAMES]), "more": len(configs[MAX_NAMES:])}
