"""Layers that Keras lacks, or has with hidden state."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.eager import record  # there is no public way

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


class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras' layer; a stride of 1 is computed as the plain convolution that it is.

    TensorFlow runs every transposed convolution as the gradient of one, which took more than twice as long on
    the CPU where this was measured.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]``."""
        if tuple(self.strides) != (1, 1) or self.padding != "same" or self.use_bias:
            return super().call(inputs)
        outputs = _transposed_convolution(inputs, tf.convert_to_tensor(self.kernel.value))
        return outputs if self.activation is None else self.activation(outputs)


def _transposed_convolution(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Stride 1, same size; ``kernel`` ``[height, width, outputs, inputs]``.

    ``tf.custom_gradient`` would keep each graph that it was ever called in, for the life of the process.
    """
    # "SAME" pads an even kernel less before than after; its transpose is the other way round.
    padding = [[0, 0], *([size // 2, (size - 1) // 2] for size in kernel.shape[:2]), [0, 0]]
    with record.stop_recording():
        flipped = tf.transpose(kernel[::-1, ::-1], [0, 1, 3, 2])
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


class Embedding(keras.layers.Embedding):
    """Keras' layer as a product with one-hot labels.

    The gradient of a lookup is sparse, and its norm is wrong where a batch has a label twice.
    """

    def call(self, labels: tf.Tensor) -> tf.Tensor:
        """Labels int ``[batch]`` to float32 ``[batch, features]``."""
        return tf.matmul(tf.one_hot(labels, self.input_dim), self.table())

    def table(self) -> tf.Tensor:
        """float32 ``[classes, features]``."""
        return tf.convert_to_tensor(self.embeddings.value)


_PORTABLE = {
    BatchNormalization: keras.layers.BatchNormalization,
    Conv2DTranspose: keras.layers.Conv2DTranspose,
    Embedding: keras.layers.Embedding,
}


def portable(model: keras.Model, **settings: object) -> keras.Model:
    """A copy of ``model``, weights included, of Keras' own layers only.

    Args:
        model: any.
        settings: other values for layers that have such a setting.
    """

    def own(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        config |= {name: value for name, value in settings.items() if name in config}
        return _PORTABLE.get(type(layer), type(layer)).from_config(config)

    copy = keras.models.clone_model(model, clone_function=own)
    copy.set_weights(model.get_weights())
    return copy
