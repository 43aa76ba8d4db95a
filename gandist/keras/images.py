"""Arrays of images and labels as ``fit`` takes them, made what training takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gandist.data import Dataset
from gandist.errors import UsageError
from gandist.sampling.sampler import quantised

SHAPES = "[n, height, width], or [n, height, width, channels] with 1 or 3 channels"


def dataset(images: Any, labels: Any = None) -> Dataset:
    """A data set of the classes 0, 1, ... up to the largest label.

    Args:
        images: uint8, or float from -1 to 1; float is rounded to 256 levels, as pixels are.
        labels: int ``[n]``, or None.

    Raises:
        UsageError: they are something else; it says what is allowed.
    """
    pixels = _pixels(np.asarray(images))
    if labels is None:
        return Dataset(pixels, np.zeros(len(pixels), np.int32))
    classes = np.asarray(labels)
    if classes.ndim == 2 and classes.shape[1] == 1:  # as keras.datasets.cifar10 has them
        classes = classes[:, 0]
    if classes.shape != (len(pixels),) or classes.dtype.kind not in "iu" or classes.min() < 0:
        raise UsageError(
            f"labels: {classes.dtype} {list(classes.shape)}; give an int from 0 on for each of the "
            f"{len(pixels):,} images"
        )
    names = tuple(str(index) for index in range(int(classes.max()) + 1))
    return Dataset(pixels, classes.astype(np.int32), names)


def _pixels(images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or not images.size:
        raise UsageError(f"images: of shape {list(images.shape)}; give {SHAPES}")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise UsageError(f"images: {images.dtype}; give uint8 from 0 to 255, or float from -1 to 1")
    low, high = float(images.min()), float(images.max())
    if not (-1.0 <= low < 0.0 and high <= 1.0):  # from 0 to 1 is no mistake that training would show
        raise UsageError(f"images: float from {low:g} to {high:g}; give float from -1 to 1, or uint8")
    return quantised(images)
