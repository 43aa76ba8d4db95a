"""gamma / 2 * |grad D(G(z))|^2 on generated images (Mescheder et al. 2018, equation 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.regularizers._base import DiscriminatorPass, Figures, Regularizer
from gandist.spec.schedules import Clock, Rate, Within, value

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(Regularizer):
    """The slope of the discriminator at generated images is kept small, too (Huang et al. 2024)."""

    gamma: Annotated[Rate, Within(gt=0)] = Field(10.0, description="its strength")

    def strength(self, clock: Clock) -> Any:
        """gamma / 2."""
        return 0.5 * value(self.gamma, clock)

    def per_sample(self, given: DiscriminatorPass, state: Figures) -> tuple[Tensor, Figures]:
        """|grad D(G(z))|^2, which has no gradient of the generator."""
        return given.squared_slope(tf.stop_gradient(given.fake)), {}
