"""Data sets: what they hold, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from gandist.data import digits, load, mnist
from gandist.errors import DataError


def test_digits_are_uint8_and_labelled() -> None:
    dataset = load(digits.Options(), None)
    assert dataset.images.shape == (1797, 28, 28, 1)
    assert dataset.images.dtype == np.uint8
    assert (dataset.images.min(), dataset.images.max()) == (0, 255)
    assert sorted(set(dataset.labels.tolist())) == list(range(10))
    assert dataset.image_shape == (28, 28, 1)


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """A small mnist.npz."""
    return {"x_train": np.zeros((5, 28, 28), np.uint8), "y_train": np.arange(5, dtype=np.uint8)}


def write(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez(folder / mnist.FILE, **arrays)
    return folder


def test_mnist_is_read_from_the_data_directory(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    dataset = load(mnist.Options(), write(tmp_path, arrays))
    assert dataset.images.shape == (5, 28, 28, 1)
    assert dataset.labels.tolist() == [0, 1, 2, 3, 4]


def one_line(error: pytest.ExceptionInfo[DataError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x_train": np.zeros((5, 28, 28), np.float32)}, "float32"),
        ({"x_train": np.zeros((5, 28), np.uint8)}, "[5, 28]"),
        ({"x_train": np.zeros((5, 32, 32), np.uint8)}, "[5, 32, 32]"),
        ({"y_train": np.zeros(4, np.uint8)}, "[4]"),
        ({"y_train": np.zeros(5, np.float32)}, "float32"),
        ({"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, np.uint8)}, "[0]"),
        ({"x_train": None}, "x_train"),
    ],
)
def test_mnist_of_other_content_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], change: dict[str, np.ndarray | None], says: str
) -> None:
    changed = {name: array for name, array in {**arrays, **change}.items() if array is not None}
    with pytest.raises(DataError) as error:
        load(mnist.Options(), write(tmp_path, changed))
    assert says in one_line(error)
    assert mnist.FILE in one_line(error)


def test_a_pickle_in_mnist_is_not_opened(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    write(tmp_path, {**arrays, "x_train": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(DataError) as error:
        load(mnist.Options(), tmp_path)
    assert "pickle" in one_line(error).lower()


@pytest.mark.parametrize(
    "content", [b"", b"not a zip", pickle.dumps([1, 2])], ids=["empty", "text", "pickle"]
)
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / mnist.FILE).write_bytes(content)
    with pytest.raises(DataError) as error:
        load(mnist.Options(), tmp_path)
    assert mnist.FILE in one_line(error)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        load(mnist.Options(), tmp_path)
    assert "--data-dir" in one_line(error)


def test_an_unreachable_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def refuse(*args: object, **kwargs: object) -> None:
        raise Exception("URL fetch failure on https://example.invalid: None -- unreachable")  # noqa: TRY002

    monkeypatch.setattr(keras.utils, "get_file", refuse)
    with pytest.raises(DataError) as error:
        load(mnist.Options(), None)
    assert "GANDIST_DATA_DIR" in one_line(error)
