"""What restrains the discriminator: penalties on its gradient, one value per sample, and clipped weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gandist.spec.base import Positive, Section

if TYPE_CHECKING:
    import tensorflow as tf

    from gandist.randomness import Randomness


class PenaltyOptions(Section):
    """A term of the discriminator's loss, or a limit to its weights."""

    of_gradients: ClassVar[bool] = True
    bounds_the_slope: ClassVar[bool] = False

    name: str

    @property
    def interval(self) -> int:
        """The penalty is added to each so many-th discriminator update."""
        return 1

    def per_sample(
        self,
        discriminate: Callable[[tf.Tensor], tf.Tensor],
        real_images: tf.Tensor,
        fake_images: tf.Tensor,
        randomness: Randomness,
    ) -> tf.Tensor:
        """The penalty float32 ``[batch]``.

        Args:
            discriminate: images to logits, without dropout.
            real_images: ``[batch, height, width, channels]``.
            fake_images: of the same shape.
            randomness: of this update.
        """
        raise TypeError(f"{type(self).__name__} has no value per sample")

    def constrained(self, weight: tf.Tensor) -> tf.Tensor:
        """What a discriminator's weight becomes after an update."""
        return weight


class R1(PenaltyOptions):
    """gamma / 2 * |grad D(x)|^2 on real images (Mescheder et al. 2018, equation 9).

    ``every`` k updates it is k times as large, which leaves its mean as it is (Karras et al. 2020, "lazy
    regularization", appendix B).
    """

    name: Literal["r1"] = "r1"
    gamma: Annotated[float, Field(gt=0)] = 10.0
    every: Positive = Field(1, description="discriminator updates from one penalty to the next")

    @property
    def interval(self) -> int:
        """``every``."""
        return self.every

    def per_sample(
        self,
        discriminate: Callable[[tf.Tensor], tf.Tensor],
        real_images: tf.Tensor,
        fake_images: tf.Tensor,
        randomness: Randomness,
    ) -> tf.Tensor:
        """The penalty float32 ``[batch]``."""
        return 0.5 * self.gamma * self.every * _squared_slope(discriminate, real_images)


class GradientPenalty(PenaltyOptions):
    """weight * (|grad D(x)| - 1)^2 between real and generated images (Gulrajani et al. 2017, equation 3)."""

    bounds_the_slope: ClassVar[bool] = True

    name: Literal["gradient_penalty"] = "gradient_penalty"
    weight: Annotated[float, Field(gt=0)] = 10.0

    def per_sample(
        self,
        discriminate: Callable[[tf.Tensor], tf.Tensor],
        real_images: tf.Tensor,
        fake_images: tf.Tensor,
        randomness: Randomness,
    ) -> tf.Tensor:
        """The penalty float32 ``[batch]``, at a point of each sample's own between its two images."""
        import tensorflow as tf

        share = randomness.stream("interpolation").uniform(real_images.shape[0], 1, 1, 1)
        between = real_images + share * (tf.stop_gradient(fake_images) - real_images)
        # Without the epsilon the root's derivative at 0 is infinite.
        slope = tf.sqrt(_squared_slope(discriminate, between) + 1e-12)
        return self.weight * (slope - 1.0) ** 2


class WeightClipping(PenaltyOptions):
    """Every weight of the discriminator within [-limit, limit] (Arjovsky et al. 2017, algorithm 1)."""

    of_gradients: ClassVar[bool] = False
    bounds_the_slope: ClassVar[bool] = True

    name: Literal["weight_clipping"] = "weight_clipping"
    limit: Annotated[float, Field(gt=0)] = 0.01

    def constrained(self, weight: tf.Tensor) -> tf.Tensor:
        """The weight, clipped."""
        import tensorflow as tf

        return tf.clip_by_value(weight, -self.limit, self.limit)


def _squared_slope(discriminate: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    """|grad D(x)|^2, float32 ``[batch]``."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        # The sum's gradient is each sample's own: without batch norm, samples do not meet.
        score = tf.reduce_sum(discriminate(images))
    return tf.reduce_sum(tf.square(tape.gradient(score, images)), axis=[1, 2, 3])
