"""Spectral normalization: the paper's sigma, its gradient (equation 12), and nothing that a call moves."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist import models
from gandist.layers import embedding, spectral
from gandist.models import dcgan

pytestmark = pytest.mark.usefixtures("devices")

randoms = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test draws depends on no test before it."""
    keras.utils.set_random_seed(0)
    monkeypatch.setitem(globals(), "randoms", np.random.default_rng(0))


def noise(*shape: int) -> np.ndarray:
    return randoms.normal(size=shape).astype(np.float32)


IMAGES, VECTORS, LABELS = noise(3, 6, 5, 4), noise(3, 7), np.array([4, 0, 2], np.int32)
# Ours, Keras' own, what both are called with, inputs.
KINDS: dict[str, tuple[Any, Any, tuple[Any, ...], np.ndarray]] = {
    "dense": (spectral.Dense, keras.layers.Dense, (5,), VECTORS),
    "conv": (spectral.Conv2D, keras.layers.Conv2D, (6, 3, 2, "same"), IMAGES),
    "embedding": (spectral.Embedding, embedding.Embedding, (6, 8), LABELS),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def built(kind: str) -> tuple[Any, np.ndarray]:
    """A layer with a random weight and no bias of 0, and its inputs."""
    ours, _, arguments, inputs = KINDS[kind]
    layer = ours(*arguments)
    layer(inputs)
    for weight in layer.trainable_weights:
        weight.assign(noise(*weight.shape))
    return layer, inputs


def moved(layer: Any, times: int) -> Any:
    """``layer`` after so many power iterations."""
    for _ in range(times):
        for variable, value in layer.power_iteration():
            variable.assign(value)
    return layer


def matrix(layer: Any) -> np.ndarray:
    weight = layer.trainable_weights[0].numpy().astype(np.float64)
    return weight.reshape(-1, weight.shape[-1])


def sigma(layer: Any) -> float:
    return float(layer.v.numpy().astype(np.float64) @ matrix(layer) @ layer.u.numpy())


def plain_with(kind: str, layer: Any, weight: np.ndarray) -> Any:
    """The plain layer with that weight, and ``layer``'s bias."""
    _, theirs, arguments, inputs = KINDS[kind]
    plain = theirs(*arguments)
    plain(inputs)
    first, *others = layer.trainable_weights
    plain.set_weights([weight.reshape(first.shape), *(other.numpy() for other in others)])
    return plain


@every_kind
def test_iterations_find_the_largest_singular_value(kind: str) -> None:
    layer, inputs = built(kind)
    found = sigma(moved(layer, 200))
    left, values, right = np.linalg.svd(matrix(layer))
    assert found == pytest.approx(values[0], rel=1e-5)
    assert abs(left[:, 0] @ layer.v.numpy()) == pytest.approx(1, abs=1e-4)
    assert abs(right[0] @ layer.u.numpy()) == pytest.approx(1, abs=1e-4)
    plain = plain_with(kind, layer, matrix(layer) / values[0])
    np.testing.assert_allclose(layer(inputs), plain(inputs), rtol=1e-4, atol=1e-5)


@every_kind
def test_one_iteration_is_the_algorithm_s(kind: str) -> None:
    layer, _ = built(kind)
    v = matrix(layer) @ layer.u.numpy()
    v /= np.linalg.norm(v)
    u = matrix(layer).T @ v
    u /= np.linalg.norm(u)
    variables = [variable for variable, _ in layer.power_iteration()]
    assert [variable is own.value for variable, own in zip(variables, (layer.u, layer.v), strict=True)] == [
        True,
        True,
    ]
    moved(layer, 1)
    np.testing.assert_allclose(layer.u.numpy(), u, atol=1e-6)
    np.testing.assert_allclose(layer.v.numpy(), v, atol=1e-6)


@every_kind
def test_sigma_is_of_use_from_the_first_call(kind: str) -> None:
    ours, _, arguments, inputs = KINDS[kind]
    for seed in range(20):
        keras.utils.set_random_seed(seed)
        layer = ours(*arguments)
        layer(inputs)
        assert np.linalg.norm(layer.u.numpy()) == pytest.approx(1, abs=1e-6)
        assert np.linalg.norm(layer.v.numpy()) == pytest.approx(1, abs=1e-6)
        largest = np.linalg.svd(matrix(layer))[1][0]
        assert 0.9 * largest < sigma(layer) < 1.0001 * largest


@every_kind
def test_the_gradient_is_equation_12(kind: str) -> None:
    """With G the gradient by the normalised weight M / sigma, it is (G - <G, M / sigma> v u^T) / sigma."""
    layer, inputs = built(kind)  # u and v are another weight's, so that they cannot pass for functions of it
    weights = tf.constant(noise(*layer(inputs).shape))

    def gradient(of: Any) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(of(inputs)) * weights)
        return [g.numpy() for g in tape.gradient(loss, [w.value for w in of.trainable_weights])]

    normalised = matrix(layer) / sigma(layer)
    by_normalised, *of_others = gradient(plain_with(kind, layer, normalised))
    g = by_normalised.reshape(normalised.shape)
    expected = (g - (g * normalised).sum() * np.outer(layer.v.numpy(), layer.u.numpy())) / sigma(layer)
    found, *others = gradient(layer)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-3, atol=1e-4)
    for other, expected_other in zip(others, of_others, strict=True):
        np.testing.assert_allclose(other, expected_other, rtol=1e-4, atol=1e-5)


