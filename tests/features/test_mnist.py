"""The classifier of digits that is shipped: how good it is, what it looks at, that it stays what it is."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest

from gandist import features
from gandist.data import Dataset, digits, mnist
from gandist.errors import DataError
from gandist.features import mnist as shipped

RECORD = json.loads(shipped.WEIGHTS.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return digits.load(digits.Options(), None)


@pytest.fixture(scope="module")
def network(dataset: Dataset) -> features.Network:
    return features.load(features.named("mnist"), dataset)


def test_it_is_the_one_of_its_record(network: features.Network) -> None:
    content = shipped.WEIGHTS.read_bytes()
    assert hashlib.sha256(content).hexdigest() == RECORD["sha256"]
    assert network.id == f"mnist-{RECORD['hash']}"
    assert len(content) < 1_500_000
    assert RECORD["test_accuracy"] >= 0.994
    assert RECORD["digits_accuracy"] >= 0.99


def test_it_reads_the_digits_of_either_data_set(network: features.Network, dataset: Dataset) -> None:
    seen = network.look(dataset.images[:500])
    assert seen.features.shape == (500, 128)
    assert seen.features.dtype == np.float32
    assert seen.logits is not None
    assert np.mean(seen.logits.argmax(axis=1) == dataset.labels[:500]) > 0.98


def test_its_features_are_what_they_were(network: features.Network, dataset: Dataset) -> None:
    """Values of earlier versions are only comparable while these are the same."""
    found = network.look(dataset.images[:100]).features
    assert float(found.mean()) == pytest.approx(RECORD["features_mean"], rel=1e-4)
    assert float(found.std()) == pytest.approx(RECORD["features_std"], rel=1e-4)


def test_channels_are_looked_at_one_by_one(network: features.Network, dataset: Dataset) -> None:
    stacked = np.concatenate([dataset.images[:10], dataset.images[10:20], dataset.images[20:30]], axis=-1)
    seen = network.look(stacked)
    assert seen.features.shape == (10, 384)
    assert seen.logits is not None
    assert seen.logits.shape == (10, 3, 10)
    for channel in range(3):
        alone = network.look(stacked[..., channel : channel + 1])
        np.testing.assert_allclose(seen.features[:, 128 * channel :][:, :128], alone.features, atol=1e-5)
        np.testing.assert_allclose(seen.logits[:, channel], alone.logits, atol=1e-5)


def test_of_other_classes_it_tells_none(dataset: Dataset) -> None:
    clothes = Dataset(dataset.images, dataset.labels, tuple("abcdefghij"))
    assert features.load(features.named("mnist"), clothes).look(dataset.images[:2]).logits is None


def test_other_images_are_refused_in_one_line() -> None:
    with pytest.raises(DataError, match="28x28x1 or 28x28x3, and these are 32x32x3; use classifier"):
        features.load(features.named("mnist"), Dataset(np.zeros((2, 32, 32, 3), np.uint8), np.zeros(2)))


def test_the_precision_and_the_state_of_a_training_are_no_matter(dataset: Dataset) -> None:
    def seen() -> bytes:
        network = features.load(features.named("mnist"), dataset)
        found = network.look(dataset.images[:20])
        assert found.logits is not None
        return found.features.tobytes() + found.logits.tobytes()

    before, name = seen(), keras.layers.Dense(1).name
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(7)
    try:
        assert seen() == before
    finally:
        keras.config.set_dtype_policy("float32")
    number = int(name.rpartition("_")[2]) if "_" in name else 0
    assert keras.layers.Dense(1).name == f"dense_{number + 1}", "names of layers count what a process builds"


@pytest.mark.skipif("GANDIST_DATA_DIR" not in os.environ, reason="needs mnist.npz in GANDIST_DATA_DIR")
def test_it_names_992_of_1000_of_mnists_test_images() -> None:
    folder = Path(os.environ["GANDIST_DATA_DIR"])
    dataset = mnist.load(mnist.Options(), folder)
    with np.load(folder / "mnist.npz") as archive:
        labels = archive["y_test"]
    logits = features.load(features.named("mnist"), dataset).look(dataset.held_out).logits
    assert logits is not None
    assert np.mean(logits.argmax(axis=1) == labels) == pytest.approx(RECORD["test_accuracy"], abs=2e-4)
