"""How much samples differ within a group, told to the discriminator (Karras et al. 2018, section 3).

As in the code of Karras et al. 2020: one number per group, and that appended as one channel.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class MinibatchStd(keras.layers.Layer):
    """Appends the standard deviation of features within a group, as their mean over all of them.

    Groups are consecutive samples: so replicas, which hold consecutive parts of a batch, form the groups that
    one replica would. Where the batch is no multiple of the group, as when images are judged, what is left
    over joins the last group; a batch smaller than the group is one group.
    """

    def __init__(self, group: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group = group

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, height, width, channels]`` or ``[batch, features]``; one more of the last."""
        x = tf.cast(inputs, tf.float32)
        batch, *shape = x.shape
        first_of_last = max(batch // self.group - 1, 0) * self.group
        parts = [_deviation(x[None, first_of_last:])]
        if first_of_last:  # of no groups TensorFlow's gradients have ended the process with a division by 0
            parts.insert(0, _deviation(tf.reshape(x[:first_of_last], [-1, self.group, *shape])))
        deviations = tf.concat(parts, axis=0)
        return tf.concat([inputs, tf.cast(deviations, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One more channel."""
        *rest, channels = input_shape
        return (*rest, None if channels is None else channels + 1)

    def get_config(self) -> dict[str, Any]:
        """What ``__init__`` takes."""
        return {**super().get_config(), "group": self.group}


def _deviation(x: tf.Tensor) -> tf.Tensor:
    """``[groups, size, ..., n]`` to ``[groups * size, ..., 1]``: of each group, at each of its samples."""
    # Without the epsilon the root's derivative at 0 is infinite.
    deviation = tf.sqrt(tf.math.reduce_variance(x, axis=1, keepdims=True) + 1e-8)
    mean = tf.reduce_mean(deviation, axis=list(range(1, len(x.shape))), keepdims=True)
    groups, size, *places, _ = x.shape
    # tf.tile's gradient hides its shape from who counts operations.
    return tf.reshape(mean * tf.ones([1, size, *places, 1]), [groups * size, *places, 1])
