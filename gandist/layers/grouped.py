"""Grouped convolutions (Xie et al. 2017, section 3): each group of channels has a kernel of its own."""

from __future__ import annotations

import keras
import tensorflow as tf

from gandist.layers.registry import loadable


@loadable
class Conv2D(keras.layers.Conv2D):
    """Keras' layer by TensorFlow's own kernels, which take groups, on CPUs too.

    Keras compiles each such convolution by XLA, whose gradients took 30 to 200 times as long on a CPU.
    """

    def convolution_op(self, inputs: tf.Tensor, kernel: keras.Variable) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``; kernel ``[height, width, a group, filters]``."""
        weight = tf.cast(tf.convert_to_tensor(kernel), inputs.dtype)
        return tf.nn.conv2d(inputs, weight, self.strides, self.padding.upper(), dilations=self.dilation_rate)
