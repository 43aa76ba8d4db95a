"""The Parquet tables: one schema, and a clear word for what is not of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gandist.artifacts import tables
from gandist.errors import StorageError

FIGURES = ("d_loss_real", "r1")
SCHEMA = tables.losses_schema(FIGURES)


def rows(steps: int = 3) -> dict[str, Any]:
    columns: dict[str, Any] = {name: np.arange(steps, dtype=np.float32) for name in SCHEMA.names}
    return columns | {"trial": "base-seed0", "config": "base", "seed": 0, "step": np.arange(1, steps + 1)}


def test_rows_come_back_as_they_were() -> None:
    table = tables.decode_losses(tables.encode(rows(), SCHEMA), "part")
    assert table.schema == SCHEMA
    assert table["trial"].to_pylist() == ["base-seed0"] * 3
    assert table["step"].to_pylist() == [1, 2, 3]
    assert table["d_loss"].to_pylist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("name", ["g_loss", "r1"])
def test_a_missing_column_is_an_error(name: str) -> None:
    incomplete = rows()
    del incomplete[name]
    with pytest.raises(KeyError, match=name):
        tables.encode(incomplete, SCHEMA)


def test_other_figures_stand_by_the_alphabet_before_the_wall_clock() -> None:
    names = tables.losses_schema(["r1", "ada_p", "d_loss", "r1"]).names
    assert names == [*tables.LOSSES.names[:-1], "ada_p", "r1", "wall_time"]
    assert tables.LOSSES.names[-1] == "wall_time"
    assert tables.losses_schema([]) == tables.LOSSES


def test_a_part_of_whatever_figures_is_read_as_it_is() -> None:
    for figures in ([], ["penalty"], ["d_loss_fake", "d_loss_real", "penalty"], ["ada_p", "r1", "r2"]):
        schema = tables.losses_schema(figures)
        written = tables.encode({**rows(), **dict.fromkeys(figures, 0.5)}, schema)
        assert tables.decode_losses(written, "part").schema == schema


def test_columns_in_another_order_and_of_another_number_type_are_read() -> None:
    table = tables.decode_losses(tables.encode(rows(), SCHEMA), "part")
    others = table.select(table.schema.names[::-1])
    at = others.schema.get_field_index("r1")
    others = others.set_column(at, "r1", others["r1"].cast(pa.float64()))
    assert tables.decode_losses(tables.encode_table(others), "part").equals(table)


def test_what_a_table_has_not_is_null_in_one_with_more_columns() -> None:
    few = tables.decode_losses(tables.encode(rows(), tables.losses_schema(["r1"])), "part")
    schema = tables.losses_schema(["ada_p", "r1"])
    found = tables.conformed(few, schema)
    assert found.schema == schema
    assert found["ada_p"].null_count == 3
    assert found["r1"].to_pylist() == [0.0, 1.0, 2.0]
    assert tables.conformed(found, tables.LOSSES).schema == tables.LOSSES


def with_columns(*names: str, kind: pa.DataType | None = None) -> bytes:
    """A stranger's part with more columns."""
    table = tables.decode_losses(tables.encode(rows(), SCHEMA), "part")
    for name in names:
        table = table.append_column(name, pa.nulls(table.num_rows, kind or pa.float32()))
    return tables.encode_table(table)


@pytest.mark.parametrize(
    "content",
    [
        with_columns("../x"),
        with_columns("R1"),
        with_columns("1st"),
        with_columns("a\nb"),
        with_columns("\x1b[31m"),
        with_columns(""),
        with_columns("x" * 65),
        with_columns("r1"),
        with_columns(*(f"x{i}" for i in range(tables.MAX_FIGURES))),
        with_columns("words", kind=pa.list_(pa.float32())),
    ],
    ids=["path", "capital", "digit", "lines", "escape", "empty", "long", "twice", "many", "list"],
)
def test_odd_or_too_many_columns_are_told_in_one_line(content: bytes) -> None:
    with pytest.raises(StorageError) as error:
        tables.decode_losses(content, "losses/part-1.parquet")
    text = str(error.value)
    assert text.startswith("losses/part-1.parquet: not a table of trial, config, seed, step, ...: ")
    assert text.isprintable()


def test_as_many_figures_as_are_allowed_are_read() -> None:
    most = [f"x{i}" for i in range(tables.MAX_FIGURES - len(FIGURES))]
    assert len(tables.decode_losses(with_columns(*most), "part").schema) == tables.MAX_FIGURES + len(
        tables.LOSSES
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not Parquet",
        tables.encode(rows(), SCHEMA)[:-30],
        tables.encode_table(pa.table({"step": [1, 2]})),
        tables.encode_table(pa.table({name: ["x"] for name in tables.LOSSES.names})),
    ],
    ids=["empty", "text", "torn", "columns missing", "other types"],
)
def test_what_is_no_such_table_is_named_in_one_line(content: bytes) -> None:
    with pytest.raises(StorageError) as error:
        tables.decode_losses(content, "losses/part-1.parquet")
    assert str(error.value).startswith("losses/part-1.parquet: ")
    assert "\n" not in str(error.value)


def test_losses_are_written_in_groups_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.LossesFile, "GROUP", 5)
    sink = pa.BufferOutputStream()
    file = tables.LossesFile(sink, SCHEMA)
    piece = tables.decode_losses(tables.encode(rows(), SCHEMA), "part")
    for _ in range(3):
        file.add(piece)
    file.close()
    written = pq.ParquetFile(pa.BufferReader(sink.getvalue()))
    assert [written.metadata.row_group(i).num_rows for i in range(written.num_row_groups)] == [6, 3]
    assert written.read().equals(pa.concat_tables([piece] * 3))


def test_losses_of_different_figures_are_written_as_one_table() -> None:
    schema = tables.losses_schema(["ada_p", "r1"])
    one, other = (
        tables.decode_losses(tables.encode({**rows(), name: 0.5}, tables.losses_schema([name])), "part")
        for name in ("ada_p", "r1")
    )
    sink = pa.BufferOutputStream()
    file = tables.LossesFile(sink, schema)
    file.add(one)
    file.add(other)
    file.close()
    written = tables.decode_losses(sink.getvalue(), "merged")
    assert written.schema == schema
    assert written["ada_p"].to_pylist() == [0.5] * 3 + [None] * 3
    assert written["r1"].to_pylist() == [None] * 3 + [0.5] * 3


def test_a_file_of_no_losses_is_a_table() -> None:
    sink = pa.BufferOutputStream()
    tables.LossesFile(sink, SCHEMA).close()
    assert tables.decode_losses(sink.getvalue(), "") == SCHEMA.empty_table()
