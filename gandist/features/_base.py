"""What every feature network is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from gandist.activity import Tell, silent
from gandist.spec.base import Section


class FeatureOptions(Section):
    """What every feature network takes."""

    classifies: ClassVar[bool | None] = False
    """Whether it tells the classes of images, which some metrics need; None where that is known later."""
    name: str


@dataclass(frozen=True)
class Seen:
    """What a network sees in ``n`` images.

    Attributes:
        features: float32 ``[n, d]``.
        logits: float32 ``[n, classes]``, or ``[n, channels, classes]`` where each channel was looked at by
            itself; None of a network that is no classifier.
    """

    features: np.ndarray
    logits: np.ndarray | None = None


class Network(Protocol):
    """A feature network with its weights."""

    @property
    def id(self) -> str:
        """``<name>-<hash of the weights>``: equal for equal features of equal images."""

    @property
    def about(self) -> str:
        """What a person should know of it besides, as its accuracy; may be empty."""

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """What it sees in images uint8 ``[n, height, width, channels]``; ``tell`` is told of each batch."""
