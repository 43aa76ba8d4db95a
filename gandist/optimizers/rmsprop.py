"""RMSprop (Tieleman & Hinton 2012, lecture 6.5), as in Keras: epsilon stands within the root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.optimizers._base import OptimizerOptions, Update
from gandist.spec.schedules import Clock, Rate, Within, value

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(OptimizerOptions):
    """The optimizer section of a job file."""

    slots: ClassVar[tuple[str, ...]] = ("mean_square", "momentum")

    name: Literal["rmsprop"] = "rmsprop"
    rho: Annotated[Rate, Within(ge=0, lt=1)] = Field(
        0.9, description="decay of the mean of squared gradients"
    )
    momentum: Annotated[Rate, Within(ge=0, lt=1)] = Field(
        0.0, description="share of the last update in the next one"
    )
    epsilon: Annotated[float, Field(gt=0)] = Field(
        1e-7, description="within the root, against division by zero"
    )

    def update(self, learning_rate: Any, count: Tensor, clock: Clock, every: int = 1) -> Update:
        """One ``ResourceApplyRMSProp`` kernel per variable."""
        rho, momentum = value(self.rho, clock), value(self.momentum, clock)

        def apply(variable: Any, slots: list[Any], gradient: Tensor) -> None:
            tf.raw_ops.ResourceApplyRMSProp(
                var=variable,
                ms=slots[0],
                mom=slots[1],
                lr=learning_rate,
                rho=rho,
                momentum=momentum,
                epsilon=self.epsilon,
                grad=gradient,
            )

        return apply
