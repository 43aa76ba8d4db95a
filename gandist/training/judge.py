"""The discriminator as it stands, in inference mode: judges images for metrics and for a histogram."""

from __future__ import annotations

import numpy as np

from gandist import models
from gandist.spec.job import TrialSpec
from gandist.training.gan import GAN

BATCH = 256


class Discriminator:
    """A plain copy of a trial's discriminator; a ``metrics.Judge``.

    Args:
        trial: whose.
        gan: its networks.
        image_shape: ``(height, width, channels)``.
        classes: of a conditional trial, else 0.
    """

    def __init__(self, trial: TrialSpec, gan: GAN, image_shape: tuple[int, int, int], classes: int) -> None:
        self._output, self._live, self._classes = trial.loss.output, gan.discriminator, classes
        # The networks themselves live in the strategy's scope.
        self._network = models.build_discriminator(trial.model, image_shape, classes)

    def update(self) -> None:
        """Take the live weights."""
        for own, live in zip(self._network.variables, self._live.variables, strict=True):
            own.assign(live.value.numpy())

    def __call__(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """What it says: float64 ``[n]``, probabilities under a cross-entropy, else scores.

        Args:
            images: uint8 ``[n, height, width, channels]``.
            labels: int32 ``[n]``; not looked at by an unconditional discriminator.
        """
        found = []
        for start in range(0, len(images), BATCH):
            part = images[start : start + BATCH].astype(np.float32) / 127.5 - 1.0
            inputs = [part, labels[start : start + BATCH]] if self._classes else part
            found.append(np.ravel(self._output(self._network(inputs, training=False))))
        return np.concatenate(found).astype(np.float64)
