"""Digits whose faults are known: every metric sees what it is there to see, and ranks what it can."""

from __future__ import annotations

import numpy as np
import pytest

from gandist import features, metrics
from gandist.data import Dataset, digits
from gandist.metrics import Images, Sets
from gandist.order import permutation

Found = dict[str, dict[str, float]]


def blurs(images: np.ndarray, count: int) -> np.ndarray:
    """Of a normal distribution with the images' 32 leading principal components."""
    pixels = images.reshape(len(images), -1).astype(np.float64)
    mean = pixels.mean(axis=0)
    _, lengths, axes = np.linalg.svd(pixels - mean, full_matrices=False)
    drawn = np.random.default_rng(0).normal(size=(count, 32)) * lengths[:32] / np.sqrt(len(pixels))
    return np.clip(drawn @ axes[:32] + mean, 0, 255).astype(np.uint8).reshape(count, *images.shape[1:])


def known(images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """As many images each, by what they are."""
    count = len(images)
    return {
        "real": images,
        "without one class": np.resize(images[labels != 4], images.shape),
        "shifted": np.roll(images, 2, axis=2),
        "repeated": np.resize(images[:30], images.shape),
        "one class": np.resize(images[labels == 3], images.shape),
        "blurs": blurs(images, count),
        "noise": np.random.default_rng(0).integers(0, 256, images.shape, dtype=np.uint8),
    }


@pytest.fixture(scope="module")
def found(devices: None) -> Found:
    """Values by images and name: 600 of each against 600 held-out ones, 597 others were trained on."""
    whole = digits.load(digits.Options(), None)
    order = permutation(0, 0, len(whole))
    held_out, made, trained = np.split(order, [600, 1200])
    network = features.load(features.named("mnist"), whole)

    def seen(of: Dataset | np.ndarray) -> Images:
        pixels = of.images if isinstance(of, Dataset) else of
        return Images(pixels, None, lambda: network.look(pixels))

    real = seen(whole.images[held_out])
    training = Images(
        whole.images[trained], whole.labels[trained], lambda: network.look(whole.images[trained])
    )
    generated = known(whole.images[made], whole.labels[made]) | {
        "copies": np.resize(training.pixels, real.pixels.shape)
    }
    names = ("frechet", "kid", "prdc", "modes", "memorization")
    return {
        what: {
            value.name: value.value
            for name in names
            for value in metrics.measure(name, Sets(seen(pixels), real, training, whole.class_names))
        }
        for what, pixels in generated.items()
    }


def test_distances_rank_faults_from_slight_to_gross(found: Found) -> None:
    for metric in ("frechet", "kid"):
        values = [
            found[what][metric] for what in ("real", "without one class", "blurs", "one class", "noise")
        ]
        assert values == sorted(values), metric
        assert values[0] < 0.5 * values[1], metric
        for what in ("shifted", "repeated"):
            assert 2 * values[0] < found[what][metric] < values[-1], (metric, what)


def test_blurs_and_noise_are_not_precise_nor_dense(found: Found) -> None:
    assert found["noise"]["precision"] == found["noise"]["density"] == 0.0
    assert found["shifted"]["precision"] < found["real"]["precision"]


def test_few_images_repeated_are_precise_and_cover_little(found: Found) -> None:
    real, repeated = found["real"], found["repeated"]
    assert repeated["precision"] > 0.8 * real["precision"]
    assert repeated["coverage"] < 0.5 * real["coverage"]
    assert repeated["recall"] < 0.1 < 0.8 < real["recall"]


def test_classes_that_are_missing_are_missed(found: Found) -> None:
    assert [found[what]["modes"] for what in ("real", "without one class", "one class")] == [10, 9, 1]
    values = [found[what]["modes_kl"] for what in ("real", "without one class", "one class")]
    assert values == sorted(values)
    assert values[2] == pytest.approx(np.log(10), abs=0.1)


def test_copies_of_training_images_are_found_out(found: Found) -> None:
    assert found["copies"]["memorization"] == 1.0
    assert found["real"]["memorization"] == pytest.approx(0.5, abs=0.08)
    # No other metric minds.
    assert found["copies"]["frechet"] < 2 * found["real"]["frechet"]
    assert found["copies"]["precision"] > 0.9 * found["real"]["precision"]
