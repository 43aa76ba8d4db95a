"""A trial's files, but for its losses, as tables. What cannot be used is left out, and a warning says so.

Nothing here trusts a file: it may be torn by a crash, written by another trial, or a stranger's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.errors import StorageError
from gandist.report.statistics import Series

MAX_BYTES = 32 * 2**20
"""Of a table with a few rows an evaluation or a few thousand in all, unpacked: what is larger is none."""

Evaluated = tuple[str, bool, str]
"""A metric's name, whether lower values are better, and the protocol."""


@dataclass(frozen=True)
class Evaluations:
    """What was measured of one trial: finite values, by step.

    Attributes:
        values: those that are reported.
        errors: their standard errors, where these are known.
    """

    values: Mapping[Evaluated, Series] = field(default_factory=dict)
    errors: Mapping[Evaluated, Series] = field(default_factory=dict)


def read_state(directory: TrialDir) -> TrialState | None:
    """The trial's state, or None where it is not one."""
    try:
        return directory.read_state()
    except StorageError:
        return None


def read_metrics(directory: TrialDir) -> tuple[pa.Table, list[str]]:
    """The evaluations, by step; of two rows of a step, metric, split and protocol the later one counts."""
    needed = ("step", "metric", "lower_is_better", "protocol")
    found = [
        _read(directory, path, tables.METRICS, "metrics", needed, tables.decode_metrics)
        for path in (TrialDir.METRICS, TrialDir.EVALUATED)
    ]
    rows = pa.concat_tables([rows for rows, _ in found])
    warnings = [line for _, lines in found for line in lines]
    # Within a step, metrics stand as they were first written: the first one is the one that a job is about.
    metrics = list(dict.fromkeys(rows["metric"].to_pylist()))
    keys = list(
        zip(*(rows[name].to_pylist() for name in ("step", "metric", "split", "protocol")), strict=True)
    )
    last = {key: row for row, key in enumerate(keys)}
    order = {metric: place for place, metric in enumerate(metrics)}
    kept = sorted(last.values(), key=lambda row: (keys[row][0], order[keys[row][1]], row))
    return rows.take(pa.array(kept, pa.int64())), warnings


def evaluations(metrics: pa.Table) -> Evaluations:
    """What a table of ``read_metrics`` holds, but for what was measured to choose by."""
    names = ("metric", "lower_is_better", "protocol", "split")
    places: dict[Evaluated, list[int]] = {}
    for row, (name, lower_is_better, protocol, split) in enumerate(
        zip(*(metrics[column].to_pylist() for column in names), strict=True)
    ):
        if split != tables.SELECTION:
            places.setdefault((name, lower_is_better, protocol), []).append(row)
    steps = metrics["step"].to_numpy()
    kimg, values, errors = (_floats(metrics, name) for name in ("kimg", "value", "error"))

    def series(column: np.ndarray) -> dict[Evaluated, Series]:
        found = {}
        for evaluated, rows in places.items():
            own = np.asarray(rows)[np.isfinite(column[rows]) & np.isfinite(kimg[rows])]
            found[evaluated] = Series(steps[own], kimg[own], column[own])
        return found

    return Evaluations(series(values), series(errors))


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(table[name].to_numpy(), np.float64)


def read_outputs(directory: TrialDir) -> tuple[dict[str, np.ndarray], list[str]]:
    """The discriminator's finite outputs on each of ``tables.OUTPUT_KINDS``: float64 ``[n]``."""

    def decode(content: bytes, where: str, most: int) -> pa.Table:
        return tables.decode(content, tables.OUTPUTS, where, most)

    rows, warnings = _read(directory, TrialDir.OUTPUTS, tables.OUTPUTS, "outputs", ("kind",), decode)
    kinds = np.asarray(rows["kind"].to_pylist(), np.str_)
    with np.errstate(invalid="ignore"):  # a damaged file may hold NaNs that complain of being copied
        values = np.asarray(rows["output"].to_numpy(), np.float64)
    there = np.isfinite(values)
    return {kind: values[there & (kinds == kind)] for kind in tables.OUTPUT_KINDS}, warnings


def _read(
    directory: TrialDir,
    path: str,
    schema: pa.Schema,
    what: str,
    needed: tuple[str, ...],
    decode: Callable[[bytes, str, int], pa.Table],
) -> tuple[pa.Table, list[str]]:
    """A table of one file, empty where there is none or it is left out; ``needed`` columns have no nulls."""
    try:
        rows = decode(directory.storage.read(path, MAX_BYTES), path, MAX_BYTES)
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
