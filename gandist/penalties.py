"""Penalties on the discriminator's gradient with respect to its input, one value per sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gandist.section import Section

if TYPE_CHECKING:
    import tensorflow as tf


class PenaltyOptions(Section):
    """A term of the discriminator's loss."""

    name: str

    def __call__(
        self, discriminate: Callable[[tf.Tensor], tf.Tensor], real_images: tf.Tensor, fake_images: tf.Tensor
    ) -> tf.Tensor:
        """The penalty float32 ``[batch]``; ``discriminate`` maps images to logits, without dropout."""
        raise TypeError(f"{type(self).__name__} cannot be called")


class R1(PenaltyOptions):
    """gamma / 2 * |grad D(x)|^2 on real images (Mescheder et al. 2018, equation 9)."""

    name: Literal["r1"] = "r1"
    gamma: Annotated[float, Field(gt=0)] = 10.0

    def __call__(
        self, discriminate: Callable[[tf.Tensor], tf.Tensor], real_images: tf.Tensor, fake_images: tf.Tensor
    ) -> tf.Tensor:
        """The penalty float32 ``[batch]``."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(real_images)
            # The sum's gradient is each sample's own: without batch norm, samples do not meet.
            score = tf.reduce_sum(discriminate(real_images))
        gradient = tape.gradient(score, real_images)
        return 0.5 * self.gamma * tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3])
