"""Every trial of a job side by side: their states in one table, their losses in another.

Nothing here trusts the directory: it may be of a job that runs, of one that was killed, or a stranger's.
What cannot be used is left out, never guessed, and ``warnings`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialState
from gandist.artifacts.manifest import ListedTrial, Manifest
from gandist.report.reading import read_losses, read_metrics, read_outputs, read_state

READERS = 16  # trials read at a time: over s3:// the waiting is the cost
UNREADABLE = "unreadable"
UNSTABLE = ("diverged", "collapsed")


@dataclass(frozen=True)
class Trial:
    """One trial as it lies in storage."""

    id: str
    config: str
    seed: int
    status: str
    """``state.status``, or ``unreadable`` where the state is not one."""
    state: TrialState
    losses: pa.Table
    """Schema ``tables.LOSSES``, one row a step, in the order of steps."""
    metrics: pa.Table = field(default_factory=tables.METRICS.empty_table)
    """Schema ``tables.METRICS``, one row an evaluation, metric and protocol, in the order of steps."""
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What the discriminator says at the end of ``real`` and ``generated`` images, each float64 ``[n]``."""
    warnings: tuple[str, ...] = ()

    @cached_property
    def unstable(self) -> str:
        """``diverged`` or ``collapsed``; empty for a trial that is neither."""
        if self.status in UNSTABLE:
            return self.status
        losses = (self.losses[name].to_numpy() for name in ("d_loss", "g_loss"))
        return "" if all(np.isfinite(column).all() for column in losses) else "diverged"


@dataclass(frozen=True)
class Merged:
    """All trials that the manifest lists, in its order."""

    members: tuple[Trial, ...]
    warnings: tuple[str, ...]
    """What was left out, and what is missing, one line each."""
    manifest: Manifest

    @cached_property
    def trials(self) -> pa.Table:
        """Schema ``tables.TRIALS``: one row a trial."""
        rows = [
            {**member.state.model_dump(), "trial": member.id, "config": member.config, "seed": member.seed}
            | {"status": member.status, "notes": "; ".join(member.state.notes)}
            for member in self.members
        ]
        columns = {name: [row[name] for row in rows] for name in tables.TRIALS.names}
        return pa.table(columns, schema=tables.TRIALS)

    @cached_property
    def losses(self) -> pa.Table:
        """Schema ``tables.LOSSES``: one row a trial and step, by the order of trials, then of steps."""
        return pa.concat_tables([member.losses for member in self.members] or [tables.LOSSES.empty_table()])

    @cached_property
    def metrics(self) -> pa.Table:
        """Schema ``tables.METRICS``: by the order of trials, then of steps, then of metrics."""
        return pa.concat_tables([member.metrics for member in self.members] or [tables.METRICS.empty_table()])

    @cached_property
    def configs(self) -> dict[str, tuple[Trial, ...]]:
        """The trials of each configuration, both in the manifest's order."""
        found: dict[str, list[Trial]] = {}
        for member in self.members:
            found.setdefault(member.config, []).append(member)
        return {config: tuple(members) for config, members in found.items()}


def merge_job(job_dir: JobDir) -> Merged:
    """Read every trial that the job's manifest lists.

    Raises:
        NotAJobError: the directory has no manifest.
        StorageError: the storage refused to list a directory.
    """
    manifest = job_dir.read_manifest()
    warnings = [f"manifest.json: {problem}" for problem in manifest.problems]
    with ThreadPoolExecutor(READERS) as pool:
        members = tuple(pool.map(partial(_read_trial, job_dir), manifest.trials))
    return Merged(members, (*warnings, *(line for member in members for line in member.warnings)), manifest)


def merge_trials(job_dir: JobDir) -> pa.Table:
    """One row a trial, in the manifest's order: schema ``tables.TRIALS``. Raises like ``merge_job``."""
    return merge_job(job_dir).trials


def merge_losses(job_dir: JobDir) -> pa.Table:
    """One row a trial and step, each once, sorted: schema ``tables.LOSSES``. Raises like ``merge_job``."""
    return merge_job(job_dir).losses


def _read_trial(job_dir: JobDir, listed: ListedTrial) -> Trial:
    trial, config, seed = listed.id, listed.config, listed.seed
    directory = job_dir.trial(trial)
    losses, warnings = read_losses(directory)
    metrics, of_metrics = read_metrics(directory)
    outputs, of_outputs = read_outputs(directory)
    warnings += of_metrics + of_outputs
    state = read_state(directory)
    if state is None:
        warnings.insert(0, f"{trial}: state.json is not a trial's state")
    elif state.status == "completed" and losses.num_rows:
        last = losses["step"][-1].as_py()
        if last < state.step:
            warnings.append(f"{trial}: losses end at step {last:,} of {state.step:,}")
    status = UNREADABLE if state is None else state.status
    return Trial(
        trial, config, seed, status, state or TrialState(), losses, metrics, outputs, tuple(warnings)
    )
