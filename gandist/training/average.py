"""The moving average of a network's weights, which images are made with (Karras et al. 2018, section 3)."""

from __future__ import annotations

import keras
import tensorflow as tf

from gandist.spec.schedules import Clock, value
from gandist.spec.sections import Training
from gandist.training.distribution import assign


class Average:
    """Built within a strategy's scope; ``update`` runs in its replicas.

    Attributes:
        variables: of each trainable weight, in their order; empty where nothing is averaged.

    Args:
        network: whose weights.
        options: the training section of a trial.
    """

    def __init__(self, network: keras.Model, options: Training) -> None:
        self._network, self._decay, self._warmup = (
            network,
            options.generator_ema,
            options.generator_ema_warmup,
        )
        averaged = network.trainable_variables if self._decay is not None else []
        self.variables = [tf.Variable(weight.value, trainable=False) for weight in averaged]

    def update(self, clock: Clock) -> None:
        """After each step of the generator."""
        if self._decay is None:
            return
        decay = value(self._decay, clock)
        if self._warmup is not None:
            decay = tf.minimum(decay, 0.5 ** (1.0 / (self._warmup * tf.cast(clock.step + 1, tf.float32))))
        for average, variable in zip(self.variables, self._network.trainable_variables, strict=True):
            live = tf.convert_to_tensor(variable.value)
            assign(average, live + decay * (tf.convert_to_tensor(average) - live))
