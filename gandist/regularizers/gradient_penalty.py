"""weight * (|grad D(x)| - 1)^2 between real and generated images (Gulrajani et al. 2017, equation 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.regularizers._base import DiscriminatorPass, Figures, Regularizer
from gandist.spec.schedules import Clock, Rate, Within, value

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(Regularizer):
    """The slope of the discriminator between the images is kept near 1."""

    bounds_the_slope: ClassVar[bool] = True

    weight: Annotated[Rate, Within(gt=0)] = Field(10.0, description="its strength")

    def strength(self, clock: Clock) -> Any:
        """weight."""
        return value(self.weight, clock)

    def per_sample(self, given: DiscriminatorPass, state: Figures) -> tuple[Tensor, Figures]:
        """(|grad D(x)| - 1)^2 at a point of each sample's own between its two images."""
        share = given.randomness.stream("interpolation").uniform(given.real.shape[0], 1, 1, 1)
        between = given.real + share * (tf.stop_gradient(given.fake) - given.real)
        # Without the epsilon the root's derivative at 0 is infinite.
        slope = tf.sqrt(given.squared_slope(between) + 1e-12)
        return (slope - 1.0) ** 2, {}
