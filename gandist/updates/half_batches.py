"""The discriminator on half a batch of real images, then on half a batch of generated ones, as two updates.

So the loops of ``train_on_batch`` do it. They generate with ``predict``, so batch norm uses its moving
statistics; the generator is then updated on a whole batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gandist import lazy_tensorflow as tf
from gandist.spec.schedules import Clock
from gandist.updates._base import Update

if TYPE_CHECKING:
    from gandist.randomness import Randomness
    from gandist.updates._base import Batch, Metrics, Networks


class Rule(Update):
    """The discriminator by halves, ``n_critic`` times, then the generator."""

    joint: ClassVar[bool] = False
    halves: ClassVar[bool] = True

    def step(self, gan: Networks, batch: Batch, randomness: Randomness, clock: Clock) -> Metrics:
        """Update both."""
        n_critic = batch.images.shape[0]
        for k in range(n_critic):
            draw, labels = randomness.stream(f"discriminator{k}"), batch.labels[k]
            update = 2 * (clock.step * n_critic + k)
            gan.discriminator_player.prepare()
            with tf.GradientTape() as tape:
                real = gan.real_terms(batch.images[k], labels, draw)
            of_real = gan.discriminator_player.apply(tape, real, update, clock)
            gan.discriminator_player.prepare()
            fake_images = gan.generate(labels, draw, training=False)
            with tf.GradientTape() as tape:
                fake = gan.fake_terms(fake_images, labels, draw)
            of_fake = gan.discriminator_player.apply(tape, fake, update + 1, clock)
            metrics = of_real | of_fake | {"d_loss": of_real["d_loss"] + of_fake["d_loss"]}
        # Repeated one by one, not as a row: so replicas pair labels and latents as one would.
        labels = tf.repeat(batch.labels[-1], 2)
        return metrics | gan.update_generator(labels, randomness.stream("generator"), clock)
