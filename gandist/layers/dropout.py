"""Dropout without hidden state."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from gandist import randomness


class Dropout(keras.layers.Layer):
    """Dropout (Srivastava et al. 2014) whose mask is a function of seed, step and place in the global batch.

    Keras' own keeps a seed state per replica that a checkpoint does not hold.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    @property
    def draws(self) -> bool:
        """Whether calls in training mode draw random numbers."""
        return bool(self.rate > 0.0)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Inputs ``[batch, ...]``; scaled by 1 / (1 - rate) where kept."""
        if not training or self.rate == 0.0:
            return inputs
        # 16 bits decide: the rate is met to 1e-5, at half the cost of a float each.
        keep = randomness.for_layer().bits(*inputs.shape) >= round(self.rate * 2**16) - 2**15
        return tf.where(keep, inputs * (1.0 / (1.0 - self.rate)), 0.0)
