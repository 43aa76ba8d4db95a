"""From latents to the styles of layers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from gandist.layers.styles import MeanStyle, Mixed, UnitSecondMoment
from gandist.randomness import Randomness, layers_draw_from

pytestmark = pytest.mark.usefixtures("devices")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_the_second_moment_is_1() -> None:
    np.testing.assert_allclose(np.mean(UnitSecondMoment()(3.0 * noise(4, 50)) ** 2, axis=1), 1.0, rtol=1e-5)


def test_the_mean_is_of_what_was_seen_in_training_and_truncation_pulls_towards_it() -> None:
    x, layer = noise(4, 3), MeanStyle(decay=0.75)
    np.testing.assert_array_equal(layer(x, training=True), x)
    layer(2.0 * x, training=True)
    layer(100.0 * x, training=False)
    mean = 0.75 * 0.25 * x.mean(axis=0) + 0.25 * 2.0 * x.mean(axis=0)
    np.testing.assert_allclose(layer.mean, mean, rtol=1e-5)
    for psi in (0.0, 0.7, 1.0):
        layer.truncation = psi
        np.testing.assert_allclose(layer(x), psi * x + (1.0 - psi) * mean, atol=1e-6)


def test_mixing_changes_the_style_once_at_a_place_that_is_uniform() -> None:
    count, batch = 4, 3000
    first, second = np.zeros((batch, 2), np.float32), np.ones((batch, 2), np.float32)
    layer = Mixed(count, probability=0.6)
    with layers_draw_from(Randomness(0, tf.constant(0, tf.int64))):
        found = layer([first, second], training=True).numpy()
    assert found.shape == (batch, count, 2)
    assert np.ptp(found, axis=2).max() == 0
    of_second = found[:, :, 0].sum(axis=1).astype(int)
    np.testing.assert_array_equal(found[:, :, 0], np.arange(count) >= count - of_second[:, None])
    np.testing.assert_allclose(
        np.bincount(of_second, minlength=5) / batch, [0.4, 0.2, 0.2, 0.2, 0], atol=0.03
    )
    np.testing.assert_array_equal(layer([first, second]), 0.0)
