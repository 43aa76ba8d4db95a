"""CSV files hold what the merged Parquet files hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.export import csv
from gandist.report import merge
from tests.report.conftest import state
from tests.report.sweep import write_metrics


@pytest.mark.parametrize(
    ("name", "merged"),
    [
        ("losses.csv", merge.merge_losses),
        ("metrics.csv", merge.merge_metrics),
        ("trials.csv", merge.merge_trials),
    ],
)
def test_every_value_is_there(
    sweep: JobDir, tmp_path: Path, name: str, merged: Callable[[JobDir], object]
) -> None:
    csv.prepare(sweep, str(tmp_path))()
    expected = merged(sweep)
    read = pacsv.read_csv(tmp_path / name, convert_options=pacsv.ConvertOptions(column_types=expected.schema))
    assert read.schema.names == expected.schema.names
    for column in expected.schema.names:
        given, wanted = (rows[column].to_pylist() for rows in (read, expected))
        assert given == wanted, column
    assert np.isfinite(expected["kimg"].to_numpy()).all()


def test_text_that_spreadsheets_would_compute_stays_text(
    empty_job: Callable[..., JobDir], tmp_path: Path
) -> None:
    job_dir = empty_job(("slow", 0))
    job_dir.trial("slow-seed0").write_state(state(1, status="failed", reason='=HYPERLINK("http://x")'))
    write_metrics(job_dir.trial("slow-seed0"), "slow", 0, 50, -20.0, protocol="-1+cmd")
    csv.prepare(job_dir, str(tmp_path / "out"))()
    rows = pacsv.read_csv(tmp_path / "out" / "trials.csv").to_pylist()
    assert rows[0]["reason"] == '\'=HYPERLINK("http://x")'
    metrics = pacsv.read_csv(tmp_path / "out" / "metrics.csv").to_pylist()
    assert metrics[0]["protocol"] == "'-1+cmd"
    assert metrics[0]["value"] < 0  # a number is one


def test_a_job_without_a_trial_that_has_begun_has_headers(
    empty_job: Callable[..., JobDir], tmp_path: Path
) -> None:
    csv.prepare(empty_job(("slow", 0)), str(tmp_path / "out"))()
    header = (tmp_path / "out" / "losses.csv").read_text().splitlines()
    assert header == [",".join(f'"{name}"' for name in tables.LOSSES.names)]
