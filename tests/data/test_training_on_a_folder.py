"""A folder of pictures, some of them rotten, becomes a trained generator."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gandist.artifacts import images
from gandist.artifacts.job_dir import JobDir
from gandist.errors import DataError
from gandist.runner.plan import make_plan
from gandist.spec.loading import load_job
from gandist.spec.trial import TrialSpec
from tests.data import pictures
from tests.training.conftest import tiny_trial
from tests.training.trials import generated, losses, train, weights

JOBS = Path(__file__).parents[2] / "jobs"


def test_a_folder_trains_resident_or_streamed_and_goes_on_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: None
) -> None:
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("gandist.training.trial.MAX_BLOCK", 1)
    root = pictures.folder(tmp_path / "shapes", rotten=True)

    def trial(**resources: float) -> TrialSpec:
        data = {"name": "image_folder", "path": str(root), "image_size": 28, "max_unreadable": 0.15}
        return tiny_trial(
            data=data, checkpoint={"every_steps": 2}, samples={"every_steps": 3}, resources=resources
        )

    whole = train(trial(), tmp_path / "whole")
    description = whole.read_dataset()
    assert description is not None
    assert (description.images, description.image_shape) == (24, (28, 28, 3))
    assert description.class_names == pictures.KINDS
    assert description.summary.startswith(
        "24 pictures 28x28x3 (each cut to its largest centred square, sides of 2"
    )
    [left_out] = description.left_out
    assert "left out 4 of 28 pictures" in left_out
    grid = images.decode_png(generated(whole)[-1])
    assert grid.ndim == 3
    assert np.ptp(grid, axis=-1).max() > 0  # in colour

    train(trial(data_memory_gb=0.0), tmp_path / "killed", kill_after=3)
    (root / "notes.txt").write_text("what is told of a folder is no part of what is trained on")
    shutil.rmtree(tmp_path / "cache")  # as on another node
    resumed = train(trial(data_memory_gb=0.0), tmp_path / "killed")
    assert resumed.read_state().attempts == 2
    assert losses(resumed).equals(losses(whole))
    assert generated(resumed) == generated(whole)
    assert weights(resumed) == weights(whole)
    (root / "squares" / "0003.jpg").unlink()
    with pytest.raises(DataError, match="not what base-seed0 was trained on: images 24 -> 23, fingerprint "):
        train(trial(), tmp_path / "killed")


def test_the_pictures_may_move_while_what_is_in_them_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: None
) -> None:
    monkeypatch.setattr("gandist.training.trial.MAX_BLOCK", 1)
    here, there = pictures.folder(tmp_path / "here"), tmp_path / "there"

    def trial(path: Path) -> TrialSpec:
        data = {"name": "image_folder", "path": str(path), "image_size": 28, "batch_size": 8}
        return tiny_trial(data=data, training={"steps": 4}, checkpoint={"every_steps": 2})

    whole = train(trial(here), tmp_path / "whole")
    train(trial(here), tmp_path / "moved", stop_after=3)
    here.rename(there)
    job_dir = JobDir(str(tmp_path / "moved"))
    assert make_plan([trial(there)], job_dir).todo == (trial(there),)
    moved = train(trial(there), tmp_path / "moved")
    assert weights(moved) == weights(whole)
    assert losses(moved).equals(losses(whole))
    assert moved.read_state().notes == ()


def test_the_job_for_ones_own_pictures_fits_their_size_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: None
) -> None:
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "cache"))
    root = pictures.folder(tmp_path / "my_photos")
    narrow = [
        "data.image_size=16",
        "data.batch_size=8",
        "model.width=2",
        "training.steps=5",
        "resources.cpus=1",
    ]
    job = load_job(JOBS / "my_pictures.yaml", [*narrow, f"data.path={root}"])
    (trial,) = job.trials
    assert (trial.model.depth, trial.model.upsampling) == (0, "filtered")
    assert trial.augmentation is not None
    done = train(trial, tmp_path / "job")
    state = done.read_state()
    assert (state.status, state.step) == ("completed", 5)
    values = losses(done)
    assert np.isfinite(values["d_loss"].to_numpy()).all()
    assert values["r1"].null_count == 5 - 2  # lazily
    assert images.decode_png(generated(done)[-1]).ndim == 3
