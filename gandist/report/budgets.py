"""How much training stands behind a value: thousand images, steps, seconds. Pure.

Values after unequal training are no comparison of configurations, so the budgets stand beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gandist.report import text
from gandist.report.trial import Trial

SAME = 0.01
"""Budgets this close count as equal: epochs of two batch sizes seldom end with the same image."""

MAX_GROUPS = 6
MAX_NAMES = 3

Range = tuple[float, float]
Counted = Mapping[str, Sequence[Trial]]
"""By configuration, the trials whose values are compared."""


@dataclass(frozen=True)
class Budget:
    """The least and the most that any of some trials was trained; None where that is not known."""

    kimg: Range | None
    steps: Range | None
    seconds: Range | None
    """In training steps, over all attempts."""

    @property
    def cells(self) -> dict[str, str]:
        """As text."""
        return {
            "kimg": text.span(self.kimg, text.number),
            "steps": text.span(self.steps, lambda value: text.whole(int(value))),
            "seconds": text.span(self.seconds, text.duration),
        }


def budget(trials: Iterable[Trial]) -> Budget:
    """Of any one of ``trials``."""
    states = [trial.state for trial in trials]
    return Budget(
        _range(state.kimg for state in states),
        _range(float(state.step) for state in states),
        _range(state.train_s for state in states),
    )


def differ(counted: Counted) -> bool:
    """Whether some trials were shown more images than others."""
    return not _alike(_all(counted).kimg)


def compared(counted: Counted) -> dict[str, Any]:
    """The context of ``_budgets.html``."""
    groups: dict[str, list[str]] = {}
    order: dict[str, float] = {}
    for config, trials in counted.items():
        own = budget(trials)
        if own.kimg is not None:
            shown = own.cells["kimg"]
            groups.setdefault(shown, []).append(config)
            order[shown] = own.kimg[1]
    whole = _all(counted)
    listed = sorted(groups, key=order.__getitem__, reverse=True)
    states = [trial.state for trials in counted.values() for trial in trials]
    devices = dict.fromkeys(text.device(state.device, state.replicas) for state in states if state.device)
    return {
        "differ": differ(counted),
        "groups": [
            {"kimg": shown, "configs": groups[shown][:MAX_NAMES], "more": len(groups[shown][MAX_NAMES:])}
            for shown in listed[:MAX_GROUPS]
        ],
        "more": max(0, len(listed) - MAX_GROUPS),
        "steps": whole.cells["steps"] if whole.steps and _alike(whole.steps) else "",
        "devices": list(devices)[:MAX_GROUPS] if len(devices) > 1 else [],
    }


def least(counted: Counted) -> float | None:
    """The most kimg that all trials have reached."""
    kimg = _all(counted).kimg
    return kimg[0] if kimg else None


def _all(counted: Counted) -> Budget:
    return budget(trial for trials in counted.values() for trial in trials)


def _alike(values: Range | None) -> bool:
    return values is None or values[1] <= values[0] * (1 + SAME)


def _range(values: Iterable[float]) -> Range | None:
    known = [value for value in values if math.isfinite(value) and value > 0]
    return (min(known), max(known)) if known else None
