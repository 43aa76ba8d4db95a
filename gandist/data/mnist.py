"""MNIST (LeCun et al. 1998): ``mnist.npz`` in Keras' layout, from a data directory or Keras' downloader."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

import numpy as np

from gandist.data import DataOptions, Dataset
from gandist.errors import DataError

FILE = "mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


class Options(DataOptions):
    """The data section of a job file."""

    name: Literal["mnist"] = "mnist"


def load(options: Options, data_dir: Path | None) -> Dataset:
    """The 60,000 training images.

    Raises:
        DataError: the file is missing and cannot be downloaded, or does not hold what it should.
    """
    path = _download() if data_dir is None else data_dir / FILE
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; put Keras' {FILE} there, or leave --data-dir out to have it downloaded"
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["x_train"], arrays["y_train"]
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not Keras' {FILE}: {str(error).splitlines()[0]}") from error
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DataError(f"{path}: x_train is {images.dtype}{list(images.shape)}, not uint8[n, 28, 28]")
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "ui" or not len(labels):
        raise DataError(
            f"{path}: y_train is {labels.dtype}{list(labels.shape)}, not integers [{len(images)}]"
        )
    return Dataset(images[..., np.newaxis], labels.astype(np.int32))


def _download() -> Path:
    import keras

    try:
        return Path(keras.utils.get_file(FILE, origin=ORIGIN, file_hash=SHA256))
    except Exception as error:  # Keras raises bare Exception for an unreachable host
        raise DataError(
            f"mnist: not in Keras' cache, and the download failed ({str(error).splitlines()[0]}); "
            f"fetch {FILE} by hand and name its directory with --data-dir or GANDIST_DATA_DIR"
        ) from error
