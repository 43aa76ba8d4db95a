"""Modulated convolutions against a loop over samples, each with its own kernel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from gandist.layers.filtered import upsample
from gandist.layers.modulated import ModulatedConv2D, Noise
from gandist.randomness import Randomness, layers_draw_from

pytestmark = pytest.mark.usefixtures("devices")

random = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return random.normal(size=shape).astype(np.float32)


def kernels(layer: ModulatedConv2D, styles: np.ndarray) -> list[np.ndarray]:
    """Of each sample, equations 1 and 3, with the scale of an equalised learning rate."""
    (kernel,) = layer.get_weights()
    scaled = kernel / math.sqrt(np.prod(kernel.shape[:-1]))
    own = [scaled * style[:, None] for style in styles]
    if layer.demodulate:
        own = [kernel / np.sqrt((kernel**2).sum(axis=(0, 1, 2)) + 1e-8) for kernel in own]
    return own


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("size", [1, 3])
def test_every_sample_has_its_kernel(size: int, demodulate: bool) -> None:
    x, styles = noise(3, 5, 6, 4), 1.0 + noise(3, 4)
    layer = ModulatedConv2D(7, size, demodulate=demodulate)
    found = layer([x, styles])
    for i, kernel in enumerate(kernels(layer, styles)):
        expected = tf.nn.conv2d(x[i : i + 1], kernel, 1, "SAME")
        np.testing.assert_allclose(found[i : i + 1], expected, atol=1e-5)


def test_doubling_inserts_zeros_convolves_and_filters() -> None:
    x, styles = noise(3, 5, 6, 4), 1.0 + noise(3, 4)
    layer = ModulatedConv2D(7, 3, doubled=True)
    found = layer([x, styles]).numpy()
    assert found.shape == (3, 10, 12, 7)
    # Inside, the order of filter and convolution makes no difference; a transposed one turns its kernel.
    for i, kernel in enumerate(kernels(layer, styles)):
        filtered = upsample(tf.constant(x[i : i + 1]))
        expected = tf.nn.conv2d(filtered, kernel[::-1, ::-1], 1, "SAME").numpy()
        np.testing.assert_allclose(found[i : i + 1, 2:-2, 2:-2], expected[:, 2:-2, 2:-2], atol=1e-5)


def test_noise_begins_at_0_and_is_one_number_a_pixel() -> None:
    x = noise(3, 5, 6, 4)
    layer = Noise()
    draw = lambda: Randomness(0, tf.constant(0, tf.int64))  # noqa: E731
    with layers_draw_from(draw()):
        np.testing.assert_array_equal(layer(x), x)
    layer.strength.assign(0.5)
    with layers_draw_from(draw()):
        added = (layer(x) - x).numpy()
    drawn = draw().next_stream().normal(3, 5, 6, 1).numpy()
    np.testing.assert_allclose(added, np.tile(0.5 * drawn, (1, 1, 1, 4)), atol=1e-6)


def test_fixed_noise_needs_nothing_to_draw_from_and_is_the_same_for_all() -> None:
    x = np.zeros((3, 5, 6, 4), np.float32)
    layer = Noise(fixed_noise=True)
    layer.build(x.shape)
    layer.strength.assign(1.0)
    found = layer(x).numpy()
    np.testing.assert_array_equal(found, layer(x))
    assert np.ptp(found, axis=(0, 3)).max() == 0
    assert found.std() > 0.5
