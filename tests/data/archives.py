"""Tiny archives in the formats of the true ones, with as many files; and what refusing one looks like."""

from __future__ import annotations

import gzip
import io
import struct
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandist.data import DataOptions, load
from gandist.errors import DataError

Files = dict[str, bytes]

CIFAR_BATCHES = [f"data_batch_{number}" for number in range(1, 6)]
CIFAR_IMAGES = np.random.default_rng(0).integers(0, 256, (6, 2, 3, 32, 32), np.uint8)
"""Of six batches, the last that of the test images."""
CIFAR_LABELS = [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [9, 0]]

FASHION_IMAGES = np.random.default_rng(1).integers(0, 256, (7, 28, 28), np.uint8)
"""Five to train, two to test."""


def mnist_arrays() -> dict[str, np.ndarray]:
    """What mnist.npz holds."""
    return {
        "x_train": np.arange(5 * 784).reshape(5, 28, 28).astype(np.uint8),
        "y_train": np.arange(5, dtype=np.uint8),
        "x_test": np.full((2, 28, 28), 7, np.uint8),
        "y_test": np.arange(2, dtype=np.uint8),
    }


def mnist_npz() -> bytes:
    """``mnist.npz``."""
    buffer = io.BytesIO()
    np.savez(buffer, **mnist_arrays())
    return buffer.getvalue()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The files below ``folder``, which is returned."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def idx(array: np.ndarray) -> bytes:
    """A gzipped IDX file of bytes."""
    head = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes())


def fashion_files() -> Files:
    """Fashion-MNIST as it lies in Keras' cache."""
    arrays = {
        "train-images-idx3": FASHION_IMAGES[:5],
        "train-labels-idx1": np.array([9, 0, 3, 3, 7]),
        "t10k-images-idx3": FASHION_IMAGES[5:],
        "t10k-labels-idx1": np.array([1, 2]),
    }
    return {f"fashion-mnist/{name}-ubyte.gz": idx(array) for name, array in arrays.items()}


def cifar_files() -> Files:
    """What is in CIFAR-10's Python archive, by its name within."""
    batches = {
        name: python2_pickle(
            {
                b"batch_label": name.encode(),
                b"labels": labels,
                b"data": images.reshape(len(images), -1),
                b"filenames": [b"a.png", b"b.png"],
            }
        )
        for name, images, labels in zip(
            [*CIFAR_BATCHES, "test_batch"], CIFAR_IMAGES, CIFAR_LABELS, strict=True
        )
    }
    return {f"cifar-10-batches-py/{name}": content for name, content in batches.items()} | {
        "cifar-10-batches-py/batches.meta": python2_pickle({b"label_names": [b"airplane"]}),
        "cifar-10-batches-py/readme.html": b"<html>",
    }


def cifar_binary_files() -> Files:
    """What is in CIFAR-10's binary archive."""
    return {
        f"cifar-10-batches-bin/{name}.bin": b"".join(
            bytes([label]) + image.tobytes() for label, image in zip(labels, images, strict=True)
        )
        for name, images, labels in zip(
            [*CIFAR_BATCHES, "test_batch"], CIFAR_IMAGES, CIFAR_LABELS, strict=True
        )
    }


def tar(files: Mapping[str, bytes], change: Callable[[tarfile.TarInfo], Any] = lambda _: None) -> bytes:
    """A gzipped tar; ``change`` may alter each member's header."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            change(member)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def python2_pickle(value: Any) -> bytes:
    """As Python 2 with an old NumPy has written the files of CIFAR-10: protocol 2, with byte strings."""
    return b"\x80\x02" + _pickled(value) + b"."


def _pickled(value: Any) -> bytes:
    if isinstance(value, dict):
        items = b"".join(_pickled(key) + _pickled(item) for key, item in value.items())
        return b"}(" + items + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(_pickled, value)) + b"e"
    if isinstance(value, int):
        return b"K" + bytes([value]) if value < 256 else b"J" + struct.pack("<i", value)
    if isinstance(value, bytes):
        return b"T" + struct.pack("<i", len(value)) + value
    kind = value.dtype.str[1:].encode()
    shape = b"(" + b"".join(map(_pickled, value.shape)) + b"t"
    dtype = (
        b"cnumpy\ndtype\n" + _pickled(kind) + b"K\x00K\x01\x87R"
        b"(K\x03" + _pickled(b"|") + b"NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\x00tb"
    )
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + _pickled(b"b") + b"\x87R"
    return made + b"(K\x01" + shape + dtype + b"\x89" + _pickled(value.tobytes()) + b"tb"


def refusal(options: DataOptions, folder: Path) -> str:
    """The one line that loading raises."""
    with pytest.raises(DataError) as error:
        load(options, folder)
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 400
    assert str(folder) in text
    assert "a_stranger_was_here" not in sys.modules
    return text


def names(cases: list[tuple[str, Any, str]]) -> list[str]:
    """What is wrong in each case."""
    return [case[0] for case in cases]
