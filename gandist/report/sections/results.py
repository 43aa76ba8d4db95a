"""Where each configuration ended, over its seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report import budgets, text
from gandist.report.evaluations import counted_losses, final_losses
from gandist.report.statistics import FINAL_SHARE, summary

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Final losses"
ORDER = 50

COLUMNS = {
    "d_loss": "Discriminator loss",
    "g_loss": "Generator loss",
    "d_real": "D on real",
    "d_fake": "D on generated",
}


def build(content: Content) -> dict[str, Any] | None:
    """One row a configuration: final values over the seeds that have one, and how many those are."""
    if not any(trial.losses.rows for trial in content.merged.members):
        return None
    configs = content.merged.configs
    counted = {config: counted_losses(trials) for config, trials in configs.items()}
    rows = [
        {
            "config": config,
            "values": [summary(list(final_losses(trials, column).values())) for column in COLUMNS],
            "seeds": len(trials),
            "budget": budgets.budget(counted[config]).cells,
            "statuses": text.status_counts(trial.status for trial in trials),
        }
        for config, trials in configs.items()
    ]
    return {
        "rows": rows,
        "columns": list(COLUMNS.values()),
        "percent": round(100 * FINAL_SHARE),
        "budgets": budgets.compared(counted),
        "several": any(len(trials) > 1 for trials in configs.values()),
    }
