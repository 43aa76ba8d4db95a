"""What a metric is given, and what it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import ClassVar, TypeVar

import numpy as np

from gandist.features import Seen

T = TypeVar("T")


class Need(Enum):
    """What a metric cannot do without."""

    LOGITS = "features of a classifier"
    CONDITIONAL = "model.conditional: true"
    UNCONDITIONAL = "model.conditional: false"
    HELD_OUT = "data with held-out images"


Judge = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""The discriminator in inference mode: images uint8 ``[n, height, width, channels]`` and labels int32 ``[n]``
to float64 ``[n]``; probabilities under a cross-entropy, else scores."""


class Images:
    """Images, and what the feature network sees in them, looked at when it is first asked for.

    Attributes:
        pixels: uint8 ``[n, height, width, channels]``.
        labels: int32 ``[n]``: the classes that they are of, or that a conditional generator was asked for;
            None where there are none.

    Args:
        pixels: the images.
        labels: their classes.
        look: called once, where features or logits are needed.
    """

    def __init__(self, pixels: np.ndarray, labels: np.ndarray | None, look: Callable[[], Seen]) -> None:
        self.pixels, self.labels, self._look = pixels, labels, look
        self._known: dict[str, object] = {}

    def __len__(self) -> int:
        return len(self.pixels)

    @cached_property
    def seen(self) -> Seen:
        """What the network sees."""
        return self._look()

    @property
    def features(self) -> np.ndarray:
        """float32 ``[n, d]``."""
        return self.seen.features

    @property
    def logits(self) -> np.ndarray | None:
        """float32 ``[n, classes]`` or ``[n, channels, classes]``; None of a network that is no classifier."""
        return self.seen.logits

    def once(self, what: str, compute: Callable[[], T]) -> T:
        """What ``compute`` returns, called once for these images and ``what``."""
        if what not in self._known:
            self._known[what] = compute()
        return self._known[what]  # type: ignore[return-value]


@dataclass(frozen=True)
class Sets:
    """What is compared.

    Attributes:
        generated: the images that are measured.
        real: what they are measured against: images that it was not trained on, where there are any.
        training: all images that the generator was trained on.
        class_names: of the labels; empty for none.
        judge: the discriminator; None where real images take the place of generated ones, for a floor.
        unseen: whether ``real`` are images that the generator was not trained on.
    """

    generated: Images
    real: Images
    training: Images
    class_names: tuple[str, ...] = ()
    judge: Judge | None = None
    unseen: bool = True


@dataclass(frozen=True)
class Value:
    """One value of a metric.

    Attributes:
        name: what it is called in tables: ``frechet``, ``precision``.
        value: may be NaN or infinite where the images allow no other.
        lower_is_better: which direction is better.
        error: its standard error; None where it is not known.
        floor: what a perfect generator would have at this number of images; None where it is not known.
    """

    name: str
    value: float
    lower_is_better: bool
    error: float | None = None
    floor: float | None = None


class Metric(ABC):
    """A metric that is a class of a plug-in; gandist's own are modules with the same names in them.

    The value that decides, where something is chosen by the metric, is the one that has the metric's name.
    """

    name: ClassVar[str]
    HAS_FLOOR: ClassVar[bool] = False
    """Whether its values of real training images in place of generated ones stand beside it."""
    NEEDS: ClassVar[frozenset[Need]] = frozenset()
    """What it gives no values without."""

    @abstractmethod
    def measure(self, sets: Sets) -> list[Value]:
        """One value or several, or none where the sets allow none; the same ones each time."""
