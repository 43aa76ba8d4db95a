"""What has happened in a job, told from what lies in its directory: newest first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import pyarrow.compute as pc

from gandist.artifacts.driver import Holder
from gandist.artifacts.statuses import MEANINGS
from gandist.artifacts.tables import SELECTION
from gandist.report import text
from gandist.report.merge import Merged

MOST = 200
MOST_VALUES = 6
"""Of one evaluation."""
LATEST = 1e11


@dataclass(frozen=True)
class Entry:
    """One event."""

    at: float
    """Unix time."""
    trial: str
    """Empty for the job's own."""
    what: str
    status: str = ""
    """That the trial has had since."""


def entries(merged: Merged, holder: Holder | None) -> list[Entry]:
    """The last ``MOST`` events."""
    found = [*_of_job(merged, holder), *_of_trials(merged), *_evaluations(merged)]
    known = [entry for entry in found if math.isfinite(entry.at) and 0 < entry.at < LATEST]
    return sorted(known, key=lambda entry: (-entry.at, entry.trial))[:MOST]


def _of_job(merged: Merged, holder: Holder | None) -> Iterator[Entry]:
    if merged.manifest.created_at is not None:
        yield Entry(merged.manifest.created_at.timestamp(), "", "job created")
    if holder is not None:
        yield Entry(holder.started_at, "", f"run by process {holder.pid} on {holder.host}")


def _of_trials(merged: Merged) -> Iterator[Entry]:
    for trial in merged.members:
        state = trial.state
        if state.started_at:
            where = " on ".join(filter(None, (state.device, state.host)))
            yield Entry(state.started_at, trial.id, "started" + (f": {where}" if where else ""))
        meaning = MEANINGS[trial.status]
        if meaning.final or trial.status in ("stopped", "paused"):
            reason = f": {text.plain(state.reason, 400)}" if state.reason else ""
            what = f"{text.status(trial.status)} at step {state.step:,}{reason}"
            yield Entry(state.updated_at, trial.id, what, trial.status)


def _evaluations(merged: Merged) -> Iterator[Entry]:
    rows = merged.metrics.sort_by([("wall_time", "descending")]).slice(0, MOST * MOST_VALUES)
    rows = rows.filter(pc.fill_null(pc.not_equal(rows["split"], SELECTION), True))
    names = ("trial", "step", "wall_time", "metric", "value")
    listed = list(zip(*(rows[name].to_pylist() for name in names), strict=True))
    listed = [row for row in listed if row[2] is not None]
    for (trial, step), of_step in groupby(sorted(listed), key=lambda row: row[:2]):
        values = list(of_step)
        shown = ", ".join(f"{text.plain(row[3], 40)} {text.number(row[4])}" for row in values[:MOST_VALUES])
        yield Entry(max(row[2] for row in values), trial, f"step {step:,}: {shown}")
