"""gamma / 2 * |grad D(x)|^2 on real images (Mescheder et al. 2018, equation 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from gandist.regularizers._base import DiscriminatorPass, Figures, Regularizer
from gandist.spec.schedules import Clock, Rate, Within, value

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(Regularizer):
    """The slope of the discriminator at real images is kept small."""

    gamma: Annotated[Rate, Within(gt=0)] = Field(10.0, description="its strength")

    def strength(self, clock: Clock) -> Any:
        """gamma / 2."""
        return 0.5 * value(self.gamma, clock)

    def per_sample(self, given: DiscriminatorPass, state: Figures) -> tuple[Tensor, Figures]:
        """|grad D(x)|^2."""
        return given.squared_slope(given.real), {}
