"""scikit-learn's bundled handwritten digits, scaled from 8x8 into MNIST's frame: no network, no files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset

SIZE, BORDER = 28, 3
CONTRAST = 1.7
"""Interpolation turns an edge into a ramp; this makes it an edge again, and strokes readable."""


class Options(DataOptions):
    """The data section of a job file."""

    features: ClassVar[str] = "mnist"
    name: Literal["digits"] = "digits"


def load(options: Options, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """All 1,797 digits (Alpaydin & Kaynak 1998); ``data_dir`` is not needed."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    inner = SIZE - 2 * BORDER
    # Values of 0..16 become 0..255.
    small = np.round(digits.images * (255 / 16)).astype(np.uint8)
    scaled = [Image.fromarray(image).resize((inner, inner), Image.Resampling.BICUBIC) for image in small]
    sharp = (np.stack([np.asarray(image) for image in scaled]) - 127.5) * CONTRAST + 127.5
    framed = np.pad(
        np.clip(np.rint(sharp), 0, 255).astype(np.uint8), ((0, 0), (BORDER, BORDER), (BORDER, BORDER))
    )
    return Dataset(framed[..., np.newaxis], digits.target.astype(np.int32), tuple("0123456789"))
