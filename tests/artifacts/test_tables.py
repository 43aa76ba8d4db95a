"""The Parquet tables: one schema, and a clear word for what is not of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gandist.artifacts import tables
from gandist.errors import StorageError


def rows(steps: int = 3) -> dict[str, Any]:
    columns: dict[str, Any] = {name: np.arange(steps, dtype=np.float32) for name in tables.LOSSES.names}
    return columns | {"trial": "base-seed0", "config": "base", "seed": 0, "step": np.arange(1, steps + 1)}


def test_rows_come_back_as_they_were() -> None:
    table = tables.decode(tables.encode(rows(), tables.LOSSES), tables.LOSSES, "part")
    assert table.schema == tables.LOSSES
    assert table["trial"].to_pylist() == ["base-seed0"] * 3
    assert table["step"].to_pylist() == [1, 2, 3]
    assert table["d_loss"].to_pylist() == [0.0, 1.0, 2.0]


def test_a_missing_column_is_an_error() -> None:
    incomplete = rows()
    del incomplete["g_loss"]
    with pytest.raises(KeyError, match="g_loss"):
        tables.encode(incomplete, tables.LOSSES)


def test_a_train_step_computes_the_columns_between_the_clock_and_the_progress() -> None:
    assert tables.STEP_METRICS[0] == "d_loss"
    assert tables.STEP_METRICS[-1] == "g_grad_norm"
    assert "wall_time" not in tables.STEP_METRICS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not Parquet",
        tables.encode(rows(), tables.LOSSES)[:-30],
        tables.encode_table(pa.table({"step": [1, 2]})),
        tables.encode_table(pa.table({name: ["x"] for name in tables.LOSSES.names})),
    ],
    ids=["empty", "text", "torn", "columns missing", "other types"],
)
def test_what_is_no_such_table_is_named_in_one_line(content: bytes) -> None:
    with pytest.raises(StorageError) as error:
        tables.decode(content, tables.LOSSES, "losses/part-1.parquet")
    assert str(error.value).startswith("losses/part-1.parquet: ")
    assert "\n" not in str(error.value)


def test_losses_are_written_in_groups_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.LossesFile, "GROUP", 5)
    sink = pa.BufferOutputStream()
    file = tables.LossesFile(sink)
    piece = tables.decode(tables.encode(rows(), tables.LOSSES), tables.LOSSES, "part")
    for _ in range(3):
        file.add(piece)
    file.close()
    written = pq.ParquetFile(pa.BufferReader(sink.getvalue()))
    assert [written.metadata.row_group(i).num_rows for i in range(written.num_row_groups)] == [6, 3]
    assert written.read().equals(pa.concat_tables([piece] * 3))


def test_a_file_of_no_losses_is_a_table() -> None:
    sink = pa.BufferOutputStream()
    tables.LossesFile(sink).close()
    assert tables.decode(sink.getvalue(), tables.LOSSES, "") == tables.LOSSES.empty_table()
