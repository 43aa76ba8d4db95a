"""Optimizers as a job file names them; each is one fused TensorFlow kernel per variable.

The number of updates is a pure function of the step, so the slots are an optimizer's whole state: nothing to
lose on resume but what a checkpoint holds by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from gandist.spec.base import Section

if TYPE_CHECKING:
    import tensorflow as tf

LearningRate = Annotated[float, Field(gt=0)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class OptimizerOptions(Section):
    """What every optimizer takes."""

    slots: ClassVar[tuple[str, ...]] = ()

    name: str
    learning_rate: LearningRate = 1e-4
    discriminator_learning_rate: LearningRate | None = Field(
        None, description="where it differs from the generator's (two time scales, Heusel et al. 2017)"
    )

    def update(
        self, variable: Any, slots: list[Any], gradient: tf.Tensor, learning_rate: float, count: tf.Tensor
    ) -> None:
        """Apply one gradient to one variable, in place.

        Args:
            variable: the resource handle of the variable.
            slots: the resource handles of its slots, in the order of ``slots``.
            gradient: summed over replicas, of the variable's shape and dtype.
            learning_rate: this network's.
            count: this update's number, float32 from 1.
        """
        raise TypeError(f"{type(self).__name__} has no update")


class Adam(OptimizerOptions):
    """Adam (Kingma & Ba 2015, end of section 2), as in Keras: epsilon is added to the uncorrected root."""

    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")

    name: Literal["adam"] = "adam"
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: Annotated[float, Field(gt=0)] = 1e-7

    def update(
        self, variable: Any, slots: list[Any], gradient: tf.Tensor, learning_rate: float, count: tf.Tensor
    ) -> None:
        """One ``ResourceApplyAdam`` kernel."""
        import tensorflow as tf

        tf.raw_ops.ResourceApplyAdam(
            var=variable,
            m=slots[0],
            v=slots[1],
            beta1_power=tf.pow(self.beta_1, count),
            beta2_power=tf.pow(self.beta_2, count),
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class RMSprop(OptimizerOptions):
    """RMSprop (Tieleman & Hinton 2012, lecture 6.5), as in Keras: epsilon stands within the root."""

    slots: ClassVar[tuple[str, ...]] = ("mean_square", "momentum")

    name: Literal["rmsprop"] = "rmsprop"
    rho: Decay = 0.9
    momentum: Decay = 0.0
    epsilon: Annotated[float, Field(gt=0)] = 1e-7

    def update(
        self, variable: Any, slots: list[Any], gradient: tf.Tensor, learning_rate: float, count: tf.Tensor
    ) -> None:
        """One ``ResourceApplyRMSProp`` kernel."""
        import tensorflow as tf

        tf.raw_ops.ResourceApplyRMSProp(
            var=variable,
            ms=slots[0],
            mom=slots[1],
            lr=learning_rate,
            rho=self.rho,
            momentum=self.momentum,
            epsilon=self.epsilon,
            grad=gradient,
        )


DEFAULT = Adam()
