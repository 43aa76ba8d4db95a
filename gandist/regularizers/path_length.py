"""A step in the styles is to change every image equally (Karras et al. 2020, section 3.2, equation 4).

weight * (|J^T y| - a)^2, where J is the derivative of the image by the styles, y an image of normal noise, a
the moving average of the lengths |J^T y|. A network without a mapping is regularized in its latents. Where
layers have a style each, the square of the length is the mean over them, as in the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.regularizers._base import Figures, GeneratorPass, Regularizer
from gandist.spec.schedules import Clock, Rate, Within, value

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(Regularizer):
    """The generator is kept smooth in its styles."""

    network: ClassVar[Literal["discriminator", "generator"]] = "generator"
    state: ClassVar[Mapping[str, float]] = {"mean": 0.0}

    weight: Annotated[Rate, Within(gt=0)] = Field(2.0, description="its strength")
    decay: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.99, description="of the moving average of lengths, per update in which they are computed"
    )

    def strength(self, clock: Clock) -> Any:
        """weight."""
        return value(self.weight, clock)

    def per_sample(self, given: GeneratorPass, state: Figures) -> tuple[Tensor, Figures]:
        """(length - a)^2, where a is the average before this update; and the lengths."""
        with tf.GradientTape() as tape:
            tape.watch(given.styles)
            images = given.synthesize(given.styles)
            _, height, width, channels = images.shape
            noise = given.randomness.stream("path_length").normal(images.shape[0], height, width, channels)
            # Scaled by the number of pixels, so that the length does not grow with the resolution.
            projected = tf.reduce_sum(images * noise) / math.sqrt(height * width)
        gradient = tape.gradient(projected, given.styles)
        # Without the epsilon the root's derivative at 0 is infinite.
        squared = tf.reduce_sum(tf.square(gradient), axis=-1)
        if len(squared.shape) > 1:
            squared = tf.reduce_mean(squared, axis=list(range(1, len(squared.shape))))
        lengths = tf.sqrt(squared + 1e-12)
        return (lengths - state["mean"]) ** 2, {"mean_path_length": lengths}

    def advance(self, state: Figures, figures: Figures) -> Figures:
        """The average moves towards this batch's mean length."""
        return {"mean": state["mean"] + (1.0 - self.decay) * (figures["mean_path_length"] - state["mean"])}
