"""Regularizers against closed forms: the slope of a linear critic is its weights, everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gandist.randomness import Randomness
from gandist.regularizers import (
    DiscriminatorPass,
    GeneratorPass,
    Regularizer,
    gradient_penalty,
    path_length,
    r1,
    r2,
)
from gandist.spec.base import options
from gandist.spec.schedules import Clock, Schedule

pytestmark = pytest.mark.usefixtures("devices")

# numpy's: a tensor at import would set TensorFlow's devices up before any test can say which.
WEIGHTS = np.linspace(-1, 2, 12, dtype=np.float32).reshape(2, 2, 3)
SLOPE = float(np.linalg.norm(WEIGHTS))
REAL, FAKE = np.random.default_rng(0).normal(size=(2, 5, 2, 2, 3)).astype(np.float32)
Critic = Callable[[tf.Tensor], tf.Tensor]


def randomness(replica: int = 0, replicas: int = 1) -> Randomness:
    return Randomness(7, tf.constant(3, tf.int64), replica, replicas)


def clock(step: int = 0) -> Clock:
    return Clock(tf.constant(step, tf.int64), images_per_step=64)


def judged(critic: Critic, fake: Any = FAKE) -> DiscriminatorPass:
    return DiscriminatorPass(critic, tf.constant(REAL), tf.convert_to_tensor(fake), randomness())


def value(regularizer: Regularizer, critic: Critic, fake: Any = FAKE) -> tf.Tensor:
    """The term of each sample, as it stands in the loss of an update that has it."""
    per_sample, figures = regularizer.per_sample(judged(critic, fake), {})
    assert per_sample.shape == [len(REAL)]
    assert figures == {}
    return regularizer.strength(clock()) * regularizer.every * per_sample


def linear(images: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(images * WEIGHTS, axis=[1, 2, 3])[:, None]


def quadratic(images: tf.Tensor) -> tf.Tensor:
    """Its slope at x is x."""
    return 0.5 * tf.reduce_sum(images**2, axis=[1, 2, 3])[:, None]


@pytest.mark.parametrize("kind", [r1, r2], ids=["r1", "r2"])
def test_of_a_linear_critic_it_is_half_gamma_times_its_squared_weights(kind: Any) -> None:
    found = value(kind.Options(gamma=3.0), linear)
    np.testing.assert_allclose(found, np.full(5, 1.5 * SLOPE**2), rtol=1e-6)


def test_r1_is_taken_at_each_real_image() -> None:
    found = value(r1.Options(gamma=2.0), quadratic)
    np.testing.assert_allclose(found, np.sum(REAL**2, axis=(1, 2, 3)), rtol=1e-5)


def test_r1_takes_the_slope_that_the_loss_has_found_where_there_is_one() -> None:
    asked: list[str] = []

    def never(images: tf.Tensor) -> tf.Tensor:
        raise AssertionError("a second forward pass")

    def slope() -> tf.Tensor:
        asked.append("slope")
        return tf.constant(REAL)

    given = DiscriminatorPass(never, tf.constant(REAL), tf.constant(FAKE), randomness(), slope)
    found, _ = r1.Options().per_sample(given, {})
    np.testing.assert_allclose(found, np.sum(REAL**2, axis=(1, 2, 3)), rtol=1e-5)
    assert asked == ["slope"]


def test_r2_is_taken_at_each_generated_image() -> None:
    found = value(r2.Options(gamma=2.0), quadratic)
    np.testing.assert_allclose(found, np.sum(FAKE**2, axis=(1, 2, 3)), rtol=1e-5)


def test_a_lazy_one_is_as_much_larger_as_it_is_rarer() -> None:
    found = value(r1.Options(gamma=3.0, every=16), linear)
    np.testing.assert_allclose(found, np.full(5, 16 * 1.5 * SLOPE**2), rtol=1e-6)


def test_a_strength_follows_its_schedule() -> None:
    falling = Schedule(linear=(4.0, 2.0), steps=10)
    for regularizer, expected in (
        (r1.Options(gamma=falling), (2.0, 1.5, 1.0)),
        (r2.Options(gamma=falling), (2.0, 1.5, 1.0)),
        (gradient_penalty.Options(weight=falling), (4.0, 3.0, 2.0)),
        (path_length.Options(weight=falling), (4.0, 3.0, 2.0)),
    ):
        found = [regularizer.strength(clock(step)) for step in (0, 5, 99)]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_gradient_penalty_of_a_linear_critic_is_the_squared_distance_of_its_slope_from_1() -> None:
    found = value(gradient_penalty.Options(weight=10.0), linear)
    np.testing.assert_allclose(found, np.full(5, 10 * (SLOPE - 1) ** 2), rtol=1e-5)


def test_the_gradient_penalty_is_taken_between_the_images_of_each_pair() -> None:
    """Where the slope is x itself, its norm is that of a point on the way from the one to the other."""
    found = value(gradient_penalty.Options(weight=1.0), quadratic)
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
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(value(gradient_penalty.Options(), lambda images: scale * linear(images)))
    assert np.isfinite(tape.gradient(total, scale).numpy())


@pytest.mark.parametrize("kind", [gradient_penalty, r2], ids=["gradient_penalty", "r2"])
def test_no_gradient_reaches_the_generator(kind: Any) -> None:
    fake = tf.Variable(FAKE)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(value(kind.Options(), quadratic, fake))
    assert tape.gradient(total, fake) is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (r1, 10.0 * 2.0 * SLOPE**2),  # of gamma / 2 * s^2 * |w|^2
        (r2, 10.0 * 2.0 * SLOPE**2),
        (gradient_penalty, 2 * 10.0 * (2.0 * SLOPE - 1) * SLOPE),  # of weight * (s |w| - 1)^2
    ],
    ids=["r1", "r2", "gradient_penalty"],
)
def test_it_trains_the_critic(kind: Any, expected: float) -> None:
    scale = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        total = tf.reduce_mean(value(kind.Options(), lambda images: scale * linear(images)))
    np.testing.assert_allclose(tape.gradient(total, scale), expected, rtol=1e-4)


LATENTS = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
JACOBIAN = np.random.default_rng(2).normal(size=(4, 12)).astype(np.float32)


def drawn(synthesize: Critic) -> GeneratorPass:
    return GeneratorPass(synthesize, tf.constant(LATENTS), randomness())


def images_of(styles: tf.Tensor) -> tf.Tensor:
    return tf.reshape(styles @ JACOBIAN, [-1, 2, 2, 3])


def expected_lengths() -> np.ndarray:
    """|J^T y|, of a linear generator the same at every style; y is divided by the root of the pixels."""
    noise = randomness().stream("path_length").normal(5, 2, 2, 3).numpy().reshape(5, 12) / 2.0
    lengths: np.ndarray = np.linalg.norm(noise @ JACOBIAN.T, axis=1)
    return lengths


def test_path_lengths_are_those_of_the_noise_through_the_jacobian() -> None:
    found, figures = path_length.Options().per_sample(drawn(images_of), {"mean": tf.constant(1.5)})
    np.testing.assert_allclose(figures["mean_path_length"], expected_lengths(), rtol=1e-5)
    np.testing.assert_allclose(found, (expected_lengths() - 1.5) ** 2, rtol=1e-4)


def test_where_layers_have_a_style_each_the_squared_length_is_the_mean_over_them() -> None:
    styles = tf.constant(
        np.stack([LATENTS, LATENTS], axis=1)
    )  # of a layer with the generator, and of one without
    given = GeneratorPass(lambda styles: images_of(styles[:, 0]), styles, randomness())
    _, figures = path_length.Options().per_sample(given, {"mean": tf.constant(0.0)})
    np.testing.assert_allclose(figures["mean_path_length"], expected_lengths() / np.sqrt(2.0), rtol=1e-5)


def test_path_length_trains_the_generator_but_not_through_the_average() -> None:
    scale = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        state = {"mean": tf.constant(1.0)}
        found, _ = path_length.Options().per_sample(drawn(lambda styles: scale * images_of(styles)), state)
        total = tf.reduce_mean(found)
    lengths = expected_lengths()
    expected = np.mean(2 * (2.0 * lengths - 1.0) * lengths)  # of (s l - a)^2
    np.testing.assert_allclose(tape.gradient(total, scale), expected, rtol=1e-4)


def test_path_length_has_a_finite_gradient_where_nothing_depends_on_the_styles() -> None:
    scale = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        given = drawn(lambda styles: scale * images_of(styles))
        total = tf.reduce_sum(path_length.Options().per_sample(given, {"mean": tf.constant(0.0)})[0])
    assert np.isfinite(tape.gradient(total, scale).numpy())


def test_the_average_of_path_lengths_moves_by_its_decay() -> None:
    regularizer = path_length.Options(decay=0.75)
    assert regularizer.state == {"mean": 0.0}
    after = regularizer.advance({"mean": tf.constant(2.0)}, {"mean_path_length": tf.constant(6.0)})
    np.testing.assert_allclose(after["mean"], 3.0, rtol=1e-6)


def test_which_network_each_is_of_and_which_bound_the_slope() -> None:
    kinds = options("gandist.regularizers")
    assert [kind for kind in kinds if kind.network == "generator"] == [path_length.Options]
    assert [kind for kind in kinds if kind.bounds_the_slope] == [gradient_penalty.Options]
