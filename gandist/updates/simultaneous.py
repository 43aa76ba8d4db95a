"""Both gradients from one forward pass, taken before either network moves (the tutorials' DCGAN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gandist import lazy_tensorflow as tf
from gandist.spec.schedules import Clock
from gandist.updates._base import Update

if TYPE_CHECKING:
    from gandist.randomness import Randomness
    from gandist.updates._base import Batch, Metrics, Networks


class Rule(Update):
    """One update of the discriminator, at the same time as the generator's."""

    several: ClassVar[bool] = False

    def step(self, gan: Networks, batch: Batch, randomness: Randomness, clock: Clock) -> Metrics:
        """Update both."""
        images, labels = batch.images[0], batch.labels[0]
        gan.discriminator_player.prepare()
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake_images = gan.generate(labels, randomness)
            judged = gan.discriminator_terms(images, fake_images, labels, randomness, clock.step, clock)
            drawn = gan.generator_terms(judged.fake, judged.real, labels, randomness, clock)
        metrics = gan.generator_player.apply(generator_tape, drawn, clock.step, clock)
        return metrics | gan.discriminator_player.apply(discriminator_tape, judged, clock.step, clock)
