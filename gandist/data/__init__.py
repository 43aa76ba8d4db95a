"""Data sets, one file each: ``Options``, its section of a job file, and ``load(options, data_dir, tell)``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from gandist.activity import Activity, Tell, silent
from gandist.order import permutation
from gandist.spec.base import Section
from gandist.spec.variants import Kind, choice, home

SHOWN = 10
"""Classes that a summary names."""


class DataOptions(Section):
    """What every data set takes."""

    features: ClassVar[str] = "pixels"
    """What its images are compared by, unless a job says otherwise: a name in gandist/features/."""
    places: ClassVar[tuple[str, ...]] = ()
    """Fields that say where files of the user's own lie."""
    name: str
    batch_size: Annotated[int, Field(ge=1)] = Field(256, description="images a step, over all replicas")

    def located(self, folders: Sequence[Path], data_dir: Path | None) -> Self:
        """With its ``places`` absolute that lie in one of ``folders``, unless they lie below ``data_dir``."""
        found: dict[str, str] = {}
        for name in self.places:
            path = Path(os.path.expanduser(getattr(self, name)))  # noqa: PTH111 - Path's raises without a home
            if data_dir is None or not _is_there(data_dir / path):
                there = (folder / path for folder in folders)
                found[name] = next(
                    (str(place.absolute()) for place in there if _is_there(place)), getattr(self, name)
                )
        return self.model_copy(update=found)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # which whoever reads it will tell of
        return False


@dataclass(frozen=True)
class Dataset:
    """Images as they lie on the device or in a file, and what they show.

    Attributes:
        images: uint8 ``[n, height, width, channels]``; may be memory-mapped.
        labels: int32 ``[n]``, indices of ``class_names``.
        class_names: one name a class; empty where the data set has no labels, which are then all 0.
        held_out: uint8 ``[m, height, width, channels]``: the test split, never trained on; may be empty.
        shaped: how pictures became images, where they were not of that size.
        left_out: a line each on what is not among them, and why.
        known: its fingerprint, where that was computed before.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...] = ()
    held_out: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))
    shaped: str = ""
    left_out: tuple[str, ...] = ()
    known: str = ""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(height, width, channels)``."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the training images and labels: equal for equal content, in whatever file it lies."""
        return self.known or self.computed_fingerprint()

    def computed_fingerprint(self, tell: Tell = silent) -> str:
        """From all images; ``tell`` is told how many."""
        digest = hashlib.sha256(repr((self.images.shape, self.class_names)).encode())
        for start in range(0, len(self), 4096):  # a memory-mapped set may be larger than memory
            digest.update(self.images[start : start + 4096].tobytes())
            tell(Activity("checking images", start, len(self)))
        digest.update(self.labels.tobytes())
        return digest.hexdigest()[:16]

    @property
    def lines(self) -> tuple[str, ...]:
        """What to tell of it."""
        return self.summary, *self.left_out

    @property
    def summary(self) -> str:
        """``24 pictures 28x28x3, 2 classes (cats: 12, dogs: 12), 10 held out``."""
        height, width, channels = self.image_shape
        parts = [
            f"{len(self):,} pictures {height}x{width}x{channels}" + (f" ({self.shaped})" * bool(self.shaped))
        ]
        if names := self.class_names:
            counts = np.bincount(self.labels, minlength=len(names))
            shown = [f"{name}: {count:,}" for name, count in zip(names[:SHOWN], counts, strict=False)]
            more = [f"and {len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
            noun = "class" if len(names) == 1 else "classes"
            parts.append(f"{len(names):,} {noun} ({', '.join(shown + more)})")
        if len(self.held_out):
            parts.append(f"{len(self.held_out):,} held out")
        return ", ".join(parts)

    def some(self, count: int, classes: int = 0) -> np.ndarray:
        """The same images each time: ``count``, or all where there are fewer.

        Args:
            count: how many.
            classes: with them the classes take turns, image by image.

        Returns:
            uint8 ``[n, height, width, channels]``.
        """
        order = permutation(0, 0, len(self))
        if classes:
            of_class = [order[self.labels[order] == label] for label in range(classes)]
            turns = [np.resize(own if own.size else order, count) for own in of_class]
            order = np.stack(turns, axis=1).ravel()
        return np.asarray(self.images[order[:count]])

    def __len__(self) -> int:
        return len(self.images)


def load(options: DataOptions, data_dir: Path | None, tell: Tell = silent) -> Dataset:
    """Load the training images that ``options`` names.

    Args:
        options: the data section of a trial.
        data_dir: where data files lie; None = the cache of the data set's own downloader.
        tell: told how decoding, downloading and waiting get on.

    Raises:
        DataError: the data set is missing, unreachable, or not what its name says.
    """
    dataset: Dataset = home(options).load(options, data_dir, tell)
    return dataset


if TYPE_CHECKING:
    Data = DataOptions
else:
    Data = choice(Kind(__name__, DataOptions, functions=("load",)))
