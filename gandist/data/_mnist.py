"""MNIST (LeCun et al. 1998): Keras' ``mnist.npz`` or the authors' idx files, or downloaded."""

from __future__ import annotations

from pathlib import Path

from gandist.activity import Tell
from gandist.data import Dataset, _archives, _mnist_like

ARCHIVE = _archives.Archive(
    "mnist.npz",
    _archives.KERAS + "mnist.npz",
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)
MNIST = _mnist_like.Kind("MNIST", ARCHIVE.name, ("", "MNIST/raw", "mnist", "raw"), tuple("0123456789"))


def load(data_dir: Path | None, tell: Tell) -> Dataset:
    """The 60,000 training images, and the 10,000 test images held out.

    Raises:
        DataError: the files are missing and cannot be downloaded, or do not hold what they should.
    """
    if data_dir is None:
        return _mnist_like.from_npz(MNIST, ARCHIVE.download(tell))
    return _mnist_like.load(MNIST, data_dir)
