"""Equalised learning rate (Karras et al. 2018, section 4.1): weights are N(0, 1), and scaled at runtime.

Each is multiplied by 1 / sqrt(inputs of an output), He's constant without its gain, so that an optimizer that
is blind to scale, such as Adam, moves all layers equally fast. A learning rate multiplier m (Karras et al.
2019, appendix C) stores weights and biases divided by m, and multiplies them by m at runtime.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from gandist.layers.filtered import blur
from gandist.layers.registry import loadable

SLOPE = 0.2
GAIN = math.sqrt(2.0)
"""Keeps the mean square of normal features through a leaky ReLU, nearly."""


def activated(inputs: tf.Tensor) -> tf.Tensor:
    """A leaky ReLU of slope 0.2, times sqrt(2): the activation of all networks of StyleGAN2."""
    return tf.nn.leaky_relu(inputs, SLOPE) * tf.cast(GAIN, inputs.dtype)


@loadable
class Dense(keras.layers.Layer):
    """``[batch, inputs]`` to ``[batch, units]``.

    Args:
        units: outputs.
        activation: whether ``activated`` follows.
        bias: what all biases are at first.
        multiplier: of the learning rate.
    """

    def __init__(
        self, units: int, activation: bool = False, bias: float = 0.0, multiplier: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.activation, self.first_bias, self.multiplier = units, activation, bias, multiplier

    def build(self, input_shape: Any) -> None:
        """Add the weights."""
        normal = keras.initializers.RandomNormal(stddev=1.0 / self.multiplier)
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units), initializer=normal)
        constant = keras.initializers.Constant(self.first_bias / self.multiplier)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=constant)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, inputs]``."""
        scale = self.multiplier / math.sqrt(inputs.shape[-1])
        outputs = tf.matmul(inputs, self.kernel * scale) + self.bias * self.multiplier
        return activated(outputs) if self.activation else outputs


@loadable
class Conv2D(keras.layers.Layer):
    """``[batch, height, width, channels]`` to as many ``filters``, of the same sides or of half of them.

    Args:
        filters: channels of the outputs.
        kernel_size: odd.
        halved: whether the sides are halved: through ``filtered.blur``, with a stride of 2.
        activation: whether ``activated`` follows.
        use_bias: whether there is one.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        halved: bool = False,
        activation: bool = False,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.halved = filters, kernel_size, halved
        self.activation, self.use_bias = activation, use_bias

    def build(self, input_shape: Any) -> None:
        """Add the weights."""
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=normal)
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        kernel = self.kernel * (1.0 / math.sqrt(self.kernel_size**2 * inputs.shape[-1]))
        if self.halved:
            outputs = tf.nn.conv2d(blur(inputs, 1 + self.kernel_size // 2), kernel, 2, "VALID")
        else:
            outputs = tf.nn.conv2d(inputs, kernel, 1, "SAME")
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return activated(outputs) if self.activation else outputs


@loadable
class Bias(keras.layers.Layer):
    """A learned bias for each channel, then ``activated`` unless told otherwise."""

    def __init__(self, activation: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activation

    def build(self, input_shape: Any) -> None:
        """Add it."""
        self.bias = self.add_weight(name="bias", shape=(input_shape[-1],), initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[..., channels]``."""
        outputs = tf.nn.bias_add(inputs, self.bias)
        return activated(outputs) if self.activation else outputs
