"""One trial's files as tables. What cannot be used is left out, and a warning line says so.

Nothing here trusts a file: it may be torn by a crash, written by another trial, or a stranger's.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import TrialDir, TrialState
from gandist.errors import StorageError

MAX_BYTES = 32 * 2**20
"""Of a table with a few rows an evaluation or a few thousand in all, unpacked: what is larger is none."""
MAX_PART = 256 * 2**20
"""Bytes of a part of the losses: half a minute's steps."""
KINDS = ("real", "generated")


def read_state(directory: TrialDir) -> TrialState | None:
    """The trial's state, or None where it is not one."""
    try:
        return directory.read_state()
    except StorageError:
        return None


def read_losses(directory: TrialDir) -> tuple[pa.Table, list[str]]:
    """The rows of all parts, each step once: where two parts hold a step, the later one counts."""
    parts, warnings = [], []
    try:
        listed = directory.losses_parts()
    except StorageError as error:
        return tables.LOSSES.empty_table(), [f"{directory.id}: losses cannot be listed: {error}"]
    for _, _, path in listed:
        try:
            part = tables.decode(directory.storage.read(path, MAX_PART), tables.LOSSES, path)
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


def read_metrics(directory: TrialDir) -> tuple[pa.Table, list[str]]:
    """The evaluations, by step; of two rows of one step, metric and protocol the later one counts."""
    needed = ("step", "metric", "lower_is_better", "protocol")
    rows, warnings = _read(directory, TrialDir.METRICS, tables.METRICS, "metrics", needed)
    # Within a step, metrics stand as they were first written: the first one is the one that a job is about.
    metrics = list(dict.fromkeys(rows["metric"].to_pylist()))
    keys = list(zip(*(rows[name].to_pylist() for name in ("step", "metric", "protocol")), strict=True))
    last = {key: row for row, key in enumerate(keys)}
    order = {metric: place for place, metric in enumerate(metrics)}
    kept = sorted(last.values(), key=lambda row: (keys[row][0], order[keys[row][1]], row))
    return rows.take(pa.array(kept, pa.int64())), warnings


def read_outputs(directory: TrialDir) -> tuple[dict[str, np.ndarray], list[str]]:
    """The discriminator's finite outputs on ``real`` and ``generated`` images, float64 ``[n]`` each."""
    rows, warnings = _read(directory, TrialDir.OUTPUTS, tables.OUTPUTS, "outputs", ("kind",))
    kinds = np.asarray(rows["kind"].to_pylist(), np.str_)
    with np.errstate(invalid="ignore"):  # a damaged file may hold NaNs that complain of being copied
        values = np.asarray(rows["output"].to_numpy(), np.float64)
    there = np.isfinite(values)
    return {kind: values[there & (kinds == kind)] for kind in KINDS}, warnings


def _read(
    directory: TrialDir, path: str, schema: pa.Schema, what: str, needed: tuple[str, ...]
) -> tuple[pa.Table, list[str]]:
    """A table of one file, empty where there is none or it is left out; ``needed`` columns have no nulls."""
    try:
        rows = tables.decode(directory.storage.read(path, MAX_BYTES), schema, path, MAX_BYTES)
    except FileNotFoundError:
        return schema.empty_table(), []
    except tables.TooLargeError:
        problem = "is too large"
    except StorageError:
        problem = f"is torn or is no table of {what}"
    else:
        if rows["trial"].unique().to_pylist() not in ([], [directory.id]):
            problem = "has rows of another trial"
        elif any(rows[name].null_count for name in needed):
            problem = f"has rows without {' or '.join(needed)}"
        else:
            return rows, []
    return schema.empty_table(), [f"{directory.id}: {path} {problem}: left out"]


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
