"""Every weight of the discriminator within [-limit, limit] (Arjovsky et al. 2017, algorithm 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.constraints._base import Constraint

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(Constraint):
    """The discriminator's weights are clipped."""

    bounds_the_slope: ClassVar[bool] = True

    limit: Annotated[float, Field(gt=0)] = Field(0.01, description="largest absolute value of a weight")

    def constrained(self, weight: Tensor) -> Tensor:
        """The weight, clipped."""
        return tf.clip_by_value(weight, -self.limit, self.limit)
