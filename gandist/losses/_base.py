"""What a loss is, and what most of them are: a part of real images and one of generated ones."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gandist.spec.base import Section

if TYPE_CHECKING:
    import tensorflow as tf


class LossOptions(Section):
    """A loss of logits float32 ``[batch, 1]``; its functions return values of that shape."""

    paired: ClassVar[bool] = False
    """Whether the generator's loss depends on D(real) of the same batch."""
    sign_decides: ClassVar[bool] = True
    """Whether D takes an image for real exactly where its logit is positive."""
    needs_a_lipschitz_critic: ClassVar[bool] = False
    converges_with: ClassVar[tuple[str, ...]] = ()
    """Regularizers without which, on each update, it is known to fail."""

    name: str

    @property
    def weight_of_a_part(self) -> float:
        """Of each part in the discriminator's loss, whichever update it is in."""
        return 1.0

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least that d_loss can be, and what it is where D says the same of all images, at best.

        None where it has no least.
        """
        return None

    @model_validator(mode="before")
    @classmethod
    def _labels_to_smooth(cls, section: Any) -> Any:
        if isinstance(section, dict) and "real_label" in section and "real_label" not in cls.model_fields:
            raise ValueError(
                f"real_label smooths the label of a cross-entropy, and {section.get('name')} has none; "
                "leave it out, or give non_saturating or minimax"
            )
        return section

    @abstractmethod
    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """The parts of the discriminator's loss, by the names under which they are logged.

        d_loss is their weighted sum.
        """
        raise TypeError(f"{type(self).__name__} has no discriminator")

    @abstractmethod
    def generator(self, fake_logits: tf.Tensor, real_logits: tf.Tensor | None) -> tf.Tensor:
        """The generator's loss; ``real_logits`` are given to a ``paired`` loss only."""
        raise TypeError(f"{type(self).__name__} has no generator")

    def output(self, logits: tf.Tensor) -> tf.Tensor:
        """What the discriminator says, for readers: a score, as it is."""
        return logits


class SeparableLoss(LossOptions):
    """A loss whose parts each see one kind of images, so that they may be in updates of their own."""

    combine: Literal["sum", "mean"] = Field(
        "sum",
        description="what the discriminator minimises, and d_loss shows: the sum or the mean of its real and "
        "fake parts; under half_batches each part counts so in the update of its own",
    )

    @property
    def weight_of_a_part(self) -> float:
        """1, or a half where the mean is minimised."""
        return 1.0 if self.combine == "sum" else 0.5

    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Both parts."""
        return {**self.of_real(real_logits), **self.of_fake(fake_logits)}

    def of_real(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """The discriminator's loss on real images, named."""
        return {"d_loss_real": self.discriminator_real(logits)}

    def of_fake(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """The discriminator's loss on generated images, named."""
        return {"d_loss_fake": self.discriminator_fake(logits)}

    @abstractmethod
    def discriminator_real(self, logits: tf.Tensor) -> tf.Tensor:
        """The discriminator's loss on real images."""
        raise TypeError(f"{type(self).__name__} has no discriminator_real")

    @abstractmethod
    def discriminator_fake(self, logits: tf.Tensor) -> tf.Tensor:
        """The discriminator's loss on generated images."""
        raise TypeError(f"{type(self).__name__} has no discriminator_fake")
