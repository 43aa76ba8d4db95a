"""The Parquet tables of a job: their schemas, and rows in and out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gandist.errors import StorageError
from gandist.printable import one_line

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
        ("d_loss_real", pa.float32()),
        ("d_loss_fake", pa.float32()),
        ("g_loss", pa.float32()),
        ("d_real", pa.float32()),
        ("d_fake", pa.float32()),
        ("penalty", pa.float32()),
        ("d_grad_norm", pa.float32()),
        ("g_grad_norm", pa.float32()),
        ("wall_time", pa.float64()),
    ]
)
"""One row a step. ``step`` counts from 1; ``d_loss`` is without the penalty; ``d_real``, ``d_fake`` are the
discriminator's mean outputs: probabilities under a cross-entropy, else scores; ``penalty`` is null in a step
that had none of a lazy one; ``wall_time`` (Unix seconds) is the one column that no two runs share."""

STEP_METRICS = tuple(LOSSES.names[LOSSES.get_field_index("d_loss") : LOSSES.get_field_index("wall_time")])
"""The columns that a train step computes, in their order."""

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
        ("lower_is_better", pa.bool_()),
        ("protocol", pa.string()),
        ("wall_time", pa.float64()),
    ]
)
"""One row an evaluation and metric; ``protocol`` says what was compared with what: values of different
protocols are not comparable."""

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
    "use_dictionary": ["trial", "config", "metric", "protocol"],
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
    """Writes rows of ``LOSSES`` as one Parquet file without holding more than a group of them.

    Args:
        sink: a file that is open for writing.
    """

    GROUP = 2**17
    """Rows of a group."""

    def __init__(self, sink: pa.NativeFile) -> None:
        self._writer = pq.ParquetWriter(sink, LOSSES, **FORMAT)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def add(self, rows: pa.Table) -> None:
        """Append rows, schema ``LOSSES``."""
        self._waiting.append(rows)
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
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        if _unpacked(file.metadata) > most or len(content) > most:
            raise TooLargeError(f"{where}: takes more than {most:,} bytes in memory")
        # In one thread: trials are read at the same time.
        rows = file.read(columns=schema.names, use_threads=False)
        if not rows.schema.equals(schema):
            rows = rows.select(schema.names).cast(schema)
        rows.validate(full=True)  # text that is no text
    except (pa.ArrowException, KeyError, OSError, ValueError, MemoryError, OverflowError) as error:
        names = ", ".join(schema.names[:4])
        raise StorageError(f"{where}: not a table of {names}, ...: {one_line(error)}") from error
    return rows


def _unpacked(metadata: pq.FileMetaData) -> int:
    """How large a Parquet file says it is, unpacked."""
    groups = (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    # Of a column that repeats itself there are next to no bytes: its rows count as well.
    return int(max(sum(groups), ROW * metadata.num_rows))
