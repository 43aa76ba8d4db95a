"""CIFAR-10 (Krizhevsky 2009): its archive, packed or not, from a data directory or by Keras' downloader.

The authors publish it as Python pickles, which Keras uses, and in a binary form; either will do. No pickle is
given anything to call: of those in the archive, only what makes up an array is understood.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset, _archives
from gandist.errors import DataError

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
# Under the name that Keras' own loader gives it, so that both share one download.
ARCHIVE = _archives.Archive(
    "cifar-10-batches-py-target_archive",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)
PACKED = (
    *("cifar-10-python.tar.gz", "cifar-10-batches-py.tar.gz", ARCHIVE.path),
    "cifar-10-binary.tar.gz",
)
UNPACKED = (
    *("cifar-10-batches-py", f"{ARCHIVE.path.removesuffix('_archive')}/cifar-10-batches-py"),
    "cifar-10-batches-bin",
)
BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
SHAPE = (3, 32, 32)
BYTES = 3 * 32 * 32


class Options(DataOptions):
    """The data section of a job file."""

    features: ClassVar[str] = "classifier"
    name: Literal["cifar10"] = "cifar10"


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """The 50,000 training images in colour, and the 10,000 test images held out.

    Raises:
        DataError: the archive is missing and cannot be downloaded, or does not hold what it should.
    """
    path = ARCHIVE.download(tell) if data_dir is None else _find(data_dir)
    batches = _read(path)
    images, labels = zip(*(_parse(path, name, content) for name, content in batches.items()), strict=True)
    *_, held_out = images
    return Dataset(np.concatenate(images[:-1]), np.concatenate(labels[:-1]), CLASSES, held_out)


def _find(data_dir: Path) -> Path:
    found = [path for name in (*UNPACKED, *PACKED) if (path := data_dir / name).exists()]
    if not found:
        raise DataError(
            f"{data_dir}: holds none of {', '.join((*PACKED, *UNPACKED))}; put one of them there, "
            "or leave --data-dir out to have it downloaded"
        )
    return found[0]


def _read(path: Path) -> dict[str, bytes]:
    """The content of each batch, of the test images last."""
    pickles = (*BATCHES, TEST)
    binary = tuple(f"{name}.bin" for name in pickles)
    with _archives.reading(path, "CIFAR-10"):
        if path.is_dir():
            names = binary if (path / binary[0]).exists() else pickles
            return {name: _archives.read_file(path / name) for name in names}
        found = _archives.read_tar(path, pickles, binary)
    return {name: found[name] for name in (pickles if found.keys() >= set(pickles) else binary)}


def _parse(path: Path, name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 ``[n, 32, 32, 3]`` and labels int32 ``[n]`` of one batch."""
    with _archives.reading(path, f"CIFAR-10: {name}"):
        if name.endswith(".bin"):
            records = np.frombuffer(content, np.uint8).reshape(-1, 1 + BYTES)
            images, labels = records[:, 1:], records[:, 0]
        else:
            batch = _Batch(io.BytesIO(content), encoding="bytes").load()
            images, labels = _array(batch[b"data"]), np.asarray(batch[b"labels"])
    where = f"{path}: {name}"
    images, labels = _archives.checked(where, images, labels, shape=(BYTES,), classes=len(CLASSES))
    return np.ascontiguousarray(images.reshape(-1, *SHAPE).transpose(0, 2, 3, 1)), labels


class _Array:
    """Stands in for NumPy's arrays and types: keeps what it is given, and calls nothing."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Batch(pickle._Unpickler):  # the one in Python: that in C allocates whatever a stranger's index says
    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype"):
            return _Array
        raise pickle.UnpicklingError(f"refused: {module}.{name} is no part of an array")


def _array(found: _Array) -> np.ndarray:
    """What NumPy would make of a pickled array of bytes."""
    _, shape, dtype, fortran, content = found.state
    if dtype.arguments[0] not in ("u1", b"u1") or fortran:
        raise ValueError("data is no array of bytes, row after row")
    return np.frombuffer(content, np.uint8).reshape(shape)
