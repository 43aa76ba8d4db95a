"""Equalised learning rate, by its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from gandist.layers import equalized

pytestmark = pytest.mark.usefixtures("devices")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_weights_are_normal_and_scaled_at_runtime() -> None:
    x, m = noise(4, 400), 0.01
    layer = equalized.Dense(300, bias=2.0, multiplier=m)
    found = layer(x)
    kernel, bias = layer.get_weights()
    assert kernel.std() == pytest.approx(1.0 / m, rel=0.01)
    np.testing.assert_allclose(bias, 2.0 / m)
    np.testing.assert_allclose(found, x @ kernel * m / 20.0 + bias * m, rtol=1e-4, atol=1e-4)
    activated = equalized.Dense(300, activation=True, bias=2.0, multiplier=m)
    activated.build(x.shape)
    activated.set_weights([kernel, bias])
    leaky = np.where(found > 0, found, 0.2 * found) * math.sqrt(2.0)
    np.testing.assert_allclose(activated(x), leaky, rtol=1e-4, atol=1e-4)


def test_a_multiplier_slows_a_layer_whose_optimizer_is_blind_to_scale() -> None:
    """The same step of the stored weight moves the weight that counts by m times as much."""
    x = noise(4, 9)
    moved = []
    for m in (1.0, 0.01):
        layer = equalized.Dense(5, multiplier=m)
        layer.build(x.shape)
        before = layer(x)
        layer.kernel.assign_add(noise(9, 5))
        moved.append((layer(x) - before).numpy())
    np.testing.assert_allclose(moved[1], 0.01 * moved[0], atol=1e-5)


@pytest.mark.parametrize("size", [1, 3])
def test_a_convolution_is_scaled_by_all_inputs_of_an_output(size: int) -> None:
    x = noise(2, 6, 6, 5)
    layer = equalized.Conv2D(4, size, activation=True)
    found = layer(x)
    kernel, bias = layer.get_weights()
    plain = tf.nn.conv2d(x, kernel / math.sqrt(5 * size**2), 1, "SAME").numpy()
    np.testing.assert_allclose(found, np.where(plain > 0, plain, 0.2 * plain) * math.sqrt(2.0), atol=1e-5)
    np.testing.assert_array_equal(bias, 0.0)


def test_halving_filters_first() -> None:
    """In the middle; at the border the convolution sees what the filter has left of the zeros around."""
    x = noise(2, 8, 12, 5)
    layer = equalized.Conv2D(4, 3, halved=True, use_bias=False)
    found = layer(x).numpy()
    (kernel,) = layer.get_weights()
    assert found.shape == (2, 4, 6, 4)
    taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64.0
    window = x[:, 0:6, 2:8].astype(np.float64)  # what the output at 1, 2 sees
    expected = np.zeros((2, 4))
    for i in range(3):
        for j in range(3):
            seen = np.einsum("bhwc,hw->bc", window[:, i : i + 4, j : j + 4], taps)
            expected += seen @ kernel[i, j] / math.sqrt(45.0)
    np.testing.assert_allclose(found[:, 1, 2], expected, atol=1e-5)
