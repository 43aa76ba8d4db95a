"""Merging the trials of a job directory."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest

from gandist.artifacts import tables
from gandist.errors import NotAJobError
from gandist.report import losses, merge
from gandist.report.merge import merge_job, merge_losses, merge_metrics, merge_trials
from tests.report.conftest import FIGURES, SCHEMA, rows, state
from tests.report.sweep import write_metrics


def test_trials_stand_in_the_order_of_the_manifest_with_their_states(job_dir):
    trials = merge_trials(job_dir)

    assert trials.schema == tables.TRIALS
    assert trials["trial"].to_pylist() == ["slow-seed0", "slow-seed1", "fast-seed0", "fast-seed1"]
    assert trials["status"].to_pylist() == ["completed", "completed", "completed", "diverged"]
    assert trials["step"].to_pylist() == [400, 400, 400, 300]


def test_trials_and_metrics_are_read_without_the_losses(job_dir, monkeypatch):
    write_metrics(job_dir.trial("fast-seed0"), "fast", 0, 400, end=20.0)
    whole = merge_job(job_dir)
    monkeypatch.setattr(merge, "read_piece", pytest.fail)
    assert merge_trials(job_dir) == whole.trials
    assert merge_metrics(job_dir) == whole.metrics
    assert whole.metrics.num_rows == 16


def test_losses_stand_by_trial_and_then_by_step(job_dir):
    found = merge_losses(job_dir)

    assert found.schema == SCHEMA
    expected = [("slow-seed0", 400), ("slow-seed1", 400), ("fast-seed0", 400), ("fast-seed1", 300)]
    assert found["trial"].to_pylist() == [trial for trial, steps in expected for _ in range(steps)]
    assert found["step"].to_pylist() == [step + 1 for _, steps in expected for step in range(steps)]


def test_a_trial_without_files_is_queued_and_has_no_losses(empty_job):
    merged = merge_job(empty_job(("slow", 0)))

    assert merged.trials["status"].to_pylist() == ["queued"]
    assert merged.members[0].losses.rows == 0
    assert merged.warnings == ()


def test_a_job_without_trials_gives_empty_tables(empty_job):
    merged = merge_job(empty_job())

    assert merged.trials.schema == tables.TRIALS
    assert merged.trials.num_rows == 0
    assert merge_losses(empty_job()).schema == tables.LOSSES


def test_of_a_step_that_occurs_twice_the_later_part_wins(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(rows("slow", 0, 1, 10, d_loss=np.full(10, 1.0)))
    trial.write_losses(rows("slow", 0, 6, 12, d_loss=np.full(7, 2.0)))

    merged = merge_job(job_dir)

    found = merge_losses(job_dir)
    assert found["step"].to_pylist() == list(range(1, 13))
    assert found["d_loss"].to_pylist() == [1.0] * 5 + [2.0] * 7
    assert merged.warnings == ()


def logging(made, *figures):
    """Rows that log these figures instead, 0.5 each."""
    return {name: column for name, column in made.items() if name not in FIGURES} | dict.fromkeys(
        figures, 0.5
    )


def test_trials_with_different_figures_share_one_table_with_nulls(empty_job):
    job_dir = empty_job(("slow", 0), ("fast", 0), ("idle", 0))
    for config, figures in (("slow", ("ada_p", "r1")), ("fast", ("r1", "r2"))):
        trial = job_dir.trial(f"{config}-seed0")
        trial.write_losses(logging(rows(config, 0, 1, 10), *figures))
        trial.write_state(state(10, figures=figures))

    found = merge_losses(job_dir)

    assert found.schema == tables.losses_schema(["ada_p", "r1", "r2"])
    assert found["r1"].null_count == 0
    assert found["ada_p"].to_pylist() == [0.5] * 10 + [None] * 10
    assert found["r2"].to_pylist() == [None] * 10 + [0.5] * 10
    assert merge_job(job_dir).warnings == ()


def test_a_trial_that_went_on_under_another_version_has_the_columns_of_both(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(logging(rows("slow", 0, 1, 10), *tables.FIRST_FIGURES))
    trial.write_losses(logging(rows("slow", 0, 11, 20), "d_loss_fake", "d_loss_real", "r1"))
    trial.write_state(state(20, figures=(*tables.FIRST_FIGURES, "r1")))

    found = merge_losses(job_dir)

    assert found.schema == tables.losses_schema([*tables.FIRST_FIGURES, "r1"])
    assert found["d_loss_real"].null_count == 0
    assert found["penalty"].to_pylist() == [0.5] * 10 + [None] * 10
    assert found["r1"].to_pylist() == [None] * 10 + [0.5] * 10
    assert merge_job(job_dir).warnings == ()


def test_a_state_that_names_no_figures_is_of_a_version_in_which_all_had_the_same(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(logging(rows("slow", 0, 1, 10), *tables.FIRST_FIGURES))
    trial.write_state(state(10, figures=()))

    assert merge_losses(job_dir).schema == tables.losses_schema(tables.FIRST_FIGURES)
    assert merge_losses(job_dir)["penalty"].null_count == 0


def test_a_trial_whose_state_cannot_be_read_keeps_the_columns_of_its_losses(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(logging(rows("slow", 0, 1, 10), "r1"))
    trial.write_losses(logging(rows("slow", 0, 11, 20), "r1", "r2"))
    trial.storage.write("state.json", b"not a state")

    found = merge_losses(job_dir)

    assert found.schema == tables.losses_schema(["r1", "r2"])
    assert found["r1"].to_pylist() == [0.5] * 20
    assert found["r2"].to_pylist() == [None] * 10 + [0.5] * 10


@pytest.mark.parametrize("name", ["../x", "A", "x" * 65])
def test_a_part_with_columns_that_are_no_figures_is_left_out(empty_job, name):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(rows("slow", 0, 1, 10))
    trial.write_state(state(20))
    trial.write_losses({**rows("slow", 0, 11, 20), name: 1.0})

    assert merge_losses(job_dir)["step"].to_pylist() == list(range(1, 11))
    assert merge_job(job_dir).warnings[0] == (
        "slow-seed0: losses/part-000000011-000000020.parquet is torn or is no table of losses: left out"
    )


def test_a_part_with_other_steps_than_its_name_says_is_left_out(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(rows("slow", 0, 1, 10))
    path = "losses/part-000000011-000000020.parquet"
    trial.storage.write(path, tables.encode(rows("slow", 0, 5, 14), SCHEMA))

    assert merge_losses(job_dir)["step"].to_pylist() == list(range(1, 11))
    assert merge_job(job_dir).warnings == (
        f"slow-seed0: {path} has other steps than its name says: left out",
    )


def test_losses_pass_by_in_pieces_of_which_few_are_held_at_a_time(empty_job, monkeypatch):
    monkeypatch.setattr(losses, "PIECE_STEPS", 20)
    job_dir = empty_job(*(("slow", seed) for seed in range(10)))
    for seed in range(10):
        for first in range(1, 101, 10):
            job_dir.trial(f"slow-seed{seed}").write_losses(rows("slow", seed, first, first + 9))
    read, begun, kept = merge._read, [], []

    def counting(of_trial):
        begun.append(of_trial)
        return read(of_trial)

    def keep(piece):
        kept.append((len(begun) - len(kept), piece.num_rows))

    monkeypatch.setattr(merge, "_read", counting)
    merge_job(job_dir, keep)

    assert {size for _, size in kept} == {20}
    assert len(kept) == 50
    assert max(ahead for ahead, _ in kept) <= merge.READERS


def test_missing_steps_are_named(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(rows("slow", 0, 3, 10))
    trial.write_losses(rows("slow", 0, 15, 20))

    assert merge_job(job_dir).warnings == ("slow-seed0: losses of steps 1 to 2, 11 to 14 are missing",)


def test_losses_that_end_before_a_completed_trial_does_are_named(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed, status in ((0, "completed"), (1, "running")):
        job_dir.trial(f"slow-seed{seed}").write_losses(rows("slow", seed, 1, 10))
        job_dir.trial(f"slow-seed{seed}").write_state(state(1200, status=status))

    assert merge_job(job_dir).warnings == ("slow-seed0: losses end at step 10 of 1,200",)


@pytest.mark.parametrize("damage", ["torn", "empty", "another table", "another trial's"])
def test_a_part_that_cannot_be_used_is_left_out_and_named(empty_job, damage):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    trial.write_losses(rows("slow", 0, 1, 10))
    other = {"another trial's": {"trial": "fast-seed0"}}.get(damage, {})
    trial.write_losses(rows("slow", 0, 11, 20, **other))
    path = "losses/part-000000011-000000020.parquet"
    whole = trial.storage.read(path)
    trials = tables.encode_table(tables.TRIALS.empty_table())
    trial.storage.write(path, {"torn": whole[:-40], "empty": b"", "another table": trials}.get(damage, whole))

    merged = merge_job(job_dir)

    found = merge_losses(job_dir)
    assert found["step"].to_pylist() == list(range(1, 11))
    [warning] = merged.warnings
    assert warning.startswith(f"slow-seed0: {path}")
    assert warning.endswith("left out")


def test_rows_beyond_the_state_are_kept(empty_job):
    job_dir = empty_job(("slow", 0))
    job_dir.trial("slow-seed0").write_losses(rows("slow", 0, 1, 10))
    job_dir.trial("slow-seed0").write_state(state(8))

    assert merge_losses(job_dir).num_rows == 10


@pytest.mark.parametrize(
    "content", [b"{", b'{"status": "splendid"}', json.dumps({"step": 2**64}).encode(), b'{"step": -1}']
)
def test_a_state_that_is_none_is_unreadable_not_queued(empty_job, content):
    job_dir = empty_job(("slow", 0))
    job_dir.trial("slow-seed0").storage.write("state.json", content)

    merged = merge_job(job_dir)

    assert merged.trials["status"].to_pylist() == ["unreadable"]
    assert merged.warnings == ("slow-seed0: state.json is not a trial's state",)


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "../../secret", "config": "slow", "seed": 0},
        {"id": "a/b", "config": "slow", "seed": 0},
        {"id": "slow-seed0", "config": "<b>", "seed": 0},
        {"id": "slow-seed0", "config": "slow", "seed": "0"},
        {"id": "slow-seed0", "config": "slow", "seed": 2**70},
        {"id": "slow-seed0"},
        "slow-seed0",
        None,
    ],
)
def test_a_manifest_cannot_lead_out_of_the_job(empty_job, entry):
    merged = merge_job(empty_job(trials=[entry]))

    assert merged.members == ()
    assert merged.warnings == ("manifest.json: trials[0] is not an id, a config and a seed: left out",)


def test_a_trial_listed_twice_is_read_once(empty_job):
    merged = merge_job(empty_job(("slow", 0), ("slow", 0)))

    assert len(merged.members) == 1
    assert merged.warnings == ("manifest.json: slow-seed0 is listed twice: read once",)


def test_without_a_manifest_there_is_no_job(empty_job):
    job_dir = empty_job()
    job_dir.storage.delete("manifest.json")

    with pytest.raises(NotAJobError, match=r"manifest\.json"):
        merge_job(job_dir)
    assert os.listdir(job_dir.root) == ["job.yaml"]  # noqa: PTH208


def test_the_parts_are_a_data_set_of_the_columns_and_rows_of_the_merged_losses(job_dir):
    parts = sorted(Path(job_dir.root).glob("trials/slow-*/losses/part-*.parquet"))
    found = ds.dataset([str(part) for part in parts]).to_table()

    assert found.schema == SCHEMA
    assert found.num_rows == 800
    assert found.sort_by([("trial", "ascending"), ("step", "ascending")]).equals(merge_losses(job_dir)[:800])
