"""Batch normalization with the fused kernel."""

from __future__ import annotations

import keras
import tensorflow as tf


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer, with the fused kernel where the statistics are one replica's own.

    Keras computes moments and normalisation as a dozen operations; the kernel makes one pass each way.
    ``portable`` turns it back into Keras' own, so that an exported generator needs no gandist to load.
    """

    def call(self, inputs: tf.Tensor, training: bool = False, mask: None = None) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]`` or ``[batch, features]``."""
        context = tf.distribute.get_replica_context()
        alone = context is not None and context.num_replicas_in_sync == 1
        if not training or (self.synchronized and not alone):
            return super().call(inputs, training=training, mask=mask)
        x = inputs if len(inputs.shape) == 4 else tf.reshape(inputs, [-1, 1, 1, inputs.shape[-1]])
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel's variance is the unbiased estimate; Keras' moving variance is of the biased one.
        count = tf.cast(tf.size(x) / x.shape[-1], tf.float32)
        variance *= (count - 1.0) / count
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        return tf.reshape(outputs, tf.shape(inputs))
