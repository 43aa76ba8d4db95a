"""scikit-learn's bundled handwritten digits, scaled from 8x8 to 28x28: needs no network and no files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from gandist.data import DataOptions, Dataset

SIZE = 28


class Options(DataOptions):
    """The data section of a job file."""

    name: Literal["digits"] = "digits"


def load(options: Options, data_dir: Path | None) -> Dataset:
    """All 1,797 digits (Alpaydin & Kaynak 1998); ``data_dir`` is not needed."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    # 8x8 values of 0..16 become 0..255; cubic interpolation keeps strokes smooth, PIL clips its overshoot.
    small = np.round(digits.images * (255 / 16)).astype(np.uint8)
    scaled = [
        np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for image in small
    ]
    return Dataset(np.stack(scaled)[..., np.newaxis], digits.target.astype(np.int32))
