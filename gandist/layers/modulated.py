"""Convolutions whose input channels are scaled by a style, and noise (Karras et al. 2020, section 2.2)."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from gandist import randomness
from gandist.layers.filtered import blur
from gandist.layers.registry import loadable
from gandist.order import digest

EPSILON = 1e-8


@loadable
class ModulatedConv2D(keras.layers.Layer):
    """A convolution with a kernel of its own for each sample: w'_ijk = s_i * w_ijk (equation 1).

    Demodulation divides by the expected deviation of an output channel, sqrt(sum_ik w'_ijk^2) (equation 3).
    Scaling the inputs by s and the outputs by that is the same as changing the kernel, and takes one ordinary
    convolution for the whole batch.

    Args:
        filters: channels of the outputs.
        kernel_size: odd.
        doubled: whether the sides are doubled: by a transposed convolution, then ``filtered.blur``.
        demodulate: whether to demodulate.
    """

    def __init__(
        self, filters: int, kernel_size: int, doubled: bool = False, demodulate: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size = filters, kernel_size
        self.doubled, self.demodulate = doubled, demodulate

    def build(self, input_shape: Any) -> None:
        """Add the kernel, of equalised learning rate."""
        shape = (self.kernel_size, self.kernel_size, input_shape[0][-1], self.filters)
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=normal)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs, or twice the sides."""
        batch, height, width, _ = input_shape[0]
        factor = 1 + self.doubled
        return (batch, factor * height, factor * width, self.filters)

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]`` and styles ``[batch, channels]``."""
        images, styles = inputs
        kernel = self.kernel * (1.0 / math.sqrt(self.kernel_size**2 * images.shape[-1]))
        outputs = self._convolved(images * styles[:, None, None, :], kernel)
        if self.demodulate:
            # In float32: squares of small numbers, and their sum over many channels.
            energy = tf.reduce_sum(tf.square(tf.cast(kernel, tf.float32)), axis=[0, 1])
            variance = tf.matmul(tf.square(tf.cast(styles, tf.float32)), energy)
            outputs *= tf.cast(tf.math.rsqrt(variance + EPSILON), outputs.dtype)[:, None, None, :]
        return outputs

    def _convolved(self, images: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if not self.doubled:
            return tf.nn.conv2d(images, kernel, 1, "SAME")
        _, height, width, _ = images.shape
        more = self.kernel_size - 2
        sides = (2 * height + more, 2 * width + more)
        shape = tf.stack([tf.shape(images)[0], *sides, self.filters])
        spread = tf.nn.conv2d_transpose(images, tf.transpose(kernel, [0, 1, 3, 2]), shape, 2, "VALID")
        spread = tf.ensure_shape(spread, [images.shape[0], *sides, self.filters])
        # Zeros between the pixels have made it a quarter as bright.
        return 4.0 * blur(spread, padding=1)


@loadable
class Noise(keras.layers.Layer):
    """Adds normal noise, one number a pixel for all channels, of a learned strength that begins at 0.

    Args:
        fixed_noise: whether it is the same for all images, as in an exported network, which has nothing to
            draw from; else it is drawn.
    """

    def __init__(self, fixed_noise: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fixed_noise = fixed_noise

    def build(self, input_shape: Any) -> None:  # noqa: ARG002 - Keras calls it so
        """Add the strength."""
        self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs; told, so that Keras does not call the layer while a network is put together."""
        return input_shape

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        batch, height, width, _ = inputs.shape
        if self.fixed_noise:
            noise = tf.random.stateless_normal([1, height, width, 1], seed=[digest(0, self.name), 0])
        else:
            noise = randomness.for_layer().normal(batch, height, width, 1)
        return inputs + self.strength * tf.cast(noise, inputs.dtype)
