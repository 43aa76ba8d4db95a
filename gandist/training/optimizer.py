"""An optimizer at work: the slots of one network's variables, updated by the fused kernels of its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from gandist.optimizers import OptimizerOptions
from gandist.spec.schedules import Clock, Rate, value


class Optimizer:
    """Slots are made at once, within the strategy's scope, so that no checkpoint can miss them.

    Args:
        options: the optimizer section of a trial.
        variables: Keras variables of one network.
        learning_rate: this network's.
        every: updates from one use of its lazy regularizers to the next; 1 where none is lazy.
    """

    def __init__(
        self, options: OptimizerOptions, variables: Sequence[Any], learning_rate: Rate, every: int = 1
    ) -> None:
        self._options, self._learning_rate, self._every = options, learning_rate, every
        self._variables = [variable.value for variable in variables]
        self._slots = [
            [tf.Variable(tf.zeros_like(v), trainable=False) for _ in options.slots] for v in self._variables
        ]

    def apply(self, gradients: Sequence[tf.Tensor], count: tf.Tensor, clock: Clock) -> None:
        """Update this replica's copy of the variables; every replica must give the same gradients.

        Args:
            gradients: summed over replicas, one for each variable.
            count: this update's number, float32 from 1.
            clock: when it takes place.
        """
        rate = value(self._learning_rate, clock)
        update = self._options.update(rate, count, clock, self._every)
        for variable, slots, gradient in zip(self._variables, self._slots, gradients, strict=True):
            update(variable.handle, [slot.handle for slot in slots], gradient)

    @property
    def variables(self) -> list[tf.Variable]:
        """The slots, in a fixed order."""
        return [slot for slots in self._slots for slot in slots]
