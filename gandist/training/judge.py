"""The discriminator as it stands, in inference mode: judges images for metrics and for a histogram."""

from __future__ import annotations

import numpy as np

from gandist import models
from gandist.layers import conditional, packing
from gandist.order import permutation
from gandist.spec.trial import TrialSpec
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
        self._output, self._live = trial.loss.output, gan.discriminator
        self._packing = trial.model.packing
        self._sees_several = self._packing > 1 or trial.model.minibatch_std is not None
        # The networks themselves live in the strategy's scope.
        self._network = models.build_discriminator(trial.model, image_shape, classes)

    def update(self) -> None:
        """Take the live weights."""
        for own, live in zip(self._network.variables, self._live.variables, strict=True):
            own.assign(live.value.numpy())

    def __call__(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """What it says: float64 ``[n]``, probabilities under a cross-entropy, else scores.

        A discriminator that sees several images at once (packing, minibatch standard deviation) is shown them
        in a random order that is always the same, and what it says is in no particular one: as they stand,
        neighbours may be of one class. Of packs it gives one value each, float64 ``[ceil(n / packing)]``; the
        last one is filled up with the first images.

        Args:
            images: uint8 ``[n, height, width, channels]``.
            labels: int32 ``[n]``; not looked at by a discriminator that takes none.
        """
        order = permutation(0, 0, len(images)) if self._sees_several else np.arange(len(images))
        order = np.resize(order, -(-len(order) // self._packing) * self._packing)
        found = []
        for chosen in np.split(order, range(BATCH * self._packing, len(order), BATCH * self._packing)):
            part = packing.packed(images[chosen].astype(np.float32) / 127.5 - 1.0, self._packing)
            logits, _ = conditional.judged(self._network, part, labels[chosen], training=False)
            found.append(np.ravel(self._output(logits)))
        return np.concatenate(found).astype(np.float64)
