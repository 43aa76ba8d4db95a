"""The curves of a running job, kept from one report to the next: what has not changed is not read again.

They lie in the job directory, which may be a stranger's: what is not of the schema is read anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.storage import Storage
from gandist.errors import StorageError
from gandist.report.statistics import Series
from gandist.report.thinning import BUCKETS, COLUMNS, Thinned
from gandist.report.trial import Trial

GROUP = 100
"""Trials that are encoded at a time."""

NUMBERS = ("final", "low", "high", "end")
_MEANS = pa.list_(pa.float64())
SCHEMA = pa.schema(
    [
        ("trial", pa.string()),
        ("stamp", pa.string()),
        ("last", pa.int64()),
        ("width", pa.int64()),
        ("steps", pa.list_(pa.int64())),
        ("counts", pa.list_(pa.int64())),
        ("kimg", _MEANS),
        *((column, _MEANS) for column in COLUMNS),
        *((f"{column}_{what}", pa.float64()) for column in COLUMNS for what in NUMBERS),
        ("end_kimg", pa.float64()),
    ]
)

Kept = Mapping[str, tuple[str, Thinned]]
"""By trial, the stamp of the parts, and what they were thinned to."""


def read(storage: Storage) -> Kept:
    """What the last report has kept; nothing where that cannot be used."""
    try:
        rows = tables.decode(storage.read(JobDir.CURVES), SCHEMA, JobDir.CURVES)
        if any(rows[name].null_count for name in SCHEMA.names if not name.endswith("_final")):
            return {}
        return dict(_thinned(row) for batch in rows.to_batches(GROUP) for row in _rows(batch))
    except (FileNotFoundError, StorageError, ValueError, TypeError, IndexError):
        return {}


def write(storage: Storage, trials: Iterable[Trial]) -> None:
    """Keep what can be told by a stamp: whole losses without a gap, all curves of the same steps.

    Raises:
        StorageError: the storage refused.
    """
    rows = [trial for trial in trials if trial.stamp and _is_plain(trial.losses)]

    def produce(sink: pa.NativeFile) -> None:
        with pq.ParquetWriter(sink, SCHEMA, compression="zstd", use_dictionary=False) as writer:
            for first in range(0, len(rows), GROUP):
                writer.write_table(pa.Table.from_pylist(list(map(_row, rows[first : first + GROUP])), SCHEMA))

    storage.write_stream(JobDir.CURVES, produce)


def _is_plain(losses: Thinned) -> bool:
    counts = losses.curves["d_loss"].counts
    return (
        losses.finite
        and not losses.gaps
        and counts is not None
        and losses.rows == losses.last == counts.sum()
        and all(it.counts is not None and np.array_equal(it.counts, counts) for it in losses.curves.values())
    )


def _row(trial: Trial) -> dict[str, Any]:
    losses, curve = trial.losses, trial.losses.curves["d_loss"]
    row = {"trial": trial.id, "stamp": trial.stamp, "last": losses.last, "width": curve.width}
    row |= {"steps": curve.steps, "counts": curve.counts, "kimg": curve.kimg, "end_kimg": curve.last[0]}
    for column in COLUMNS:
        low, high = losses.ranges[column]
        row |= {column: losses.curves[column].values, f"{column}_end": losses.curves[column].last[1]}
        row |= {f"{column}_final": losses.finals.get(column), f"{column}_low": low, f"{column}_high": high}
    return row


def _rows(batch: pa.RecordBatch) -> Iterable[dict[str, Any]]:
    columns = {
        name: [item.values.to_numpy(zero_copy_only=False).copy() for item in batch[name]]
        if pa.types.is_list(batch[name].type)
        else batch[name].to_pylist()
        for name in SCHEMA.names
    }
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _thinned(row: Mapping[str, Any]) -> tuple[str, tuple[str, Thinned]]:
    steps, counts, kimg = row["steps"], row["counts"], row["kimg"]
    means = [row[column] for column in COLUMNS]
    width, lengths = row["width"], {array.size for array in (steps, counts, kimg, *means)}
    if lengths != {steps.size} or not 0 < steps.size <= BUCKETS or not 0 < width < 2**62:
        raise ValueError("not the curves of a trial")
    starts = steps - 1
    increasing = starts[0] >= 0 and (np.diff(starts) > 0).all()
    if (
        width & (width - 1)
        or not increasing
        or (starts % width).any()
        or not ((counts > 0) & (counts <= width)).all()
    ):
        raise ValueError("not the curves of a trial")
    finals = {column: row[f"{column}_final"] for column in COLUMNS}
    return row["trial"], (
        row["stamp"],
        Thinned(
            rows=row["last"],
            last=row["last"],
            curves={
                column: Series(
                    steps, kimg, row[column], counts, width, (row["end_kimg"], row[f"{column}_end"])
                )
                for column in COLUMNS
            },
            finals={column: value for column, value in finals.items() if value is not None},
            ranges={column: (row[f"{column}_low"], row[f"{column}_high"]) for column in COLUMNS},
        ),
    )
