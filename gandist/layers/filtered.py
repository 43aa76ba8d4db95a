"""Feature maps of twice and half the size, through the low-pass filter [1, 3, 3, 1] (Karras et al. 2020).

As the authors' ``upfirdn2d`` pads it: outside an image there are zeros. Both are one depthwise convolution,
the one the transpose of the other up to the factor 4; slicing and adding took 5 to 20 times as long on a CPU.
Their gradients have gradients on CPUs, too.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gandist.layers.registry import loadable

_TAPS = np.outer([1.0, 3.0, 3.0, 1.0], [1.0, 3.0, 3.0, 1.0]) / 64.0


def upsample(images: tf.Tensor) -> tf.Tensor:
    """``[batch, height, width, channels]`` to ``[batch, 2 * height, 2 * width, channels]``."""
    _, height, width, channels = images.shape
    outputs = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
        input_sizes=tf.stack([tf.shape(images)[0], 2 * height, 2 * width, channels]),
        filter=_kernel(images, gain=4.0),
        out_backprop=images,
        strides=[1, 2, 2, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, 1, 1, 1, 1, 0, 0],
    )
    return tf.ensure_shape(outputs, [images.shape[0], 2 * height, 2 * width, channels])


def downsample(images: tf.Tensor) -> tf.Tensor:
    """``[batch, height, width, channels]`` to sides of half the length, rounded down."""
    return _filtered(images, stride=2, padding=1)


def blur(images: tf.Tensor, padding: int = 2) -> tf.Tensor:
    """The filter alone, before or after a convolution with a stride: sides grow by ``2 * padding - 3``."""
    return _filtered(images, stride=1, padding=padding)


def _filtered(images: tf.Tensor, stride: int, padding: int) -> tf.Tensor:
    sides = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
    return tf.nn.depthwise_conv2d(images, _kernel(images), [1, stride, stride, 1], sides)


def _kernel(images: tf.Tensor, gain: float = 1.0) -> tf.Tensor:
    taps = tf.constant(gain * _TAPS[:, :, None, None], images.dtype)
    return tf.tile(taps, [1, 1, images.shape[-1], 1])


@loadable
class Upsample(keras.layers.Layer):
    """``upsample`` as a layer."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Sides twice as long."""
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        return upsample(inputs)


@loadable
class Downsample(keras.layers.Layer):
    """``downsample`` as a layer."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Sides half as long, rounded down."""
        batch, height, width, channels = input_shape
        return (batch, height // 2, width // 2, channels)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        return downsample(inputs)
