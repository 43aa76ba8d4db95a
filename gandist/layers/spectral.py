"""Spectral normalization (Miyato et al. 2018): layers whose weight is divided by its largest singular value.

Keras' own assigns the kernel at each call in training mode, behind its optimizer's back and several times an
update. Here a call assigns nothing: it divides by u^T W v (section 2.1) with the vectors u and v as they are,
and whoever updates the network moves them with ``power_iteration`` (algorithm 1).
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from gandist.layers import embedding

_FIRST_ITERATIONS = 20


class _SpectralNorm(keras.layers.Layer):
    """Holds u float32 ``[outputs]`` and v float32 ``[inputs]``, of length 1, as non-trainable weights.

    The paper's W is the transpose of the layer's weight as a matrix ``[inputs, outputs]``; of a convolution,
    ``inputs`` are all places of the kernel in all channels.
    """

    def build(self, input_shape: Any) -> None:
        """Add the weights; u and v start near the kernel's first singular vectors."""
        super().build(input_shape)
        # Starting at a row, not at random, leaves the seed's other weights as they are without spectral norm.
        # At the longest: iterations never shrink u^T W v, which so is at least that row's length.
        matrix = self._matrix()
        u = tf.math.l2_normalize(matrix[tf.argmax(tf.norm(matrix, axis=1))])
        for _ in range(_FIRST_ITERATIONS):
            u, v = _iterated(matrix, u)
        self.u = self.add_weight(name="u", shape=u.shape, initializer=u, trainable=False, autocast=False)
        self.v = self.add_weight(name="v", shape=v.shape, initializer=v, trainable=False, autocast=False)

    def power_iteration(self) -> list[tuple[tf.Variable, tf.Tensor]]:
        """One iteration with the present weight: the variables u and v, each with its new value."""
        u, v = _iterated(self._matrix(), tf.convert_to_tensor(self.u.value))
        return [(self.u.value, u), (self.v.value, v)]

    def _weight(self) -> keras.Variable:
        return self.kernel

    def _matrix(self) -> tf.Tensor:
        weight = tf.cast(self._weight().value, tf.float32)
        return tf.reshape(weight, [-1, weight.shape[-1]])

    def _normalised(self) -> tf.Tensor:
        """The weight divided by u^T W v, of which W alone has a gradient (section 2.3)."""
        matrix = self._matrix()
        u, v = tf.convert_to_tensor(self.u.value), tf.convert_to_tensor(self.v.value)
        sigma = tf.reduce_sum(v * tf.linalg.matvec(matrix, u))
        return tf.reshape(matrix / sigma, self._weight().shape)


def _iterated(matrix: tf.Tensor, u: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The next u ``[outputs]`` and v ``[inputs]`` for ``matrix`` ``[inputs, outputs]``."""
    v = tf.math.l2_normalize(tf.linalg.matvec(matrix, u))
    return tf.math.l2_normalize(tf.linalg.matvec(matrix, v, transpose_a=True)), v


class Dense(_SpectralNorm, keras.layers.Dense):
    """Keras' layer with its kernel normalised."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, inputs]``."""
        outputs = tf.matmul(inputs, tf.cast(self._normalised(), inputs.dtype))
        if self.use_bias:
            outputs = keras.ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


class Conv2D(_SpectralNorm, keras.layers.Conv2D):
    """Keras' layer with its kernel normalised."""

    def convolution_op(self, inputs: tf.Tensor, _: keras.Variable) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        return super().convolution_op(inputs, tf.cast(self._normalised(), inputs.dtype))


class Embedding(_SpectralNorm, embedding.Embedding):
    """``embedding.Embedding`` with its table normalised."""

    def table(self) -> tf.Tensor:
        """float32 ``[classes, features]``."""
        return self._normalised()

    def _weight(self) -> keras.Variable:
        return self.embeddings
