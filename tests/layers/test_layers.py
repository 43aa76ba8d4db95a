"""The faster layers compute what Keras' own do."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist.layers.dropout import Dropout
from gandist.layers.normalization import BatchNormalization
from gandist.layers.resampling import Conv2DTranspose
from gandist.randomness import Randomness, layers_draw_from

pytestmark = pytest.mark.usefixtures("devices")


def with_gradients(layer: Any, inputs: np.ndarray, **kwargs: Any) -> list[np.ndarray]:
    """Outputs, the gradient of a weighted sum of them by inputs and weights, and the weights afterwards."""
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, **kwargs)
        loss = tf.reduce_sum(
            outputs * tf.cos(tf.range(tf.size(outputs), dtype=tf.float32)).numpy().reshape(outputs.shape)
        )
    gradients = tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])
    return [value.numpy() for value in (outputs, *gradients, *layer.weights)]


def compare(ours: Any, theirs: Any, inputs: np.ndarray, **kwargs: Any) -> None:
    for layer in (ours, theirs):
        layer(inputs)  # builds
    theirs.set_weights(ours.get_weights())
    for found, expected in zip(
        with_gradients(ours, inputs, **kwargs), with_gradients(theirs, inputs, **kwargs), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("strides", [1, 2])
def test_transposed_convolution(kernel_size: int, strides: int) -> None:
    options = {"strides": strides, "padding": "same", "use_bias": False, "activation": "tanh"}
    ours, theirs = (
        kind(3, kernel_size, **options) for kind in (Conv2DTranspose, keras.layers.Conv2DTranspose)
    )
    compare(ours, theirs, noise(2, 5, 6, 4))


@pytest.mark.parametrize("shape", [(8, 3, 4, 5), (8, 5)])
def test_batch_normalization(shape: tuple[int, ...]) -> None:
    ours, theirs = (kind(momentum=0.7) for kind in (BatchNormalization, keras.layers.BatchNormalization))
    compare(ours, theirs, 2 + noise(*shape), training=True)
    compare(ours, theirs, 2 + noise(*shape), training=False)


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    with layers_draw_from(Randomness(0, tf.constant(0, tf.int64))):
        outputs = Dropout(0.3)(tf.ones([64, 10, 10, 3]), training=True).numpy()
    assert set(np.unique(outputs)) == {0.0, np.float32(1 / 0.7)}
    assert abs((outputs == 0).mean() - 0.3) < 0.01


def test_dropout_does_nothing_in_inference() -> None:
    ones = tf.ones([4, 5])
    np.testing.assert_array_equal(Dropout(0.3)(ones, training=False), ones)