def test_a_gradient_penalty_s_gradient_passes_through_sigma() -> None:
    """A gradient of a gradient, against differences of the first."""
    layer = moved(built("dense")[0], 3)
    inputs = tf.constant(VECTORS)

    def penalty() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(tf.sin(layer(inputs)))
        return tf.reduce_sum(tape.gradient(total, inputs) ** 2)

    kernel = layer.kernel.value
    with tf.GradientTape() as tape:
        value = penalty()
    found = tape.gradient(value, kernel).numpy()
    start, direction = kernel.numpy(), noise(*kernel.shape)
    sides = []
    for sign in (1, -1):
        kernel.assign(start + sign * 1e-2 * direction)
        sides.append(float(penalty()))
    assert (sides[0] - sides[1]) / 2e-2 == pytest.approx((found * direction).sum(), rel=1e-2)


@pytest.mark.parametrize("training", [True, False])
def test_a_call_moves_nothing(training: bool) -> None:
    """Keras' own moves its kernel and its vector."""
    options = dcgan.Options(width=2, kernel_size=3, conditional=True, spectral_norm=True, dropout=0.0)
    network = models.build_discriminator(options, (8, 8, 1), 5)
    normalised = [layer for layer in network.layers if hasattr(layer, "power_iteration")]
    assert {type(layer) for layer in normalised} == {kind for kind, *_ in KINDS.values()}
    before = [w.numpy().tobytes() for w in network.variables]
    inputs = [noise(3, 8, 8, 1), LABELS]
    network(inputs, training=training)
    tf.function(lambda: network(inputs, training=training))()
    for layer in normalised:
        layer.power_iteration()  # tells what to assign, and assigns nothing
    assert [w.numpy().tobytes() for w in network.variables] == before


def test_kernels_are_the_seed_s_with_and_without() -> None:
    """So that a comparison of both starts at one point."""
    networks = []
    for spectral_norm in (False, True):
        keras.utils.set_random_seed(3)
        options = dcgan.Options(width=2, kernel_size=3, conditional=True, spectral_norm=spectral_norm)
        networks.append(models.build_discriminator(options, (8, 8, 1), 5))
    plain, normalised = ([w.numpy() for w in network.trainable_weights] for network in networks)
    for one, other in zip(plain, normalised, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(networks[0].non_trainable_weights) == 0
    assert len(networks[1].non_trainable_weights) == 2 * 4  # two convolutions, psi and the projection
