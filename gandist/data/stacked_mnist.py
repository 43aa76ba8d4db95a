"""Stacked MNIST: three random digits as the channels of an image, so 1,000 classes (Metz et al. 2017).

How many of the 1,000 a generator makes says how much of the data it has dropped. Papers count them in 26,000
samples with a classifier of each channel (Metz et al. 2017; Lin et al. 2018, PacGAN, section 4.2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from gandist.activity import Activity, Tell, silent
from gandist.data import DataOptions, Dataset, _mnist
from gandist.order import permutation

CHANNELS, DIGITS = 3, 10
HELD_OUT = 26_000
"""Images of test digits: as many as papers generate."""


class Options(DataOptions):
    """The data section of a job file."""

    features: ClassVar[str] = "mnist"
    name: Literal["stacked_mnist"] = "stacked_mnist"
    images: Annotated[int, Field(ge=1000, le=10**6)] = Field(
        128_000, description="training images; the same ones whatever the seed of a trial"
    )


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """Training images of MNIST's training digits, and held-out ones of its test digits.

    Raises:
        DataError: MNIST is missing and cannot be downloaded, or is not what it should be.
    """
    mnist = _mnist.load(data_dir, tell)
    tell(Activity("stacking digits"))
    train = _chosen(0, len(mnist.images), options.images)
    digits = mnist.labels[train]
    names = tuple(f"{triple:03d}" for triple in range(DIGITS**CHANNELS))
    return Dataset(
        _stacked(mnist.images, train),
        (digits @ np.array([100, 10, 1])).astype(np.int32),
        names,
        _stacked(mnist.held_out, _chosen(CHANNELS, len(mnist.held_out), HELD_OUT)),
    )


def _chosen(seed: int, digits: int, count: int) -> np.ndarray:
    """int32 ``[count, 3]``: which of so many digits each channel shows; each digit as often as any other."""
    passes = -(-count // digits)
    channels = [
        np.concatenate([permutation(seed + channel, epoch, digits) for epoch in range(passes)])[:count]
        for channel in range(CHANNELS)
    ]
    return np.stack(channels, axis=1)


def _stacked(digits: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """uint8 ``[n, 28, 28, 3]`` of digits uint8 ``[m, 28, 28, 1]``."""
    images = np.empty((len(chosen), *digits.shape[1:3], CHANNELS), np.uint8)
    for channel in range(CHANNELS):
        images[..., channel] = digits[chosen[:, channel], ..., 0]
    return images
