"""The discriminator as images come to it in training: in packs, augmented, with their labels."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from gandist.augmentations import Augmentation
from gandist.layers import conditional, packing
from gandist.layers.walk import layers_of
from gandist.models import ModelOptions
from gandist.randomness import Randomness, layers_draw_from
from gandist.spec.schedules import Clock
from gandist.training.state import State
from gandist.updates import Judged, Metrics


class Critic:
    """Built within a strategy's scope; called in its replicas.

    Attributes:
        state: of the augmentation.
        draws: whether what is said of images is random.

    Args:
        network: the discriminator.
        model: its options.
        augmentation: of single images, before they are packed.
        images_per_update: real images that an update sees, of all replicas.
    """

    def __init__(
        self,
        network: keras.Model,
        model: ModelOptions,
        augmentation: Augmentation | None,
        images_per_update: int,
    ) -> None:
        self._network, self._packing, self._augmentation = network, model.packing, augmentation
        self._images_per_update = images_per_update
        self.state = State(augmentation.state if augmentation else {})
        self.draws = augmentation is not None or any(
            getattr(layer, "draws", False) for layer in layers_of(network)
        )

    def packed(self, images: tf.Tensor) -> tf.Tensor:
        """``[batch, height, width, channels]`` as the discriminator takes them."""
        return packing.packed(images, self._packing)

    def judge(self, packs: tf.Tensor, labels: tf.Tensor, randomness: Randomness) -> Judged:
        """What it says of ``packed`` images in an update."""
        with layers_draw_from(randomness.stream("discriminator_layers")):
            said = conditional.judged(self._network, self._augmented(packs, randomness), labels, True)
        return Judged(*said)

    def score(self, labels: tf.Tensor, randomness: Randomness) -> Callable[[tf.Tensor], tf.Tensor]:
        """Its logits as regularizers see them, a function of ``packed`` images: without dropout."""

        def score(packs: tf.Tensor) -> tf.Tensor:
            augmented = self._augmented(packs, randomness.stream("regularized"))
            return conditional.judged(self._network, augmented, labels, False)[0]

        return score

    def figures(self, real: Judged) -> Metrics:
        """What the augmentation has to know of real images, per sample."""
        return dict(self._augmentation.figures(real.logits)) if self._augmentation else {}

    def adapt(self, metrics: Metrics, clock: Clock) -> None:
        """Let the augmentation remember an update of the discriminator that has seen real images."""
        if self._augmentation is None or "d_real" not in metrics:
            return
        before = self.state.read()
        self.state.write(self._augmentation.advance(before, metrics, self._images_per_update, clock))

    def _augmented(self, packs: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        if self._augmentation is None:
            return packs
        images = packing.unpacked(packs, self._packing)
        return self.packed(self._augmentation.apply(images, randomness, self.state.read()))
