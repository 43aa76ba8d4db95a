"""The discriminator first, ``n_critic`` times (Goodfellow et al. 2014, algorithm 1), then the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandist import lazy_tensorflow as tf
from gandist.spec.schedules import Clock
from gandist.updates._base import Update

if TYPE_CHECKING:
    from gandist.randomness import Randomness
    from gandist.updates._base import Batch, Metrics, Networks


class Rule(Update):
    """The discriminator, then the generator against what it has become."""

    def step(self, gan: Networks, batch: Batch, randomness: Randomness, clock: Clock) -> Metrics:
        """Update both."""
        n_critic = batch.images.shape[0]
        metrics: Metrics = {}
        for k in range(n_critic):
            draw, update = randomness.stream(f"discriminator{k}"), clock.step * n_critic + k
            images, labels = batch.images[k], batch.labels[k]
            gan.discriminator_player.prepare()
            fake_images = gan.generate(labels, draw)
            with tf.GradientTape() as tape:
                judged = gan.discriminator_terms(images, fake_images, labels, draw, update, clock)
            now = gan.discriminator_player.apply(tape, judged, update, clock)
            metrics = gan.discriminator_player.latest(metrics, now)
        return metrics | gan.update_generator(
            batch.labels[-1], randomness.stream("generator"), clock, batch.images[-1]
        )
