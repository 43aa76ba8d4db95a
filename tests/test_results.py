"""What a job has left, from Python. Generators are in tests/sampling."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import gandist
from gandist.artifacts.job_dir import JobDir
from gandist.errors import NotAJobError, UsageError
from gandist.export import figures
from tests.report.conftest import make_finished_job, make_job
from tests.report.sweep import write_metrics

METRICS = 16
"""Rows that ``write_metrics`` writes."""


@pytest.fixture(scope="module")
def job_dir(tmp_path_factory: pytest.TempPathFactory) -> JobDir:
    """To be read only."""
    made = make_finished_job(tmp_path_factory.mktemp("job"))
    write_metrics(made.trial("slow-seed0"), "slow", 0, 400, 20.0)
    return made


def test_a_trials_tables_are_its_rows_of_the_jobs(job_dir: JobDir) -> None:
    results = gandist.open(job_dir.root)
    trial = results.trial("slow-seed0")

    def own(table: pa.Table) -> pa.Table:
        return table.filter(pc.equal(table["trial"], "slow-seed0"))

    losses, of_job = trial.losses(), own(results.losses())
    assert losses.num_rows == 400
    assert losses.select(of_job.schema.names).equals(of_job)
    assert trial.metrics().num_rows == METRICS
    assert trial.metrics().equals(own(results.metrics()))


def test_a_trial_that_has_left_nothing_has_empty_tables(tmp_path: Path) -> None:
    trial = gandist.open(make_job(tmp_path, ("slow", 0)).root).trial("slow-seed0")
    assert (trial.losses().num_rows, trial.metrics().num_rows) == (0, 0)
    with pytest.raises(UsageError, match=r"^trial slow-seed0: has exported no generator: queued; only a "):
        trial.generator()


def test_a_figure_is_one_of_the_exports(job_dir: JobDir) -> None:
    drawn = gandist.open(job_dir.root).figure("losses")
    assert drawn.get_suptitle() == figures.figure(job_dir, "losses").get_suptitle() != ""
    assert drawn._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"^figure loses: unknown; choose one of answer, "):
        gandist.open(job_dir.root).figure("loses")


def test_what_is_not_there_is_told_without_the_command_lines_dashes(job_dir: JobDir) -> None:
    with pytest.raises(UsageError, match=r"^trial slow-seed7: .* has no such trial; it has slow-seed0, "):
        gandist.open(job_dir.root).trial("slow-seed7")
    with pytest.raises(NotAJobError):
        gandist.open("nowhere")


def test_reprs_say_how_to_get_there(job_dir: JobDir) -> None:
    results = gandist.open(Path(job_dir.root))
    assert repr(results) == f"gandist.open({job_dir.root!r})"
    assert repr(results.trial("fast-seed1")) == f"gandist.open({job_dir.root!r}).trial('fast-seed1')"
