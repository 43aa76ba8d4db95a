"""Adam (Kingma & Ba 2015, end of section 2), as in Keras: epsilon is added to the uncorrected root."""

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

    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")

    name: Literal["adam"] = "adam"
    beta_1: Annotated[Rate, Within(ge=0, lt=1)] = 0.9
    beta_2: Annotated[Rate, Within(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0)] = 1e-7

    def update(self, learning_rate: Any, count: Tensor, clock: Clock) -> Update:
        """One ``ResourceApplyAdam`` kernel per variable.

        Where a beta has a schedule, the bias is corrected as if it always had its present value.
        """
        beta_1, beta_2 = value(self.beta_1, clock), value(self.beta_2, clock)
        powers = tf.pow(beta_1, count), tf.pow(beta_2, count)

        def apply(variable: Any, slots: list[Any], gradient: Tensor) -> None:
            tf.raw_ops.ResourceApplyAdam(
                var=variable,
                m=slots[0],
                v=slots[1],
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=learning_rate,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )

        return apply
