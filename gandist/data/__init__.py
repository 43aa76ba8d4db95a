"""Data sets, one file each: ``Options``, its section of a job file, and ``load(options, data_dir)``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from gandist.section import Section, module_of


class DataOptions(Section):
    """What every data set takes."""

    name: str
    batch_size: Annotated[int, Field(ge=1)] = Field(256, description="images a step, over all replicas")


@dataclass(frozen=True)
class Dataset:
    """Images as they lie on the device: uint8 ``[n, height, width, channels]``, and labels int32 ``[n]``."""

    images: np.ndarray
    labels: np.ndarray

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(height, width, channels)``."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    def __len__(self) -> int:
        return len(self.images)


def load(options: DataOptions, data_dir: Path | None) -> Dataset:
    """Load the training images that ``options`` names.

    Args:
        options: the data section of a trial.
        data_dir: where data files lie; None = the cache of the data set's own downloader.

    Raises:
        DataError: the data set is missing, unreachable, or not what its name says.
    """
    dataset: Dataset = module_of(options).load(options, data_dir)
    return dataset
