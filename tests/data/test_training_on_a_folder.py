"""A folder of pictures, some of them rotten, becomes a trained generator."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gandist.artifacts import images
from gandist.errors import DataError
from tests.data import pictures
from tests.training.conftest import tiny_trial
from tests.training.trials import generated, losses, train, weights


def test_a_folder_trains_resident_or_streamed_and_goes_on_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: None
) -> None:
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("gandist.training.trial.MAX_BLOCK", 1)
    root = pictures.folder(tmp_path / "shapes", rotten=True)

    def trial(**resources: float) -> object:
        data = {"name": "image_folder", "path": str(root), "image_size": 28, "max_unreadable": 0.15}
        return tiny_trial(
            data=data, checkpoint={"every_steps": 2}, samples={"every_steps": 3}, resources=resources
        )

    whole = train(trial(), tmp_path / "whole")
    description = whole.read_dataset()
    assert description is not None
    assert (description.images, description.image_shape) == (24, (28, 28, 3))
    assert description.class_names == pictures.KINDS
    grid = images.decode_png(generated(whole)[-1])
    assert grid.ndim == 3
    assert np.ptp(grid, axis=-1).max() > 0  # in colour

    train(trial(data_memory_gb=0.0), tmp_path / "killed", kill_after=3)
    shutil.rmtree(tmp_path / "cache")  # as on another node
    resumed = train(trial(data_memory_gb=0.0), tmp_path / "killed")
    assert resumed.read_state().attempts == 2
    assert losses(resumed).equals(losses(whole))
    assert generated(resumed) == generated(whole)
    assert weights(resumed) == weights(whole)

    (root / "squares" / "0003.jpg").unlink()
    with pytest.raises(DataError, match="not what base-seed0 was trained on"):
        train(trial(), tmp_path / "killed")
