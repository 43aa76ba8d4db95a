"""The Parquet tables of a job: their schemas, and rows in and out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gandist.errors import StorageError
from gandist.printable import one_line
from gandist.spec.renamed import todays_metric

MAX_BYTES = 2**30
"""Of a table in memory, where nothing smaller is expected."""
ROW = 64
"""Bytes that a row takes in memory at least."""

Rows = Mapping[str, Any]
"""Columns by name: arrays of one length; a scalar fills its whole column."""

_TRIAL = [("trial", pa.string()), ("config", pa.string()), ("seed", pa.int64())]

LOSSES = pa.schema(
    [
        *_TRIAL,
        ("step", pa.int64()),
        ("epoch", pa.float64()),
        ("kimg", pa.float64()),
        ("d_loss", pa.float32()),
        ("g_loss", pa.float32()),
        ("d_real", pa.float32()),
        ("d_fake", pa.float32()),
        ("d_grad_norm", pa.float32()),
        ("g_grad_norm", pa.float32()),
        ("wall_time", pa.float64()),
    ]
)
"""What every table of losses has, one row a step. ``step`` counts from 1; ``d_loss`` is without regularizers;
``d_real``, ``d_fake`` are the discriminator's mean outputs: probabilities under a cross-entropy, else scores;
``wall_time`` (Unix seconds) is the one column that no two runs share. Before it stand the trial's other
figures (``losses_schema``), null in steps that have not computed them."""

FIRST_FIGURES = ("d_loss_fake", "d_loss_real", "penalty")
"""Those of trials whose state names none: of a version in which all had these."""
FIGURE = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_FIGURES = 100


def losses_schema(figures: Iterable[str]) -> pa.Schema:
    """``LOSSES`` with the columns of other figures, float32, by the alphabet."""
    *fields, last = LOSSES
    other = sorted(set(figures) - set(LOSSES.names))
    return pa.schema([*fields, *(pa.field(name, pa.float32()) for name in other), last])


OUTPUTS = pa.schema(
    [
        *_TRIAL,
        ("step", pa.int64()),
        ("kind", pa.string()),
        ("output", pa.float32()),
    ]
)
"""What the discriminator of a finished trial says, one row an image; ``kind`` is one of ``OUTPUT_KINDS``;
``output`` is a probability under a cross-entropy, else a score."""

OUTPUT_KINDS = ("real", "held_out", "generated")
"""Images that it was trained on, real ones that it has never seen (where there are any), generated ones."""

METRICS = pa.schema(
    [
        *_TRIAL,
        ("step", pa.int64()),
        ("epoch", pa.float64()),
        ("kimg", pa.float64()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("error", pa.float64()),
        ("floor", pa.float64()),
        ("lower_is_better", pa.bool_()),
        ("features", pa.string()),
        ("split", pa.string()),
        ("samples", pa.int64()),
        ("weights", pa.string()),
        ("protocol", pa.string()),
        ("wall_time", pa.float64()),
    ]
)
"""One row an evaluation and value. ``error`` is its standard error and ``floor`` what a perfect generator
would have, null where they are not known; ``split`` is one of ``SPLITS``; ``samples`` were generated, by
``weights`` that are ``live`` or ``averaged``. ``protocol`` says in words what was compared with what: values
of different protocols are not comparable."""

SELECTION = "selection"
SPLITS = ("held_out", "training", SELECTION)
"""The real images of a row: held-out ones, training ones where none are, or those by which the best
checkpoint is chosen, which no report counts."""

_LATER = ("error", "floor", "features", "split", "samples", "weights")
"""Columns of ``METRICS`` that earlier versions did not write."""

TRIALS = pa.schema(
    [
        *_TRIAL,
        ("status", pa.string()),
        ("reason", pa.string()),
        ("attempts", pa.int64()),
        ("step", pa.int64()),
        ("total_steps", pa.int64()),
        ("kimg", pa.float64()),
        ("train_s", pa.float64()),
        ("images_per_s", pa.float64()),
        ("compile_s", pa.float64()),
        ("device", pa.string()),
        ("replicas", pa.int64()),
        ("host", pa.string()),
        ("started_at", pa.float64()),
        ("updated_at", pa.float64()),
        ("notes", pa.string()),
    ]
)
"""One row a trial, with how it ended; ``notes`` are joined with ``; ``."""

FORMAT: Mapping[str, Any] = {
    "compression": "zstd",
    "use_dictionary": ["trial", "config", "metric", "features", "split", "weights", "protocol"],
}
"""Of the Parquet files: of numbers that hardly repeat, a dictionary takes time and saves nothing."""


class TooLargeError(StorageError):
    """The table takes more memory than it may."""


def encode(rows: Rows, schema: pa.Schema) -> bytes:
    """``rows`` as a Parquet file of ``schema``.

    Raises:
        KeyError: a column is missing.
    """
    length = max(len(column) for column in rows.values() if np.ndim(column))
    columns = [
        pa.array(
            rows[field.name] if np.ndim(rows[field.name]) else [rows[field.name]] * length, type=field.type
        )
        for field in schema
    ]
    return encode_table(pa.table(columns, schema=schema))


def encode_table(table: pa.Table) -> bytes:
    """``table`` as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **FORMAT)
    return buffer.getvalue()


