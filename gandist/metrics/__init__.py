"""Distances between generated images and real ones, one file each; a file's name is what a job file calls it.

Each file has ``LOWER_IS_BETTER`` and ``Reference(real)``, which looks at the real images once, whatever is
then compared with them. No metric downloads anything, trains anything or draws a random number.
"""

from __future__ import annotations

import importlib
from typing import Protocol

import numpy as np


class Reference(Protocol):
    """The real images, prepared."""

    def __init__(self, real: np.ndarray) -> None:
        """Real images uint8 ``[n, height, width, channels]``."""

    @property
    def protocol(self) -> str:
        """What a value rests on, but for the images: values of different protocols are not comparable."""

    def compare(self, generated: np.ndarray) -> float:
        """The value for images uint8 ``[m, height, width, channels]``."""


def prepare(name: str, real: np.ndarray) -> Reference:
    """The metric ``name`` against ``real``, uint8 ``[n, height, width, channels]``."""
    reference: Reference = importlib.import_module(f"{__name__}.{name}").Reference(real)
    return reference


def lower_is_better(name: str) -> bool:
    """Whether a smaller value of the metric ``name`` is the better one."""
    return bool(importlib.import_module(f"{__name__}.{name}").LOWER_IS_BETTER)
