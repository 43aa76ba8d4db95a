"""MNIST (LeCun et al. 1998): ``mnist.npz`` in Keras' layout, from a data directory or Keras' downloader."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset, _archives

ARCHIVE = _archives.Archive(
    "mnist.npz",
    _archives.KERAS + "mnist.npz",
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)


class Options(DataOptions):
    """The data section of a job file."""

    name: Literal["mnist"] = "mnist"


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """The 60,000 training images, and the 10,000 test images held out.

    Raises:
        DataError: the file is missing and cannot be downloaded, or does not hold what it should.
    """
    path = ARCHIVE.find(data_dir)
    images, labels = _read(path, "train")
    held_out, _ = _read(path, "test")
    return Dataset(images, labels, tuple("0123456789"), held_out)


def _read(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    names = (f"x_{split}", f"y_{split}")
    with _archives.reading(path, f"Keras' {ARCHIVE.name}"):
        arrays = [_archives.read_npz(path, name) for name in names]
    return _archives.checked(str(path), *arrays, shape=(28, 28), classes=10, names=names)