class LossesFile:
    """Writes tables of losses as one Parquet file without holding more than a group of rows.

    Args:
        sink: a file that is open for writing.
        schema: of ``losses_schema``; what a table lacks of it is null.
    """

    GROUP = 2**17
    """Rows of a group."""

    def __init__(self, sink: pa.NativeFile, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(sink, schema, **FORMAT)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """Append the rows of a table of losses."""
        self._waiting.append(conformed(rows, self._schema))
        self._rows += rows.num_rows
        if self._rows >= self.GROUP:
            self._write()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if self._rows:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=self._rows)
        self._waiting, self._rows = [], 0


def conformed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of ``schema``; null where ``rows`` has none."""
    return pa.table(
        [
            rows[field.name] if field.name in rows.schema.names else pa.nulls(rows.num_rows, field.type)
            for field in schema
        ],
        schema=schema,
    )


def decode(content: bytes, schema: pa.Schema, where: str, most: int = MAX_BYTES) -> pa.Table:
    """The table in a Parquet file, which may be torn, or a stranger's.

    Args:
        content: the file's bytes.
        schema: what it must have.
        where: the file's name, for the error.
        most: bytes that it may take in memory.

    Raises:
        TooLargeError: it says that it takes more.
        StorageError: it is not Parquet, or of another schema.
    """
    return _decoded(content, lambda _: schema, where, most)


def decode_metrics(content: bytes, where: str, most: int = MAX_BYTES) -> pa.Table:
    """A table of ``METRICS``; one of an earlier version with today's names, and nulls for what it lacks.

    Arguments and errors as of ``decode``.
    """

    def schema(found: pa.Schema) -> pa.Schema:
        return pa.schema(
            [field for field in METRICS if field.name in found.names or field.name not in _LATER]
        )

    rows = conformed(_decoded(content, schema, where, most), METRICS)
    known = zip(*(rows[name].to_pylist() for name in ("metric", "features")), strict=True)
    renamed = [(metric, features) if features else todays_metric(metric) for metric, features in known]
    for place, name in enumerate(("metric", "features")):
        at, values = METRICS.get_field_index(name), [pair[place] for pair in renamed]
        rows = rows.set_column(at, METRICS.field(at), pa.array(values, pa.string()))
    return rows


def decode_losses(content: bytes, where: str, most: int = MAX_BYTES) -> pa.Table:
    """A table of losses with whatever figures it has. Arguments and errors as of ``decode``."""
    return _decoded(content, lambda found: losses_schema(_figures(found)), where, most)


def _figures(found: pa.Schema) -> list[str]:
    """The other figures that a file has, which may be a stranger's."""
    names = [field.name for field in found if field.name not in LOSSES.names]
    if len(names) > MAX_FIGURES or not all(map(FIGURE.fullmatch, names)):
        raise ValueError("columns that are no figures")
    return names


def _decoded(content: bytes, schema_of: Callable[[pa.Schema], pa.Schema], where: str, most: int) -> pa.Table:
    expected: list[str] = LOSSES.names[:4]
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        if _unpacked(file.metadata) > most or len(content) > most:
            raise TooLargeError(f"{where}: takes more than {most:,} bytes in memory")
        schema = schema_of(file.schema_arrow)
        expected = schema.names[:4]
        # In one thread: trials are read at the same time.
        rows = file.read(columns=schema.names, use_threads=False)
        if not rows.schema.equals(schema):
            rows = rows.select(schema.names).cast(schema)
        rows.validate(full=True)  # text that is no text
    except (pa.ArrowException, KeyError, OSError, ValueError, MemoryError, OverflowError) as error:
        raise StorageError(
            f"{where}: not a table of {', '.join(expected)}, ...: {one_line(error)}"
        ) from error
    return rows


def _unpacked(metadata: pq.FileMetaData) -> int:
    """How large a Parquet file says it is, unpacked."""
    groups = (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    # Of a column that repeats itself there are next to no bytes: its rows count as well.
    return int(max(sum(groups), ROW * metadata.num_rows))
