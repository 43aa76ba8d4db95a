"""Networks against the data they are to learn, before TensorFlow is loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gandist.data import Dataset
from gandist.errors import UsageError
from gandist.runner.datasets import check_models, lengths
from gandist.spec.job import JobSpec, expand


def checked(model: dict[str, Any], side: int) -> None:
    """A trial of ``model`` on square images without classes."""
    data = {"name": "image_folder", "path": "pictures", "image_size": side}
    section = {"name": "job", "data": data, "model": model, "training": {"steps": 1}}
    (trial,) = expand(JobSpec.model_validate(section)).trials
    images = np.zeros((1, side, side, 1), np.uint8)
    check_models([trial], {trial.data: Dataset(images, np.zeros(1, np.int32), ())})


@pytest.mark.parametrize(
    ("model", "side", "line"),
    [
        ({"name": "mlp", "conditional": True}, 8, "model.conditional: the data set has no classes"),
        ({"name": "dcgan", "depth": 3}, 28, "model.depth: images of 28x28 cannot be halved 3 times"),
        (
            {"name": "r3gan", "widths": [1, 1, 1, 1], "expansion": 1, "group_size": 1},
            28,
            "model.widths: images of 28x28 cannot be halved 3 times",
        ),
        (
            {"name": "resnet", "generator_widths": [1, 1, 1, 1]},
            28,
            "model.generator_widths: images of 28x28 cannot be halved 3 times",
        ),
        (
            {"name": "resnet", "generator_widths": [1, 1], "halvings": 3},
            28,
            "model.halvings: images of 28x28 cannot be halved 3 times",
        ),
        ({"name": "stylegan2"}, 31, "model.padding: sides of 31x31 cannot be halved"),
    ],
)
def test_what_does_not_fit_is_refused(model: dict[str, Any], side: int, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        checked(model, side)


def test_what_fits_is_not() -> None:
    checked({"name": "mlp"}, 7)
    checked({"name": "stylegan2"}, 8)


def test_how_long_a_trial_is_depends_on_the_data_only_where_epochs_are_counted() -> None:
    section = {
        **{"name": "job", "data": {"name": "digits", "batch_size": 10}, "model": {"name": "mlp"}},
        "training": {"steps": 7},
        "configs": {"steps": {}, "epochs": {"training": {"epochs": 2}}},
    }
    trials = expand(JobSpec.model_validate(section)).trials
    dataset = Dataset(np.zeros((25, 8, 8, 1), np.uint8), np.zeros(25, np.int32), ())
    assert lengths(trials, {}) == {"steps-seed0": 7}
    assert lengths(trials, {trials[0].data: dataset}) == {"steps-seed0": 7, "epochs-seed0": 5}
