"""A report of a running job reads only the losses of trials that have gone on since the last one."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.report import kept, losses, write_report
from gandist.report.merge import merge_job
from tests.report.conftest import rows, state
from tests.report.pages import report

TRIALS = ("slow-seed0", "slow-seed1", "fast-seed0")


@pytest.fixture
def running(empty_job) -> JobDir:
    """Two trials have completed, ``fast-seed0`` has just written its state."""
    job_dir = empty_job(("slow", 0), ("slow", 1), ("fast", 0))
    for trial in TRIALS:
        config, _, seed = trial.partition("-seed")
        directory = job_dir.trial(trial)
        directory.write_losses(rows(config, int(seed), 1, 600))
        directory.write_state(state(600))
    job_dir.trial("fast-seed0").write_state(
        state(600, status="running", total_steps=1200, updated_at=time.time())
    )
    return job_dir


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """The parts of losses that are read, as they are."""
    found: list[str] = []
    read = losses._read

    def noting(directory, part):
        found.append(f"{directory.id}/{part.first}")
        return read(directory, part)

    monkeypatch.setattr(losses, "_read", noting)
    return found


def page_of(job_dir: JobDir) -> str:
    text = report(job_dir).text
    return text[text.index("Losses") :]


def test_what_has_not_changed_is_not_read_again(running, reads):
    write_report(running)
    assert reads == ["slow-seed0/1", "slow-seed1/1", "fast-seed0/1"]

    reads.clear()
    running.trial("fast-seed0").write_losses(rows("fast", 0, 601, 700))
    write_report(running)
    assert reads == ["fast-seed0/1", "fast-seed0/601"]

    reads.clear()
    write_report(running)
    assert reads == []


def test_a_report_from_what_was_kept_is_the_report_from_everything(running):
    first, again = page_of(running), page_of(running)
    drawn = running.storage.read(JobDir.REPORT)

    assert running.storage.exists(JobDir.CURVES)
    assert again == first
    running.storage.delete(JobDir.CURVES)
    write_report(running)
    without_time = [page[page.index(b"<main>") :] for page in (drawn, running.storage.read(JobDir.REPORT))]
    assert without_time[0] == without_time[1]


def test_what_is_kept_comes_back_as_it_was(running):
    merged = merge_job(running)
    kept.write(running.storage, merged.members)
    back = kept.read(running.storage)

    assert list(back) == list(TRIALS)
    for trial in merged.members:
        stamp, found = back[trial.id]
        assert stamp == trial.stamp
        assert (found.finals, found.ranges, found.rows) == (
            trial.losses.finals,
            trial.losses.ranges,
            trial.losses.rows,
        )
        for column, curve in trial.losses.curves.items():
            other = found.curves[column]
            assert (other.width, other.end) == (curve.width, curve.end)
            for field in ("steps", "counts", "kimg", "values"):
                np.testing.assert_array_equal(getattr(other, field), getattr(curve, field))


def test_a_part_that_was_replaced_is_read_again(running, reads):
    write_report(running)
    reads.clear()
    running.trial("slow-seed0").write_losses(rows("slow", 0, 1, 600, d_loss=0.25))
    write_report(running)

    assert reads == ["slow-seed0/1"]


def test_a_trial_with_something_to_tell_is_read_each_time(running, reads):
    trial = running.trial("slow-seed0")
    trial.storage.write("losses/part-000000601-000000700.parquet", b"torn")
    trial.write_losses(rows("slow", 0, 801, 900))
    texts = [page_of(running), page_of(running)]

    assert [read for read in reads if read.startswith("slow-seed0")] == [
        "slow-seed0/1",
        "slow-seed0/601",
        "slow-seed0/801",
    ] * 2
    assert all("is torn or is no table of losses" in text for text in texts)
    assert all("losses of steps 601 to 800 are missing" in text for text in texts)


def damaged(job_dir: JobDir, **columns) -> bytes:
    table = pq.read_table(pa.BufferReader(job_dir.storage.read(JobDir.CURVES)))
    for name, value in columns.items():
        table = table.set_column(
            table.schema.get_field_index(name),
            kept.SCHEMA.field(name),
            [pa.array([value] * table.num_rows, kept.SCHEMA.field(name).type)],
        )
    return tables.encode_table(table)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda job_dir: job_dir.storage.read(JobDir.CURVES)[:-20],
        lambda _: tables.encode_table(tables.TRIALS.empty_table()),
        lambda job_dir: damaged(job_dir, counts=[1]),
        lambda job_dir: damaged(job_dir, steps=None),
        lambda job_dir: damaged(job_dir, width=0),
        lambda job_dir: damaged(job_dir, width=None),
        lambda job_dir: damaged(job_dir, last=None),
        lambda job_dir: damaged(job_dir, low=None),
        lambda job_dir: damaged(job_dir, trial=None),
        lambda job_dir: damaged(job_dir, trial="slow-seed0"),
        lambda job_dir: damaged(job_dir, column="d_loss"),
        lambda job_dir: damaged(job_dir, values=None),
    ],
    ids=[
        "empty",
        "torn",
        "another table",
        "lengths",
        "no steps",
        "width",
        "no width",
        "no last",
        "no low",
        "no trial",
        "one trial with all columns several times",
        "one column",
        "no values",
    ],
)
def test_what_cannot_be_used_counts_as_not_kept(running, damage):
    kept.write(running.storage, merge_job(running).members)
    assert len(kept.read(running.storage)) == 3
    running.storage.write(JobDir.CURVES, damage(running))

    assert kept.read(running.storage) == {}


def test_while_a_trial_runs_losses_are_not_merged_and_the_page_says_so(running):
    text = page_of(running)

    assert not running.storage.exists(JobDir.LOSSES)
    assert "trials/*/losses/part-*.parquet , which are merged when no trial runs any more" in text


@pytest.mark.parametrize("ended", ["completed", "silent"])
def test_when_none_runs_any_more_they_are_and_nothing_is_kept(running, ended):
    write_report(running)
    changes = {"status": "running", "updated_at": time.time() - 3600} if ended == "silent" else {}
    running.trial("fast-seed0").write_state(state(600, **changes))
    write_report(running)

    found = tables.decode_losses(running.storage.read(JobDir.LOSSES), "")
    assert found.num_rows == 1800
    assert not running.storage.exists(JobDir.CURVES)
