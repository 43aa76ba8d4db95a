"""What was measured of the generated images, in the course of training and at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gandist.report import budgets, text
from gandist.report.dots import dots
from gandist.report.drawing import figures
from gandist.report.evaluations import Metric
from gandist.report.plots import Plot, prepare

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Metrics"
ORDER = 25

MAX_METRICS = 24
MAX_DRAWN = 8
"""Metrics that have curves."""
MAX_ROWS = 60

Configs = Mapping[str, Sequence["Trial"]]


def build(content: Content) -> dict[str, Any] | None:
    """The curves of each metric, a table of each with every seed, and the protocols."""
    found = content.metrics
    if not found:
        return None
    first = content.objective
    metrics = sorted(found, key=lambda metric: metric != first)[:MAX_METRICS]
    configs = content.merged.configs
    counted = {config: metrics[0].counted(trials) for config, trials in configs.items()}
    protocols = dict.fromkeys(metric.protocol for metric in metrics)
    return {
        **(figures(content.merged, plots(content, metrics[:MAX_DRAWN]), "metrics") or {"rows": []}),
        "protocols": [
            {
                "text": text.plain(protocol, 600),
                "of": [metric.title for metric in metrics if metric.protocol == protocol]
                if len(protocols) > 1
                else [],
            }
            for protocol in protocols
        ],
        "tables": [_table(metric, configs) for metric in metrics],
        "budgets": budgets.compared(counted),
        "work": [
            {"config": config, **budgets.budget(counted[config]).cells, "n": len(counted[config])}
            for config in list(configs)[:MAX_ROWS]
        ],
        "more": len(found) - len(metrics),
    }


def plots(content: Content, metrics: Sequence[Metric]) -> list[list[Plot]]:
    """Each metric against kimg, and the first one against what it cost."""
    first, *others = metrics
    titles = {metric: f"{metric.title}, {metric.direction}" for metric in metrics}
    measures = {titles[first]: first.series}
    paid, x = content.cost, {}
    if paid:
        by_cost = f"{first.title} by cost"
        measures[by_cost] = lambda trial: paid.against(trial, first.series(trial))
        x[by_cost] = paid.unit
    measures |= {titles[metric]: metric.series for metric in others}
    one_axis = [[titles[first], by_cost]] if paid else []
    return prepare(content.merged, measures, one_axis=one_axis, x=x, sizes=content.sizes)


def _table(metric: Metric, configs: Configs) -> dict[str, Any]:
    shown = list(configs.items())[:MAX_ROWS]
    scores = [metric.scores(trials) for _, trials in shown]
    drawn = dots(scores)
    chosen = [_places(metric, trials, metric.chosen) for _, trials in shown]
    selects = any(place["n"] for place in chosen)
    rows = [
        {
            "config": config,
            "strip": strip,
            "n": found.n,
            "seeds": len(trials),
            "last": _estimate(metric, trials, metric.last),
            "error": _error(metric, trials),
            "other": of_chosen if selects else _places(metric, trials, metric.best),
        }
        for (config, trials), found, strip, of_chosen in zip(shown, scores, drawn.strips, chosen, strict=True)
    ]
    return {
        "title": metric.title,
        "direction": metric.direction,
        "floor": "" if metric.floor is None else text.number(metric.floor, 3),
        "dots": drawn,
        "rows": rows,
        "selects": selects,
        "errors": any(row["error"] for row in rows),
        "more": len(configs) - len(shown),
    }


def _estimate(metric: Metric, trials: Sequence[Trial], of: Callable[[Trial], float | None]) -> str:
    found = metric.scores(trials, of)
    return text.estimate(found.median, found.interval)


def _error(metric: Metric, trials: Sequence[Trial]) -> str:
    """The median standard error of the seeds' last values."""
    known = [error for trial in trials if (error := metric.error(trial)) is not None]
    return text.number(float(np.median(known)), 2) if known else ""


def _places(
    metric: Metric, trials: Sequence[Trial], of: Callable[[Trial], tuple[int, float] | None]
) -> dict[str, Any]:
    """The values at a step of each seed's own, and the least and the greatest of these steps."""
    found = [at for trial in trials if (at := of(trial)) is not None]
    steps = [float(step) for step, _ in found]

    def value(trial: Trial) -> float | None:
        at = of(trial)
        return None if at is None else at[1]

    return {
        "n": len(found),
        "estimate": _estimate(metric, trials, value),
        "steps": text.span((min(steps), max(steps)), lambda step: text.whole(int(step))) if found else "",
    }
