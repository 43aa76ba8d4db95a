"""Grouped convolutions: one dense convolution for each group, and gradients of gradients."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from gandist.layers import grouped

pytestmark = pytest.mark.usefixtures("devices")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("strides", [1, 2])
def test_each_group_has_a_kernel_of_its_own(strides: int) -> None:
    layer = grouped.Conv2D(9, 3, strides=strides, padding="same", groups=3)
    images = noise(2, 5, 6, 6)
    layer.build(images.shape)
    layer.bias.assign(noise(9))
    parts = zip(np.split(images, 3, axis=-1), np.split(layer.kernel.numpy(), 3, axis=-1), strict=True)
    expected = np.concatenate(
        [tf.nn.conv2d(part, kernel, strides, "SAME") for part, kernel in parts], axis=-1
    )
    np.testing.assert_allclose(layer(images), expected + noise(9), atol=1e-5)


def test_gradients_have_gradients() -> None:
    """D(x) = |A x|^2 / 2 has slope A^T A x, whose square is 2 |A^T A x|^2 / 2 and of degree 4 in A."""
    layer = grouped.Conv2D(4, 3, padding="same", groups=2, use_bias=False)
    x = tf.constant(noise(2, 4, 4, 4))
    layer.build(x.shape)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            score = tf.reduce_sum(tf.square(layer(x))) / 2.0
        squared = tf.reduce_sum(tf.square(inner.gradient(score, x)))
    along_weights = tf.reduce_sum(outer.gradient(squared, layer.kernel.value) * layer.kernel.value)
    np.testing.assert_allclose(along_weights, 4.0 * squared, rtol=1e-4)
