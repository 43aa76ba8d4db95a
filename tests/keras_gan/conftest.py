"""A few digits, and GANs that are quickly traced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gandist.data import digits
from tests.training.conftest import TINY

IMAGES = 48
BATCH = 8


@pytest.fixture(scope="package")
def images(devices: None) -> np.ndarray:
    """uint8 ``[48, 28, 28, 1]``."""
    whole: np.ndarray = digits.load(digits.Options(), None).images[:IMAGES]
    return whole


@pytest.fixture(scope="package")
def labels() -> np.ndarray:
    """int32 ``[48]``, of ten classes."""
    whole: np.ndarray = digits.load(digits.Options(), None).labels[:IMAGES]
    return whole


def tiny_gan(**sections: Any) -> Any:
    """Compiled; of ``TINY``'s sections unless others are given."""
    import gandist.keras

    gan = gandist.keras.GAN(**{"model": TINY["model"], "seed": 3, **sections})
    gan.compile(optimizer=TINY["optimizer"])
    return gan
