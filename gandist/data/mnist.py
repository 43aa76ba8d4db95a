"""MNIST (LeCun et al. 1998): Keras' ``mnist.npz`` or the authors' idx files, or downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset, _mnist


class Options(DataOptions):
    """The data section of a job file."""

    features: ClassVar[str] = "mnist"
    name: Literal["mnist"] = "mnist"


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """The 60,000 training images, and the 10,000 test images held out.

    Raises:
        DataError: the files are missing and cannot be downloaded, or do not hold what they should.
    """
    return _mnist.load(data_dir, tell)
