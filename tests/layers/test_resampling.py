"""Repeating pixels and styles: as Keras does it, and compiled by XLA where a gradient's gradient is lazy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist.layers import resampling, styles

pytestmark = pytest.mark.usefixtures("devices")

SIZE = (2, 3)
LAYERS = [
    pytest.param(resampling.UpSampling2D(SIZE), keras.layers.UpSampling2D(SIZE), (2, 3, 4, 2), id="pixels"),
    pytest.param(styles.Repeated(3), keras.layers.RepeatVector(3), (2, 4), id="styles"),
]


@pytest.mark.parametrize(("layer", "of_keras", "shape"), LAYERS)
def test_it_repeats_as_keras_does_and_xla_compiles_a_lazy_gradient_of_its_gradient(
    layer: keras.layers.Layer, of_keras: keras.layers.Layer, shape: tuple[int, ...]
) -> None:
    inputs = tf.random.stateless_normal(shape, [0, 0])
    np.testing.assert_array_equal(layer(inputs), of_keras(inputs))
    assert layer(keras.Input(shape[1:])).shape == of_keras(keras.Input(shape[1:])).shape

    def penalty(factor: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = tf.reduce_sum(tf.square(layer(inputs * factor)))
        return tf.reduce_sum(tf.square(tape.gradient(outputs, inputs)))

    @tf.function(jit_compile=True)
    def slope(its_turn: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(factor)
            value = tf.cond(its_turn, lambda: penalty(factor), lambda: tf.constant(0.0))
        return tape.gradient(value, factor)

    one = tf.constant(1.0)  # the penalty goes with the fourth power of the factor
    np.testing.assert_allclose(slope(tf.constant(True), one), 4.0 * penalty(one), rtol=1e-5)
    assert slope(tf.constant(False), one) == 0.0
