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
    beta_1: Annotated[Rate, Within(ge=0, lt=1)] = Field(0.9, description="decay of the mean of gradients")
    beta_2: Annotated[Rate, Within(ge=0, lt=1)] = Field(
        0.999, description="decay of the mean of squared gradients"
    )
    epsilon: Annotated[float, Field(gt=0)] = Field(
        1e-7, description="added to the root, against division by zero"
    )
    lazy_correction: bool = Field(
        False, description="smaller learning rate and betas for a network that has a lazy regularizer"
    )

    @property
    def needs_lazy_regularizers(self) -> bool:
        """The correction is of them."""
        return self.lazy_correction

    def update(self, learning_rate: Any, count: Tensor, clock: Clock, every: int = 1) -> Update:
        """One ``ResourceApplyAdam`` kernel per variable.

        Where a beta has a schedule, the bias is corrected as if it always had its present value.

        With ``lazy_correction`` the learning rate is multiplied by c, and the betas are raised to its power,
        where c = k / (k + 1) and k is ``every`` (Karras et al. 2020, appendix B). The authors have an update
        of its own for the regularizer after each k others, so that k + 1 of theirs move as far as k without
        it; here its term is part of each k-th update, and the rates alone are theirs.
        """
        beta_1, beta_2 = value(self.beta_1, clock), value(self.beta_2, clock)
        if self.lazy_correction and every > 1:
            c = every / (every + 1)
            learning_rate, beta_1, beta_2 = learning_rate * c, beta_1**c, beta_2**c
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
