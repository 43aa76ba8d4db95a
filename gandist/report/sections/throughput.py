"""How fast each configuration trained, and what else took time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gandist.report import text
from gandist.report.statistics import summary

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Throughput"
ORDER = 70
MAX_PHASES = 30


def build(content: Content) -> dict[str, Any] | None:
    """One row a configuration and kind of device: rates of different devices have no common mean."""
    rows = []
    for config, trials in content.merged.configs.items():
        states = [trial.state for trial in trials if trial.state.images_per_s > 0]
        for device, replicas in dict.fromkeys((state.device, state.replicas) for state in states):
            alike = [state for state in states if (state.device, state.replicas) == (device, replicas)]
            rates = summary([state.images_per_s for state in alike])
            rows.append(
                {
                    "config": config,
                    "device": text.device(device, replicas) or text.NOTHING,
                    "rates": rates,
                    "compile_s": summary([state.compile_s for state in alike if state.compile_s > 0]),
                    "train_s": sum(state.train_s for state in alike),
                    "n": rates.n,
                }
            )
    return {"rows": rows, **_times(content)} if rows else None


def _times(content: Content) -> dict[str, Any]:
    """What the seconds of all trials went to, the largest first; and those that no trial has."""
    spent: Counter[str] = Counter()
    for trial in content.merged.members:
        spent.update(trial.state.seconds)
    total = sum(spent.values())
    return {
        "phases": [
            {"name": text.plain(phase, 60), "time": text.duration(seconds), "share": f"{seconds / total:.1%}"}
            for phase, seconds in spent.most_common(MAX_PHASES)
            if seconds > 0
        ],
        "start_s": content.manifest.start_s,
        "merge_s": content.merge_s,
    }
