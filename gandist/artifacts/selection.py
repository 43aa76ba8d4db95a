"""The best evaluation of a trial, by rows that no report counts: choosing apart from reporting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gandist.artifacts.tables import SELECTION


@dataclass(frozen=True)
class Best:
    """The best evaluation.

    Attributes:
        step: after which it was made.
        value: of the metric that chooses.
        behind: evaluations since then, none of which was better.
    """

    step: int
    value: float
    behind: int


def best(rows: Sequence[Mapping[str, Any]], metric: str) -> Best | None:
    """The best of a trial's evaluations: a function of its rows alone, so the same after any interruption.

    Of equal ones it is the earliest; NaN is never it. Rows that another protocol gave before the newest one
    do not count.

    Args:
        rows: of ``tables.METRICS``, in the order of steps.
        metric: the value that decides, as ``metrics.headline`` names it.

    Returns:
        None where nothing was measured that could be best.
    """
    chosen = [row for row in rows if row["split"] == SELECTION and row["metric"] == metric]
    comparable = [row for row in chosen if row["protocol"] == chosen[-1]["protocol"]]
    found = None
    for place, row in enumerate(comparable):
        if not math.isnan(row["value"]) and (found is None or _is_better(row, comparable[found])):
            found = place
    if found is None:
        return None
    return Best(comparable[found]["step"], comparable[found]["value"], len(comparable) - 1 - found)


def _is_better(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    lower: bool = row["value"] < other["value"]
    return lower if row["lower_is_better"] else bool(row["value"] > other["value"])
