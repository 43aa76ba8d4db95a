"""How far the generated images are from the data, in the course of training and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report import budgets, text
from gandist.report.drawing import figures
from gandist.report.evaluations import Metric, best_over_time, measured
from gandist.report.plots import prepare
from gandist.report.statistics import summary

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Distance to the data"
ORDER = 25

MAX_METRICS = 6


def build(content: Content) -> dict[str, Any] | None:
    """The curves of each metric, a table of where they ended and of the best on the way, and the protocol."""
    found = measured(content.merged)
    if not found:
        return None
    metrics = found[:MAX_METRICS]
    rows = prepare(
        content.merged, {f"{metric.title}, {metric.direction}": metric.series for metric in metrics}
    )
    counted = {config: metrics[0].counted(trials) for config, trials in content.merged.configs.items()}
    protocols = dict.fromkeys(metric.protocol for metric in metrics)
    return {
        **(figures(content.merged, rows, "metrics") or {"rows": []}),
        "metrics": [metric.title for metric in metrics],
        "protocols": [
            {
                "text": text.plain(protocol, 600),
                "of": [metric.title for metric in metrics if metric.protocol == protocol]
                if len(protocols) > 1
                else [],
            }
            for protocol in protocols
        ],
        "table": [
            {
                "config": config,
                "seeds": len(trials),
                "budget": budgets.budget(counted[config]).cells,
                "values": [_values(metric, trials) for metric in metrics],
            }
            for config, trials in content.merged.configs.items()
        ],
        "budgets": budgets.compared(counted),
        "several": any(len(trials) > 1 for trials in content.merged.configs.values()),
        "more": len(found) - len(metrics),
    }


def _values(metric: Metric, trials: tuple[Trial, ...]) -> dict[str, Any]:
    best = best_over_time(metric, trials)
    return {
        "final": summary(list(metric.finals(trials).values())),
        "best": best.values,
        "first": best.steps[0],
        "last": best.steps[1],
    }
