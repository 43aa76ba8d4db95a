"""What a regularizer is, and what it is given."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.spec.base import Positive, Section
from gandist.spec.schedules import Clock

if TYPE_CHECKING:
    from tensorflow import Tensor

    from gandist.randomness import Randomness

Figures = Mapping[str, Any]
"""Values by name: per sample where they are computed, means over the global batch where they are read."""


@dataclass(frozen=True)
class DiscriminatorPass:
    """What a discriminator's regularizer is given, of one replica.

    Attributes:
        score: images to logits ``[batch, 1]``, without dropout.
        real: ``[batch, height, width, channels]``, as the discriminator takes them: in packs, where it judges
            several at once, which count as one sample.
        fake: of the same shape.
        randomness: of this update.
        slope_at_real: the gradient of the logits at ``real``, where the loss has made their forward pass.
    """

    score: Callable[[Tensor], Tensor]
    real: Tensor
    fake: Tensor
    randomness: Randomness
    slope_at_real: Callable[[], Tensor] | None = None

    def squared_slope(self, images: Tensor) -> Tensor:
        """|grad D(x)|^2 at ``images``, float32 ``[batch]``."""
        if images is self.real and self.slope_at_real is not None:
            slope = self.slope_at_real()
        else:
            with tf.GradientTape() as tape:
                tape.watch(images)
                # The sum's gradient is each sample's own: without batch norm, samples do not meet. Where a
                # minibatch's deviation is a feature it is that of their group, too, as in the authors' code.
                score = tf.reduce_sum(self.score(images))
            slope = tape.gradient(score, images)
        return tf.reduce_sum(tf.square(slope), axis=[1, 2, 3])


@dataclass(frozen=True)
class GeneratorPass:
    """What a generator's regularizer is given, of one replica.

    Attributes:
        synthesize: styles to images ``[batch, height, width, channels]``.
        styles: what the mapping network makes of latents, or these themselves where there is none;
            ``[batch, ...]``.
        randomness: of this update.
    """

    synthesize: Callable[[Tensor], Tensor]
    styles: Tensor
    randomness: Randomness


class Regularizer(Section):
    """The term ``strength * every * value`` of a network's loss, in each ``every``-th of its updates.

    Being ``every`` times as large leaves its mean as it is ("lazy regularization", Karras et al. 2020,
    appendix B).
    """

    network: ClassVar[Literal["discriminator", "generator"]] = "discriminator"
    name: ClassVar[str] = ""
    """What a plug-in's is called in a job file; gandist's own are called as their files."""
    bounds_the_slope: ClassVar[bool] = False
    """Whether it keeps the discriminator's slope bounded, which some losses need."""
    state: ClassVar[Mapping[str, float]] = {}
    """What is remembered from update to update, with its first value."""

    every: Positive = Field(1, description="updates of its network from one use to the next")

    @abstractmethod
    def strength(self, clock: Clock) -> Any:
        """What the value is multiplied with: a number, or a float32 scalar."""
        raise TypeError(f"{type(self).__name__} has no strength")

    @abstractmethod
    def per_sample(self, given: Any, state: Figures) -> tuple[Tensor, Figures]:
        """The value float32 ``[batch]``, and other figures per sample for the log.

        Args:
            given: ``DiscriminatorPass`` or ``GeneratorPass``, as for its ``network``.
            state: float32 scalars by name, as the last ``advance`` has left them.
        """
        raise TypeError(f"{type(self).__name__} has no value per sample")

    def advance(self, state: Figures, figures: Figures) -> Figures:
        """The next state, after an update in which the regularizer was used.

        Args:
            state: as it was.
            figures: those of ``per_sample``, as means over the global batch.
        """
        return state
