"""Optimizers against Keras' own, and against schedules."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist.optimizers import OptimizerOptions, adam, rmsprop
from gandist.spec.base import options
from gandist.spec.schedules import Clock, Schedule
from gandist.training.optimizer import Optimizer

pytestmark = pytest.mark.usefixtures("devices")

START = np.linspace(-1, 1, 7).astype(np.float32)
FORMS: list[tuple[OptimizerOptions, Any]] = [
    (
        adam.Options(learning_rate=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-5),
        lambda: keras.optimizers.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-5),
    ),
    (adam.Options(beta_1=0.0), lambda: keras.optimizers.Adam(1e-4, beta_1=0.0)),
    (
        rmsprop.Options(learning_rate=0.01, rho=0.8, momentum=0.5, epsilon=1e-5),
        lambda: keras.optimizers.RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-5),
    ),
    (rmsprop.Options(), lambda: keras.optimizers.RMSprop(1e-4)),
]


def gradient(count: int) -> tf.Tensor:
    return tf.constant(np.sin(count * START + 1))


def after(optimizer: OptimizerOptions, updates: int, every: int = 1) -> np.ndarray:
    """The weights after so many updates, one a step."""
    variable = keras.Variable(START)
    working = Optimizer(optimizer, [variable], optimizer.learning_rate, every)
    for count in range(1, updates + 1):
        clock = Clock(tf.constant(count - 1, tf.int64), images_per_step=8)
        working.apply([gradient(count)], tf.constant(count, tf.float32), clock)
    weights: np.ndarray = variable.numpy()
    return weights


@pytest.mark.parametrize(("ours", "theirs"), FORMS, ids=lambda given: getattr(given, "name", ""))
def test_it_is_keras(ours: OptimizerOptions, theirs: Any) -> None:
    variable, optimizer = keras.Variable(START), theirs()
    for count in range(1, 6):
        optimizer.apply([gradient(count)], [variable])
    np.testing.assert_allclose(after(ours, 5), variable.numpy(), rtol=1e-5)


@pytest.mark.parametrize("kind", [adam.Options, rmsprop.Options], ids=["adam", "rmsprop"])
def test_a_schedule_of_one_value_is_the_number(kind: Any) -> None:
    level = kind(learning_rate=Schedule(cosine=(0.01, 0.01), steps=3))
    np.testing.assert_allclose(after(level, 5), after(kind(learning_rate=0.01), 5), rtol=1e-6)


def test_a_scheduled_learning_rate_is_keras_set_before_each_update() -> None:
    found = after(adam.Options(learning_rate=Schedule(linear=(0.1, 0.02), steps=4)), 6)
    variable, optimizer = keras.Variable(START), keras.optimizers.Adam()
    for count, rate in enumerate([0.1, 0.08, 0.06, 0.04, 0.02, 0.02], start=1):
        optimizer.learning_rate = rate
        optimizer.apply([gradient(count)], [variable])
    np.testing.assert_allclose(found, variable.numpy(), rtol=1e-5, atol=1e-5)


def test_a_network_with_a_lazy_regularizer_has_smaller_rates_where_that_is_asked_for() -> None:
    """Every 16: c = 16 / 17, c * 0.01, 0.9 ** c and 0.99 ** c (Karras et al. 2020, appendix B)."""
    rates = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.99}
    corrected = adam.Options(**rates, lazy_correction=True)
    smaller = adam.Options(learning_rate=0.009411765, beta_1=0.9055953, beta_2=0.9905855)
    np.testing.assert_allclose(after(corrected, 5, every=16), after(smaller, 5), rtol=1e-5)
    np.testing.assert_array_equal(after(corrected, 5), after(adam.Options(**rates), 5))
    np.testing.assert_array_equal(after(adam.Options(**rates), 5, every=16), after(adam.Options(**rates), 5))


def test_a_scheduled_momentum_changes_the_updates() -> None:
    rising = after(rmsprop.Options(momentum=Schedule(linear=(0.0, 0.9), steps=4)), 5)
    assert not np.allclose(rising, after(rmsprop.Options(), 5), atol=1e-6)
    np.testing.assert_allclose(
        after(rmsprop.Options(momentum=Schedule(linear=(0.0, 0.9), steps=4)), 1),
        after(rmsprop.Options(), 1),
        rtol=1e-6,
    )


def test_the_slots_are_an_optimizer_s_whole_state() -> None:
    for kind in options("gandist.optimizers"):
        chosen = kind()
        variables = Optimizer(chosen, [keras.Variable(START)], 1e-3).variables
        assert len(variables) == len(chosen.slots)
        assert all(not slot.numpy().any() for slot in variables)


def test_every_optimizer_is_among_these() -> None:
    assert {type(ours) for ours, _ in FORMS} == set(options("gandist.optimizers"))
