"""What a trained discriminator says of single images, for a histogram."""

from __future__ import annotations

import numpy as np

from gandist import models
from gandist.spec import TrialSpec
from gandist.training.gan import GAN

IMAGES = 1000
"""Of each kind."""
BATCH = 256


def discriminator_outputs(
    trial: TrialSpec, gan: GAN, images: np.ndarray, labels: np.ndarray, classes: int
) -> np.ndarray:
    """The discriminator's outputs in inference mode, float32 ``[n]``.

    Probabilities under a cross-entropy, else scores.

    Args:
        trial: the trial.
        gan: its networks.
        images: uint8 ``[n, height, width, channels]``.
        labels: int32 ``[n]``; not looked at by an unconditional discriminator.
        classes: of a conditional one, else 0.
    """
    height, width, channels = images.shape[1:]
    # A plain copy: the networks themselves live in the strategy's scope.
    network = models.build_discriminator(trial.model, (height, width, channels), classes)
    for own, live in zip(network.variables, gan.discriminator.variables, strict=True):
        own.assign(live.value.numpy())
    found = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH].astype(np.float32) / 127.5 - 1.0
        inputs = [part, labels[start : start + BATCH]] if classes else part
        found.append(np.ravel(trial.loss.output(network(inputs, training=False))))
    return np.concatenate(found).astype(np.float32)
