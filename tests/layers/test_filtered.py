"""The [1, 3, 3, 1] filter: zeros inserted, a full convolution, cropped, written out with numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gandist.layers.filtered import Downsample, Upsample, blur, downsample, upsample

pytestmark = pytest.mark.usefixtures("devices")

TAPS = np.array([1.0, 3.0, 3.0, 1.0]) / 8.0


def along(axis: int, images: np.ndarray, change: Any) -> np.ndarray:
    return np.apply_along_axis(change, axis, images)


def doubled(line: np.ndarray) -> np.ndarray:
    """Zeros between, the whole convolution with twice the filter, and of it the middle."""
    spread = np.zeros(2 * len(line))
    spread[::2] = line
    return np.convolve(spread, 2.0 * TAPS)[1:-2]


def halved(line: np.ndarray) -> np.ndarray:
    """The whole convolution without its first and last two, and of it every other."""
    return np.convolve(line, TAPS)[2:-2][::2]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sides", [(4, 6), (7, 5)])
def test_known_answers(sides: tuple[int, int], channels: int) -> None:
    images = noise(2, *sides, channels)
    for layer, function, line in ((Upsample(), upsample, doubled), (Downsample(), downsample, halved)):
        expected = along(2, along(1, images, line), line)
        np.testing.assert_allclose(function(tf.constant(images)), expected, atol=1e-6)
        np.testing.assert_allclose(layer(images), expected, atol=1e-6)
        assert layer.compute_output_shape(images.shape) == expected.shape
    whole = along(
        2, along(1, images, lambda line: np.convolve(line, TAPS)), lambda line: np.convolve(line, TAPS)
    )
    np.testing.assert_allclose(blur(tf.constant(images))[:, 1:-1], whole[:, 2:-2, 1:-1], atol=1e-6)


@pytest.mark.parametrize("function", [upsample, downsample])
def test_gradients_have_gradients(function: Any) -> None:
    """f(x) = |A x|^4 / 4 has degree 4, and |grad f|^2 degree 6: Euler's theorem gives its slope along x."""
    x = tf.constant(noise(2, 4, 4, 3))
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = tf.reduce_sum(tf.square(function(x))) ** 2 / 4.0
        squared = tf.reduce_sum(tf.square(inner.gradient(value, x)))
    along_x = tf.reduce_sum(outer.gradient(squared, x) * x)
    np.testing.assert_allclose(along_x, 6.0 * squared, rtol=1e-4)
