"""Layers that Keras lacks, or has with hidden state."""

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

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Inputs ``[batch, ...]``; scaled by 1 / (1 - rate) where kept."""
        if not training or self.rate == 0.0:
            return inputs
        # 16 bits decide: the rate is met to 1e-5, at half the cost of a float each.
        keep = randomness.for_layer().bits(*inputs.shape) >= round(self.rate * 2**16) - 2**15
        return tf.where(keep, inputs * (1.0 / (1.0 - self.rate)), 0.0)


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


def portable(model: keras.Model) -> keras.Model:
    """A copy of ``model``, weights included, of Keras' own layers only."""

    def own(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind = keras.layers.BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=own)
    copy.set_weights(model.get_weights())
    return copy
