"""Batch normalization with the fused kernel, and with scales and offsets of each class."""

from __future__ import annotations

import keras
import tensorflow as tf

from gandist.layers.embedding import Embedding


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
        features = x.shape[-1]
        # Keras casts them where inputs are of half precision, which the kernel does not take.
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=tf.cast(self.gamma.value, tf.float32) if self.scale else tf.ones(features),
            offset=tf.cast(self.beta.value, tf.float32) if self.center else tf.zeros(features),
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

    def _moments(self, inputs: tf.Tensor, mask: None) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and variance ``[features]`` over the global batch, in one all-reduce; Keras makes three."""
        context = tf.distribute.get_replica_context()
        if not self.synchronized or context is None:
            moments: tuple[tf.Tensor, tf.Tensor] = super()._moments(inputs, mask)
            return moments
        axes, inputs = self._reduction_axes, tf.cast(inputs, tf.float32)
        sums = tf.stack([tf.reduce_sum(inputs, axes), tf.reduce_sum(tf.square(inputs), axes)])
        sums = context.all_reduce(tf.distribute.ReduceOp.SUM, sums)
        count = tf.cast(tf.size(inputs) // inputs.shape[-1] * context.num_replicas_in_sync, tf.float32)
        # Not "/": TensorFlow would multiply by the reciprocal of a constant, which has other bits.
        mean, mean_of_squares = (tf.math.divide_no_nan(total, count) for total in tf.unstack(sums))
        return mean, tf.maximum(mean_of_squares - tf.square(mean), 0.0)


def normalised(
    maps: keras.KerasTensor,
    labels: keras.KerasTensor | None,
    classes: int,
    **settings: object,
) -> keras.KerasTensor:
    """Batch normalization of feature maps, conditional where there are labels.

    A class then has its own scales and offsets (Dumoulin et al. 2017, section 3, for batches: de Vries et al.
    2017, section 4), 1 and 0 at first.

    Args:
        maps: ``[batch, height, width, channels]``.
        labels: of the images, int32 ``[batch]``.
        classes: how many there are.
        settings: of the layer ``BatchNormalization``.
    """
    if labels is None:
        return BatchNormalization(**settings)(maps)
    channels = maps.shape[-1]

    def of_class(first: str) -> keras.KerasTensor:
        rows = Embedding(classes, channels, embeddings_initializer=first)(labels)
        return keras.layers.Reshape((1, 1, channels))(rows)

    x = BatchNormalization(center=False, scale=False, **settings)(maps)
    return keras.layers.Add()([keras.layers.Multiply()([x, of_class("ones")]), of_class("zeros")])
