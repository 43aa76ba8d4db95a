"""GAN losses: each a pair of functions of logits, one value per sample.

Reduction is not their business: the train step sums over the replica and divides by the global batch, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gandist.spec.base import Section

if TYPE_CHECKING:
    import tensorflow as tf


class LossOptions(Section):
    """A loss of logits ``[batch, 1]``; its functions return float32 ``[batch, 1]``."""

    needs_a_lipschitz_critic: ClassVar[bool] = False

    name: str
    combine: Literal["sum", "mean"] = Field(
        "sum",
        description="what the discriminator minimises, and d_loss shows: the sum or the mean of its real and "
        "fake parts; under half_batches each part counts so in the update of its own",
    )

    @property
    def weight_of_a_part(self) -> float:
        """Of the real and of the fake part in the discriminator's loss, whichever update they are in."""
        return 1.0 if self.combine == "sum" else 0.5

    @model_validator(mode="before")
    @classmethod
    def _labels_to_smooth(cls, section: Any) -> Any:
        if isinstance(section, dict) and "real_label" in section and "real_label" not in cls.model_fields:
            raise ValueError(
                f"real_label smooths the label of a cross-entropy, and {section.get('name')} has none; "
                "leave it out, or give non_saturating or minimax"
            )
        return section

    def discriminator_real(self, real_logits: tf.Tensor) -> tf.Tensor:
        """The discriminator's loss on real images."""
        raise TypeError(f"{type(self).__name__} has no discriminator_real")

    def discriminator_fake(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The discriminator's loss on generated images."""
        raise TypeError(f"{type(self).__name__} has no discriminator_fake")

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The generator's loss."""
        raise TypeError(f"{type(self).__name__} has no generator")

    def output(self, logits: tf.Tensor) -> tf.Tensor:
        """What the discriminator says, for readers: a score, as it is."""
        return logits


class _CrossEntropy(LossOptions):
    """The discriminator's cross-entropy (Goodfellow et al. 2014, equation 1).

    ``real_label`` < 1 smooths the label of real images only (Salimans et al. 2016, section 3.4).
    """

    real_label: Annotated[float, Field(gt=0.5, le=1.0)] = Field(1.0, description="one-sided label smoothing")

    def discriminator_real(self, real_logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy against ``real_label``."""
        loss = _softplus(-real_logits)
        # softplus(x) = softplus(-x) + x: smoothing costs one multiplication, and none where it is off.
        return loss + (1.0 - self.real_label) * real_logits if self.real_label < 1.0 else loss

    def discriminator_fake(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy against 0."""
        return _softplus(fake_logits)

    def output(self, logits: tf.Tensor) -> tf.Tensor:
        """A probability."""
        import tensorflow as tf

        return tf.sigmoid(logits)


class NonSaturating(_CrossEntropy):
    """The generator maximises log D(G(z)) (Goodfellow et al. 2014, section 3)."""

    name: Literal["non_saturating"] = "non_saturating"

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy against 1."""
        return _softplus(-fake_logits)


class Minimax(_CrossEntropy):
    """The generator minimises log(1 - D(G(z))): the game's own value (Goodfellow et al. 2014, equation 1)."""

    name: Literal["minimax"] = "minimax"

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """log(1 - D(G(z))), which is at most 0."""
        return -_softplus(fake_logits)


class LeastSquares(LossOptions):
    """Half the squared distance to 1 for real, to 0 for generated (Mao et al. 2017, equation 9)."""

    name: Literal["least_squares"] = "least_squares"

    def discriminator_real(self, real_logits: tf.Tensor) -> tf.Tensor:
        """(D(x) - 1)^2 / 2."""
        return 0.5 * (real_logits - 1.0) ** 2

    def discriminator_fake(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """D(G(z))^2 / 2."""
        return 0.5 * fake_logits**2

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """(D(G(z)) - 1)^2 / 2."""
        return 0.5 * (fake_logits - 1.0) ** 2


class Hinge(LossOptions):
    """Only scores within the margin of 1 count (Lim & Ye 2017, equations 14 and 15)."""

    name: Literal["hinge"] = "hinge"

    def discriminator_real(self, real_logits: tf.Tensor) -> tf.Tensor:
        """max(0, 1 - D(x))."""
        return _relu(1.0 - real_logits)

    def discriminator_fake(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """max(0, 1 + D(G(z)))."""
        return _relu(1.0 + fake_logits)

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """-D(G(z))."""
        return -fake_logits


class Wasserstein(LossOptions):
    """The difference of mean scores (Arjovsky et al. 2017, equation 2): -d_loss estimates the distance.

    That holds for a critic of bounded slope only, so one of its limits is required.
    """

    needs_a_lipschitz_critic: ClassVar[bool] = True

    name: Literal["wasserstein"] = "wasserstein"

    def discriminator_real(self, real_logits: tf.Tensor) -> tf.Tensor:
        """-D(x)."""
        return -real_logits

    def discriminator_fake(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """D(G(z))."""
        return fake_logits

    def generator(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """-D(G(z))."""
        return -fake_logits


DEFAULT = NonSaturating()


def _softplus(x: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.math.softplus(x)


def _relu(x: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.nn.relu(x)
