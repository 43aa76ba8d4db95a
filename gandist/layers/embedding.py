"""Learned vectors of classes."""

from __future__ import annotations

import keras
import tensorflow as tf


class Embedding(keras.layers.Embedding):
    """Keras' layer as a product with one-hot labels.

    The gradient of a lookup is sparse, and its norm is wrong where a batch has a label twice.
    """

    def call(self, labels: tf.Tensor) -> tf.Tensor:
        """Labels int ``[batch]`` to float32 ``[batch, features]``."""
        table = tf.cast(self.table(), self.compute_dtype)
        return tf.matmul(tf.one_hot(labels, self.input_dim, dtype=self.compute_dtype), table)

    def table(self) -> tf.Tensor:
        """float32 ``[classes, features]``."""
        return tf.convert_to_tensor(self.embeddings.value)
