"""What every feature network is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gandist.activity import Tell, silent
from gandist.spec.base import Section


class FeatureOptions(Section):
    """What every feature network takes."""

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

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """What it sees in images uint8 ``[n, height, width, channels]``; ``tell`` is told of each batch."""
