"""The curves of a running job, kept from one report to the next: what has not changed is not read again.

They lie in the job directory, which may be a stranger's: what is not of the schema is read anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.storage import Storage
from gandist.errors import StorageError
from gandist.report.statistics import Series
from gandist.report.thinning import BUCKETS, COLUMNS, MAX_FIGURES, NORMS, Thinned
from gandist.report.trial import Trial

GROUP = 100
"""Trials that are encoded at a time."""

MOST = len(COLUMNS) + len(NORMS) + MAX_FIGURES
"""Curves of a trial."""

_ARRAYS = ("steps", "counts", "kimg")
_INTS, _FLOATS = pa.list_(pa.int64()), pa.list_(pa.float64())
SCHEMA = pa.schema(
    [
        ("trial", pa.string()),
        ("stamp", pa.string()),
        ("last", pa.int64()),
        ("column", pa.string()),
        ("width", pa.int64()),
        ("steps", _INTS),
        ("counts", _INTS),
        ("kimg", _FLOATS),
        ("values", _FLOATS),
        ("end_kimg", pa.float64()),
        ("end", pa.float64()),
        ("final", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)
"""One row a trial and column, those of ``thinning.COLUMNS`` first; ``steps``, ``counts`` and ``kimg`` are
null where they are those of the trial's first row; ``final``, ``low`` and ``high`` where there are none."""

_NULLABLE = (*_ARRAYS, "final", "low", "high")

Kept = Mapping[str, tuple[str, Thinned]]
"""By trial, the stamp of the parts, and what they were thinned to."""


def read(storage: Storage) -> Kept:
    """What the last report has kept; nothing where that cannot be used."""
    try:
        table = tables.decode(storage.read(JobDir.CURVES), SCHEMA, JobDir.CURVES)
        if any(table[name].null_count for name in SCHEMA.names if name not in _NULLABLE):
            return {}
        rows = itertools.chain.from_iterable(_rows(batch) for batch in table.to_batches(GROUP * len(COLUMNS)))
        by_trial = itertools.groupby(rows, key=itemgetter("trial"))
        return {trial: _thinned(list(itertools.islice(own, MOST + 1))) for trial, own in by_trial}
    except (FileNotFoundError, StorageError, ValueError, TypeError, IndexError):
        return {}


def write(storage: Storage, trials: Iterable[Trial]) -> None:
    """Keep what can be told by a stamp: whole losses without a gap, all curves of the same steps.

    Raises:
        StorageError: the storage refused.
    """
    kept = [trial for trial in trials if trial.stamp and _is_plain(trial.losses)]

    def produce(sink: pa.NativeFile) -> None:
        with pq.ParquetWriter(sink, SCHEMA, compression="zstd", use_dictionary=False) as writer:
            for first in range(0, len(kept), GROUP):
                rows = [row for trial in kept[first : first + GROUP] for row in _encoded(trial)]
                writer.write_table(pa.Table.from_pylist(rows, SCHEMA))

    storage.write_stream(JobDir.CURVES, produce)


def _is_plain(losses: Thinned) -> bool:
    curves = [losses.curves[column] for column in COLUMNS]
    counts = curves[0].counts
    return (
        losses.finite
        and not losses.gaps
        and counts is not None
        and losses.rows == losses.last == counts.sum()
        and all(it.counts is not None and np.array_equal(it.counts, counts) for it in curves)
    )


def _encoded(trial: Trial) -> Iterator[dict[str, Any]]:
    losses = trial.losses
    first = losses.curves[COLUMNS[0]]
    for column, curve in losses.curves.items():
        low, high = losses.ranges.get(column, (None, None))
        row = {"trial": trial.id, "stamp": trial.stamp, "last": losses.last, "column": column}
        row |= {"width": curve.width, "values": curve.values, "end_kimg": curve.last[0], "end": curve.last[1]}
        row |= {"final": losses.finals.get(column), "low": low, "high": high}
        if curve is first or curve.steps is not first.steps:
            row |= {name: getattr(curve, name) for name in _ARRAYS}
        yield row


def _rows(batch: pa.RecordBatch) -> Iterable[dict[str, Any]]:
    columns = {
        name: list(map(_array, batch[name]))
        if pa.types.is_list(batch[name].type)
        else batch[name].to_pylist()
        for name in SCHEMA.names
    }
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _array(item: pa.ListScalar) -> np.ndarray | None:
    return item.values.to_numpy(zero_copy_only=False).copy() if item.is_valid else None


def _thinned(rows: Sequence[dict[str, Any]]) -> tuple[str, Thinned]:
    """The stamp, and what the rows of one trial say."""
    first, names = rows[0], [row["column"] for row in rows]
    if (
        tuple(names[: len(COLUMNS)]) != COLUMNS
        or any(first[name] is None for name in _ARRAYS)
        or len(set(names)) < len(names)
        or len(names) > MOST
        or not all(map(tables.FIGURE.fullmatch, names))
    ):
        raise ValueError("not the columns of a trial")
    plain = {row["column"]: row for row in rows[: len(COLUMNS)]}
    if any(row["low"] is None or row["high"] is None for row in plain.values()):
        raise ValueError("not the ranges of a trial")
    return first["stamp"], Thinned(
        rows=first["last"],
        last=first["last"],
        curves={row["column"]: _series(row, first) for row in rows},
        finals={name: row["final"] for name, row in plain.items() if row["final"] is not None},
        ranges={name: (row["low"], row["high"]) for name, row in plain.items()},
    )


def _series(row: Mapping[str, Any], first: Mapping[str, Any]) -> Series:
    steps, counts, kimg = (first[name] if row[name] is None else row[name] for name in _ARRAYS)
    width, values = row["width"], row["values"]
    lengths = {array.size for array in (steps, counts, kimg, values)}
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
    return Series(steps, kimg, values, counts, width, (row["end_kimg"], row["end"]))
