"""Stacked MNIST: three digits an image, the same ones each time, with a class a triple."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandist.data import Dataset, load, stacked_mnist

from . import archives


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stacked")
    np.savez(folder / "mnist.npz", **archives.mnist_arrays())
    return folder


@pytest.fixture(scope="module")
def stacked(folder: Path) -> Dataset:
    return load(stacked_mnist.Options(images=1000), folder)


def test_each_channel_is_a_digit_and_the_class_its_triple(folder: Path, stacked: Dataset) -> None:
    arrays = archives.mnist_arrays()
    label = {
        image.tobytes(): int(digit) for image, digit in zip(arrays["x_train"], arrays["y_train"], strict=True)
    }
    assert stacked.images.shape == (1000, 28, 28, 3)
    assert len(stacked.class_names) == 1000
    for image, triple in zip(stacked.images[:50], stacked.labels, strict=False):
        digits = "".join(str(label[image[..., channel].tobytes()]) for channel in range(3))
        assert stacked.class_names[triple] == digits


def test_channels_are_shuffled_apart_and_digits_are_used_equally(stacked: Dataset) -> None:
    channels = [[image.tobytes() for image in np.moveaxis(stacked.images, 3, 0)[c]] for c in range(3)]
    assert channels[0] != channels[1] != channels[2]
    for channel in channels:
        assert {channel.count(image) for image in set(channel)} == {1000 // 5}


def test_held_out_images_are_of_test_digits(stacked: Dataset) -> None:
    arrays = archives.mnist_arrays()
    assert stacked.held_out.shape == (stacked_mnist.HELD_OUT, 28, 28, 3)
    test = {image.tobytes() for image in arrays["x_test"]}
    assert {image[..., 1].tobytes() for image in stacked.held_out} <= test


def test_it_is_the_same_each_time_and_grows_at_its_end(folder: Path, stacked: Dataset) -> None:
    more = load(stacked_mnist.Options(images=1200), folder)
    assert load(stacked_mnist.Options(images=1000), folder).fingerprint == stacked.fingerprint
    np.testing.assert_array_equal(more.images[:1000], stacked.images)
