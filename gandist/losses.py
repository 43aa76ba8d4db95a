"""GAN losses: each a pair of functions of logits, one value per sample.

Reduction is not their business: the train step sums over the replica and divides by the global batch, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gandist.section import Section

if TYPE_CHECKING:
    import tensorflow as tf


class LossOptions(Section):
    """A loss of logits ``[batch, 1]``; its functions return float32 ``[batch, 1]``."""

    name: str
    combine: Literal["sum", "mean"] = Field(
        "sum", description="d_loss is the sum or the mean of its real and fake parts"
    )

    def discriminator_real(self, real_logits: tf.Tensor) -> tf.Tensor:
        """The discriminator's loss on real images."""
        raise TypeError(f"{type(self).__name__} has no discriminator_real")

    def discriminator_fake(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The discriminator's loss on generated images."""
        raise TypeError(f"{type(self).__name__} has no discriminator_fake")

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The generator's loss."""
        raise TypeError(f"{type(self).__name__} has no generator")


class NonSaturating(LossOptions):
    """Cross-entropy; the generator maximises log D(G(z)) (Goodfellow et al. 2014, section 3).

    ``real_label`` < 1 smooths the label of real images only (Salimans et al. 2016, section 3.4).
    """

    name: Literal["non_saturating"] = "non_saturating"
    real_label: Annotated[float, Field(gt=0.5, le=1.0)] = Field(1.0, description="one-sided label smoothing")

    def discriminator_real(self, real_logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy against ``real_label``."""
        loss = _softplus(-real_logits)
        # softplus(x) = softplus(-x) + x: smoothing costs one multiplication, and none where it is off.
        return loss + (1.0 - self.real_label) * real_logits if self.real_label < 1.0 else loss

    def discriminator_fake(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy against 0."""
        return _softplus(fake_logits)

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy against 1."""
        return _softplus(-fake_logits)


DEFAULT = NonSaturating()


def _softplus(x: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.math.softplus(x)
