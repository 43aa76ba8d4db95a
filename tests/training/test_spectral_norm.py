"""Spectral normalization in training: one power iteration for each update of the discriminator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.models.trainers import (
    DCGAN,
    HALF_BATCHES,
    MLP,
    assert_continues_with_the_same_bits,
    assert_replicas_train_as_one,
    tiny_trainer,
)

ALTERNATING = {"training": {"update": "alternating", "n_critic": 2}}
R1 = {"regularizers": {"r1": {"gamma": 1.0}}}
MODELS = [{**DCGAN, "spectral_norm": True}, {**MLP, "spectral_norm": True, "conditional": True}]


def layers(trainer: Any) -> list[Any]:
    return [layer for layer in trainer.gan.discriminator.layers if hasattr(layer, "power_iteration")]


def vectors(trainer: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(layer.u.numpy(), layer.v.numpy()) for layer in layers(trainer)]


def matrices(trainer: Any) -> list[np.ndarray]:
    weights = [layer.trainable_weights[0].numpy().astype(np.float64) for layer in layers(trainer)]
    return [weight.reshape(-1, weight.shape[-1]) for weight in weights]


def after(matrix: np.ndarray, u: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    for _ in range(iterations):
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    return u, v


def start_far_from_the_end(trainer: Any) -> None:
    """So that each iteration shows."""
    for number, layer in enumerate(layers(trainer)):
        u = np.random.default_rng(number).normal(size=layer.u.shape)
        layer.u.assign(u / np.linalg.norm(u))


@pytest.mark.parametrize(
    ("model", "replicas"),
    [
        pytest.param(MODELS[0], 1, id="dcgan-1"),
        pytest.param(MODELS[1], 2, id="mlp-2"),
        pytest.param(MODELS[0], 2, id="dcgan-2", marks=pytest.mark.slow),
        pytest.param(MODELS[1], 1, id="mlp-1", marks=pytest.mark.slow),
    ],
)
def test_an_update_makes_one_iteration_with_the_weights_as_they_are(
    model: dict[str, Any], replicas: int
) -> None:
    trainer = tiny_trainer(model, replicas, optimizer={"learning_rate": 0.05})
    start_far_from_the_end(trainer)
    for step in (1, 2):
        before, u = matrices(trainer), [u for u, _ in vectors(trainer)]
        trainer.run(step)
        assert not np.allclose(matrices(trainer)[0], before[0], atol=1e-3)  # so it matters when
        for found, matrix, start in zip(vectors(trainer), before, u, strict=True):
            for vector, expected in zip(found, after(matrix, start, 1), strict=True):
                np.testing.assert_allclose(vector, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("sections", "iterations"),
    [({}, 1), (ALTERNATING, 2), (HALF_BATCHES, 2)],
    ids=["simultaneous", "n_critic", "half_batches"],
)
def test_there_are_as_many_iterations_as_discriminator_updates(
    sections: dict[str, Any], iterations: int
) -> None:
    """With weights that stand still, so that iterations can be counted."""
    trainer = tiny_trainer(MODELS[1], optimizer={"discriminator_learning_rate": 1e-30}, **sections)
    start_far_from_the_end(trainer)
    before, u = matrices(trainer), [u for u, _ in vectors(trainer)]
    trainer.run(1)
    shown = 0
    for (found, _), matrix, start in zip(vectors(trainer), before, u, strict=True):
        np.testing.assert_allclose(found, after(matrix, start, iterations)[0], atol=1e-5)
        others = [after(matrix, start, count)[0] for count in range(1, 5) if count != iterations]
        shown += all(np.abs(found - other).max() > 1e-3 for other in others)
    assert shown >= 1  # psi has a matrix of rank one, where one iteration arrives


def test_the_losses_are_of_normalised_weights() -> None:
    """The size of a weight does not matter, but to its gradient, which is inverse to it (equation 12)."""
    sections = {"optimizer": {"beta_1": 0.0}, "regularizers": {"r1": {}}}
    one, large = (tiny_trainer(MODELS[1], **sections) for _ in range(2))
    for layer in layers(large):
        weight = layer.trainable_weights[0]
        weight.assign(4 * weight.numpy())
    expected, found = one.run(1), large.run(1)
    for name in ("d_loss", "g_loss", "d_real", "r1", "g_grad_norm"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, err_msg=name)
    # With beta_1 = 0 Adam's first moment is the gradient.
    moments = [trainer.gan.discriminator_player.optimizer.variables[::2] for trainer in (one, large)]
    for weight, gradient, of_large in zip(one.gan.discriminator.trainable_weights, *moments, strict=True):
        scale = 1 if weight.name == "bias" else 4
        np.testing.assert_allclose(scale * of_large.numpy(), gradient.numpy(), rtol=1e-3, atol=1e-6)


# test_update_rules.py has one of them for every run.
trained_in_every_way = pytest.mark.parametrize(
    ("model", "sections"),
    [
        pytest.param(MODELS[0], R1, id="dcgan-simultaneous_r1", marks=pytest.mark.slow),
        pytest.param(MODELS[1], ALTERNATING, id="mlp-n_critic", marks=pytest.mark.slow),
        pytest.param(MODELS[0], ALTERNATING, id="dcgan-n_critic", marks=pytest.mark.slow),
        pytest.param(MODELS[1], R1, id="mlp-simultaneous_r1", marks=pytest.mark.slow),
        pytest.param(MODELS[1], HALF_BATCHES, id="mlp-half_batches", marks=pytest.mark.slow),
    ],
)


@trained_in_every_way
def test_replicas_train_as_one(model: dict[str, Any], sections: dict[str, Any]) -> None:
    assert_replicas_train_as_one(model, **sections)


@trained_in_every_way
def test_a_continued_trainer_ends_with_the_same_bits(model: dict[str, Any], sections: dict[str, Any]) -> None:
    assert_continues_with_the_same_bits(model, **sections)
