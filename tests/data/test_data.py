"""The data sets: what they hold, and where they are read from."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from gandist.data import Dataset, cifar10, digits, fashion_mnist, load, mnist
from tests.data import archives


@pytest.mark.parametrize(
    ("dataset", "summary"),
    [
        (Dataset(np.zeros((3, 8, 9, 1), np.uint8), np.zeros(3, np.int32)), "3 pictures 8x9x1"),
        (
            Dataset(
                np.zeros((3, 8, 8, 3), np.uint8),
                np.array([0, 2, 2], np.int32),
                ("a", "b", "c"),
                np.zeros((1200, 8, 8, 3), np.uint8),
            ),
            "3 pictures 8x8x3, 3 classes (a: 1, b: 0, c: 2), 1,200 held out",
        ),
    ],
)
def test_a_data_set_is_summed_up_in_a_line(dataset: Dataset, summary: str) -> None:
    assert dataset.lines == (summary,)


def test_digits_are_uint8_and_labelled() -> None:
    dataset = load(digits.Options(), None)
    assert dataset.images.shape == (1797, 28, 28, 1)
    assert dataset.images.dtype == np.uint8
    assert (dataset.images.min(), dataset.images.max()) == (0, 255)
    assert sorted(set(dataset.labels.tolist())) == list(range(10))
    assert dataset.image_shape == (28, 28, 1)


def test_some_images_are_different_ones_and_the_same_each_time() -> None:
    whole = load(digits.Options(), None)

    some = whole.some(40)

    assert len(np.unique(some, axis=0)) == 40
    np.testing.assert_array_equal(whole.some(40), some)
    np.testing.assert_array_equal(whole.some(10), some[:10])
    assert len(Dataset(whole.images[:3], whole.labels[:3]).some(40)) == 3


def test_of_some_images_the_classes_take_turns() -> None:
    values, labels = np.arange(6, dtype=np.uint8), np.array([0, 0, 1, 1, 1, 1], np.int32)
    pictures = Dataset(values.reshape(6, 1, 1, 1), labels, ("a", "b"))

    some = pictures.some(8, classes=2).ravel()

    assert labels[some].tolist() == [0, 1] * 4
    assert (len(set(some[::2])), len(set(some[1::2]))) == (2, 4)  # of few images some come again


def test_mnist_is_read_from_the_data_directory(tmp_path: Path) -> None:
    arrays = archives.mnist_arrays()
    np.savez(tmp_path / "mnist.npz", **arrays)
    dataset = load(mnist.Options(), tmp_path)
    np.testing.assert_array_equal(dataset.images[..., 0], arrays["x_train"])
    np.testing.assert_array_equal(dataset.held_out[..., 0], arrays["x_test"])
    assert dataset.labels.tolist() == [0, 1, 2, 3, 4]
    assert dataset.labels.dtype == np.int32
    assert dataset.class_names == tuple("0123456789")


def test_fashion_mnist_is_read_from_the_data_directory(tmp_path: Path) -> None:
    archives.write(tmp_path, archives.fashion_files())
    dataset = load(fashion_mnist.Options(), tmp_path)
    np.testing.assert_array_equal(dataset.images[..., 0], archives.FASHION_IMAGES[:5])
    np.testing.assert_array_equal(dataset.held_out[..., 0], archives.FASHION_IMAGES[5:])
    assert [dataset.class_names[label] for label in dataset.labels] == [
        *("Ankle boot", "T-shirt/top", "Dress", "Dress", "Sneaker")
    ]
    assert dataset.labels.dtype == np.int32


PYTHON = archives.tar(archives.cifar_files())
BINARY = archives.tar(archives.cifar_binary_files())


@pytest.mark.parametrize(
    "files",
    [
        {"cifar-10-python.tar.gz": PYTHON},
        {"cifar-10-batches-py.tar.gz": PYTHON},
        {"cifar-10-batches-py-target_archive": PYTHON},
        {"cifar-10-binary.tar.gz": BINARY},
        archives.cifar_files(),
        {f"cifar-10-batches-py-target/{name}": content for name, content in archives.cifar_files().items()},
        archives.cifar_binary_files(),
    ],
    ids=["python", "keras_2", "keras_3", "binary", "unpacked", "unpacked_by_keras_3", "binary_unpacked"],
)
def test_cifar10_is_read_in_each_of_its_forms(tmp_path: Path, files: archives.Files) -> None:
    dataset = load(cifar10.Options(), archives.write(tmp_path, files))
    upright = archives.CIFAR_IMAGES.transpose(0, 1, 3, 4, 2)  # from planes of red, green, blue
    np.testing.assert_array_equal(dataset.images, upright[:5].reshape(10, 32, 32, 3))
    np.testing.assert_array_equal(dataset.held_out, upright[5])
    assert dataset.labels.tolist() == list(range(10))
    assert dataset.labels.dtype == np.int32
    assert (dataset.class_names[0], dataset.class_names[9], len(dataset.class_names)) == (
        "airplane",
        "truck",
        10,
    )


def test_the_pickles_of_these_tests_are_ones_that_numpy_reads() -> None:
    content = archives.cifar_files()["cifar-10-batches-py/data_batch_2"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy's old module names
        batch = pickle.loads(content, encoding="bytes")  # noqa: S301
    np.testing.assert_array_equal(batch[b"data"], archives.CIFAR_IMAGES[1].reshape(2, -1))
    assert batch[b"labels"] == [2, 3]
