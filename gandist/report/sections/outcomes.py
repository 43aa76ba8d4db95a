"""How many seeds of each configuration failed, how, when and why; and which were pruned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gandist.artifacts.statuses import Counts
from gandist.report import text

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Outcomes"
ORDER = 12

MAX_ROWS = 200
MAX_TRIALS = 12
"""Of a row."""


def build(content: Content) -> dict[str, Any] | None:
    """A row for each configuration and way of ending early; None where every trial went well so far."""
    rows = []
    for config, trials in content.merged.configs.items():
        # Whoever was pruned neither failed nor shows that the configuration can be trained.
        ended = [trial for trial in trials if trial.failed or trial.ended.is_success]
        for name, _ in text.status_counts(trial.ended.name for trial in trials):
            alike = [trial for trial in trials if trial.ended.name == name]
            if alike[0].failed:
                rows.append(_row(config, alike, text.rate(len(alike), len(ended))))
            elif alike[0].ended.counts is Counts.PRUNED:
                rows.append(_row(config, alike, f"{len(alike)} of {len(trials)}"))
    return {"rows": rows[:MAX_ROWS], "more": max(0, len(rows) - MAX_ROWS)} if rows else None


def _row(config: str, trials: Sequence[Trial], rate: str) -> dict[str, Any]:
    why: dict[tuple[int, str], list[str]] = {}
    for it in trials[:MAX_TRIALS]:
        why.setdefault((it.state.step, text.plain(it.state.reason, 300)), []).append(f"{it.seed}")
    return {
        "config": config,
        "status": trials[0].ended.name,
        "rate": rate,
        "trials": [
            {"seeds": text.listed(seeds, MAX_TRIALS), "many": len(seeds) > 1, "step": step, "reason": reason}
            for (step, reason), seeds in why.items()
        ],
        "more": max(0, len(trials) - MAX_TRIALS),
    }
