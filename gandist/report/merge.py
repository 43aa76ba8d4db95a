"""Every trial of a job side by side: their states in one table, their losses in another.

Nothing here trusts the directory: it may be of a job that runs, of one that was killed, or a stranger's.
What cannot be used is left out, never guessed, and ``warnings`` says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeGuard

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir, TrialState
from gandist.errors import StorageError

READERS = 16  # trials read at a time: over s3:// the waiting is the cost
UNREADABLE = "unreadable"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=,+-]{0,199}")  # no slash: an id becomes a path
_INT64 = 2**63


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
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merged:
    """All trials that the manifest lists, in its order."""

    members: tuple[Trial, ...]
    warnings: tuple[str, ...]
    """What was left out, and what is missing, one line each."""
    manifest: Mapping[str, Any]
    """As it stands in ``manifest.json``."""

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
    listed, warnings = _listed(manifest)
    with ThreadPoolExecutor(READERS) as pool:
        members = tuple(pool.map(partial(_read_trial, job_dir), listed))
    return Merged(members, (*warnings, *(line for member in members for line in member.warnings)), manifest)


def merge_trials(job_dir: JobDir) -> pa.Table:
    """One row a trial, in the manifest's order: schema ``tables.TRIALS``. Raises like ``merge_job``."""
    return merge_job(job_dir).trials


def merge_losses(job_dir: JobDir) -> pa.Table:
    """One row a trial and step, each once, sorted: schema ``tables.LOSSES``. Raises like ``merge_job``."""
    return merge_job(job_dir).losses


def _listed(manifest: Mapping[str, Any]) -> tuple[list[tuple[str, str, int]], list[str]]:
    """``(id, config, seed)`` of each trial of the manifest, and a warning for each entry that is none."""
    entries = manifest.get("trials")
    found: dict[str, tuple[str, str, int]] = {}
    warnings = []
    for position, entry in enumerate(entries if isinstance(entries, list) else []):
        entry = entry if isinstance(entry, dict) else {}
        trial, config, seed = entry.get("id"), entry.get("config"), entry.get("seed")
        if not (_is_name(trial) and _is_name(config) and type(seed) is int and 0 <= seed < _INT64):
            warnings.append(f"manifest.json: trials[{position}] is not an id, a config and a seed: left out")
        elif trial in found:
            warnings.append(f"manifest.json: {trial} is listed twice: read once")
        else:
            found[trial] = (trial, config, seed)
    return list(found.values()), warnings


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _read_trial(job_dir: JobDir, listed: tuple[str, str, int]) -> Trial:
    trial, config, seed = listed
    directory = job_dir.trial(trial)
    losses, warnings = _read_losses(directory)
    state = _read_state(directory)
    if state is None:
        warnings.insert(0, f"{trial}: state.json is not a trial's state")
        return Trial(trial, config, seed, UNREADABLE, TrialState(), losses, tuple(warnings))
    if state.status == "completed" and losses.num_rows:
        last = losses["step"][-1].as_py()
        if last < state.step:
            warnings.append(f"{trial}: losses end at step {last:,} of {state.step:,}")
    return Trial(trial, config, seed, state.status, state, losses, tuple(warnings))


def _read_state(directory: TrialDir) -> TrialState | None:
    """The trial's state, or None where it is not one or holds counts that no table can."""
    try:
        state = directory.read_state()
    except StorageError:
        return None
    counts = state.attempts, state.step, state.total_steps, state.replicas
    return state if all(0 <= count < _INT64 for count in counts) else None


def _read_losses(directory: TrialDir) -> tuple[pa.Table, list[str]]:
    """The rows of all parts, each step once: where two parts hold a step, the later one counts."""
    parts, warnings = [], []
    for _, _, path in directory.losses_parts():
        try:
            part = tables.decode(directory.storage.read(path), tables.LOSSES, path)
        except (StorageError, FileNotFoundError):
            warnings.append(f"{directory.id}: {path} is torn or is no table of losses: left out")
            continue
        if not part.num_rows:
            warnings.append(f"{directory.id}: {path} is empty: left out")
            continue
        if part["step"].null_count or part["trial"].unique().to_pylist() != [directory.id]:
            warnings.append(f"{directory.id}: {path} has rows of another trial or without a step: left out")
            continue
        parts.append(part)
    rows = _each_step_once(pa.concat_tables(parts)) if parts else tables.LOSSES.empty_table()
    return rows, [*warnings, *_gaps(directory.id, rows["step"].to_numpy())]


def _each_step_once(rows: pa.Table) -> pa.Table:
    steps = rows["step"].to_numpy()
    if np.all(steps[1:] > steps[:-1]):
        return rows
    order = np.argsort(steps, kind="stable")  # stable: of equal steps the one written last stays last
    ordered = steps[order]
    return rows.take(order[np.append(ordered[1:] != ordered[:-1], True)])


def _gaps(trial: str, steps: np.ndarray) -> list[str]:
    """One line that names the steps missing before the last one, the first gaps in full."""
    before = np.concatenate([[0], steps[:-1]])
    at = np.flatnonzero(steps > before + 1)
    if not at.size:
        return []
    spans = [f"{before[i] + 1:,} to {steps[i] - 1:,}" for i in at[:3]]
    more = f" and {at.size - 3:,} more gaps" if at.size > 3 else ""
    return [f"{trial}: losses of steps {', '.join(spans)}{more} are missing"]
