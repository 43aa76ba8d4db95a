"""Layers that change the size of feature maps."""

from __future__ import annotations

import keras
import tensorflow as tf
from tensorflow.python.eager import record  # there is no public way


class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras' layer; a stride of 1 is computed as the plain convolution that it is.

    TensorFlow runs every transposed convolution as the gradient of one, which took more than twice as long on
    the CPU where this was measured.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        if tuple(self.strides) != (1, 1) or self.padding != "same" or self.use_bias:
            return super().call(inputs)
        kernel = tf.cast(tf.convert_to_tensor(self.kernel.value), inputs.dtype)
        outputs = _transposed_convolution(inputs, kernel)
        return outputs if self.activation is None else self.activation(outputs)


def _transposed_convolution(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Stride 1, same size; ``kernel`` ``[height, width, outputs, inputs]``.

    ``tf.custom_gradient`` would keep each graph that it was ever called in, for the life of the process.
    """
    # "SAME" pads an even kernel less before than after; its transpose is the other way round.
    padding = [[0, 0], *([size // 2, (size - 1) // 2] for size in kernel.shape[:2]), [0, 0]]
    with record.stop_recording():
        flipped = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])
        outputs = tf.nn.conv2d(inputs, flipped, 1, padding)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        by_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=upstream,
            filter_sizes=kernel.shape,
            out_backprop=inputs,
            strides=[1, 1, 1, 1],
            padding="SAME",
        )
        return tf.nn.conv2d(upstream, kernel, 1, "SAME"), by_kernel

    record.record_operation("TransposedConvolution", [outputs], [inputs, kernel], gradient)
    return outputs


class UpSampling2D(keras.layers.UpSampling2D):
    """Keras' layer, of the nearest pixel, by a product with ones.

    Keras repeats by ``tf.tile``, of whose gradient XLA cannot make a gradient within a ``tf.cond``: a lazy
    path length.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        _, height, width, channels = inputs.shape
        down, right = self.size
        pixels = tf.reshape(inputs, [-1, height, 1, width, 1, channels])
        repeated = pixels * tf.ones([1, 1, down, 1, right, 1], inputs.dtype)
        return tf.reshape(repeated, [-1, height * down, width * right, channels])
