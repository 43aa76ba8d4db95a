"""Penalties against closed forms: the slope of a linear critic is its weights, everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from gandist.penalties import R1, GradientPenalty, PenaltyOptions, WeightClipping

from gandist.randomness import Randomness

pytestmark = pytest.mark.usefixtures("devices")

# numpy's: a tensor at import would set TensorFlow's devices up before any test can say which.
WEIGHTS = np.linspace(-1, 2, 12, dtype=np.float32).reshape(2, 2, 3)
SLOPE = float(np.linalg.norm(WEIGHTS))
REAL, FAKE = np.random.default_rng(0).normal(size=(2, 5, 2, 2, 3)).astype(np.float32)


def value(penalty: PenaltyOptions, critic: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    return penalty.per_sample(critic, tf.constant(REAL), tf.constant(FAKE), randomness())


def linear(images: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(images * WEIGHTS, axis=[1, 2, 3])[:, None]


def quadratic(images: tf.Tensor) -> tf.Tensor:
    """Its slope at x is x."""
    return 0.5 * tf.reduce_sum(images**2, axis=[1, 2, 3])[:, None]


def randomness(replica: int = 0, replicas: int = 1) -> Randomness:
    return Randomness(7, tf.constant(3, tf.int64), replica, replicas)


def test_r1_of_a_linear_critic_is_half_gamma_times_its_squared_weights() -> None:
    found = value(R1(gamma=3.0), linear)
    np.testing.assert_allclose(found, np.full(5, 1.5 * SLOPE**2), rtol=1e-6)


def test_r1_is_taken_at_each_real_image() -> None:
    found = value(R1(gamma=2.0), quadratic)
    np.testing.assert_allclose(found, np.sum(REAL**2, axis=(1, 2, 3)), rtol=1e-5)


def test_lazy_r1_is_as_much_larger_as_it_is_rarer() -> None:
    penalty = R1(gamma=3.0, every=16)
    assert penalty.interval == 16
    found = value(penalty, linear)
    np.testing.assert_allclose(found, np.full(5, 16 * 1.5 * SLOPE**2), rtol=1e-6)


def test_the_gradient_penalty_of_a_linear_critic_is_the_squared_distance_of_its_slope_from_1() -> None:
    found = value(GradientPenalty(weight=10.0), linear)
    np.testing.assert_allclose(found, np.full(5, 10 * (SLOPE - 1) ** 2), rtol=1e-5)


def test_the_gradient_penalty_is_taken_between_the_images_of_each_pair() -> None:
    """Where the slope is x itself, its norm is that of a point on the way from the one to the other."""
    found = value(GradientPenalty(weight=1.0), quadratic)
    shares = randomness().stream("interpolation").uniform(5, 1, 1, 1).numpy()
    between = REAL + shares * (FAKE - REAL)
    norms = np.sqrt(np.sum(between**2, axis=(1, 2, 3)))
    np.testing.assert_allclose(found, (norms - 1) ** 2, rtol=1e-4)
    assert len(np.unique(shares)) == 5
    assert ((shares >= 0) & (shares < 1)).all()


def test_two_replicas_interpolate_as_one() -> None:
    whole = randomness().stream("interpolation").uniform(6, 1)
    halves = [randomness(replica, 2).stream("interpolation").uniform(3, 1) for replica in (0, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(halves))


def test_the_gradient_penalty_has_a_finite_gradient_where_the_slope_is_0() -> None:
    scale = tf.Variable(0.0)

    def flat(images: tf.Tensor) -> tf.Tensor:
        return scale * linear(images)

    with tf.GradientTape() as tape:
        penalty = tf.reduce_sum(value(GradientPenalty(), flat))
    assert np.isfinite(tape.gradient(penalty, scale).numpy())


def test_the_gradient_penalty_does_not_reach_the_generator() -> None:
    fake = tf.Variable(FAKE)
    with tf.GradientTape() as tape:
        penalty = tf.reduce_sum(
            GradientPenalty().per_sample(quadratic, tf.constant(REAL), fake, randomness())
        )
    assert tape.gradient(penalty, fake) is None


@pytest.mark.parametrize("penalty", [R1(), GradientPenalty()], ids=lambda penalty: penalty.name)
def test_a_penalty_trains_the_critic(penalty: R1 | GradientPenalty) -> None:
    scale = tf.Variable(2.0)
    scaled: Callable[[tf.Tensor], tf.Tensor] = lambda images: scale * linear(images)  # noqa: E731
    with tf.GradientTape() as tape:
        total = tf.reduce_mean(value(penalty, scaled))
    expected = {
        "r1": 10.0 * 2.0 * SLOPE**2,  # of gamma / 2 * s^2 * |w|^2
        "gradient_penalty": 2 * 10.0 * (2.0 * SLOPE - 1) * SLOPE,  # of weight * (s |w| - 1)^2
    }[penalty.name]
    np.testing.assert_allclose(tape.gradient(total, scale), expected, rtol=1e-4)


def test_clipped_weights_stay_within_the_limit() -> None:
    found = WeightClipping(limit=0.5).constrained(tf.constant([-2.0, -0.5, 0.1, 0.7]))
    np.testing.assert_array_equal(found, np.array([-0.5, -0.5, 0.1, 0.5], np.float32))
