"""Several images as one of more channels (Lin et al. 2018, section 3).

A discriminator that judges them together sees where a generator makes the same again and again.
"""

from __future__ import annotations

import tensorflow as tf


def packed(images: tf.Tensor, size: int) -> tf.Tensor:
    """``[batch, height, width, channels]`` to ``[batch / size, height, width, size * channels]``.

    Consecutive images are packed, so that replicas, which hold consecutive parts of a batch, have the packs
    that one replica would.
    """
    if size == 1:
        return images
    count, height, width, channels = images.shape
    side_by_side = tf.transpose(tf.reshape(images, [-1, size, height, width, channels]), [0, 2, 3, 1, 4])
    return tf.reshape(side_by_side, [count // size, height, width, size * channels])


def unpacked(packs: tf.Tensor, size: int) -> tf.Tensor:
    """What ``packed`` has packed."""
    if size == 1:
        return packs
    count, height, width, channels = packs.shape
    apart = tf.transpose(tf.reshape(packs, [-1, height, width, size, channels // size]), [0, 3, 1, 2, 4])
    return tf.reshape(apart, [count * size, height, width, channels // size])
