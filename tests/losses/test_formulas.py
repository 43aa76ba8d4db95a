"""Losses against their formulas, written out in numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from gandist.losses import (
    LossOptions,
    SeparableLoss,
    hinge,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    wasserstein,
)
from gandist.spec.base import options

pytestmark = pytest.mark.usefixtures("devices")

X = np.array([[-30.0], [-2.0], [-0.5], [0.0], [0.3], [1.0], [4.0], [30.0]])
OTHER = X[::-1] + 0.25


def log_sigmoid(x: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0.0, -x)


EXPECTED: dict[SeparableLoss, tuple[np.ndarray, np.ndarray, np.ndarray]] = {
    non_saturating.Options(): (-log_sigmoid(X), -log_sigmoid(-X), -log_sigmoid(X)),
    minimax.Options(): (-log_sigmoid(X), -log_sigmoid(-X), log_sigmoid(-X)),
    non_saturating.Options(real_label=0.9): (
        -0.9 * log_sigmoid(X) - 0.1 * log_sigmoid(-X),
        -log_sigmoid(-X),
        -log_sigmoid(X),
    ),
    least_squares.Options(): ((X - 1) ** 2 / 2, X**2 / 2, (X - 1) ** 2 / 2),
    hinge.Options(): (np.maximum(0, 1 - X), np.maximum(0, 1 + X), -X),
    wasserstein.Options(): (-X, X, -X),
}
every_separable_loss = pytest.mark.parametrize("loss", EXPECTED, ids=str)
every_loss = pytest.mark.parametrize("loss", [*EXPECTED, relativistic.Options()], ids=str)


def tensor(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values, tf.float32)


@every_separable_loss
def test_a_loss_is_its_formula(loss: SeparableLoss) -> None:
    logits = tensor(X)
    found = loss.discriminator_real(logits), loss.discriminator_fake(logits), loss.generator(logits, None)
    for one, expected in zip(found, EXPECTED[loss], strict=True):
        assert one.shape == logits.shape
        np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-6)


@every_separable_loss
def test_the_parts_of_a_separable_loss_are_logged_by_their_names(loss: SeparableLoss) -> None:
    real, fake = tensor(X), tensor(OTHER)
    parts = loss.discriminator(real, fake)
    assert list(parts) == ["d_loss_real", "d_loss_fake"]
    assert {**loss.of_real(real), **loss.of_fake(fake)}.keys() == parts.keys()
    np.testing.assert_array_equal(parts["d_loss_real"], loss.discriminator_real(real))
    np.testing.assert_array_equal(parts["d_loss_fake"], loss.discriminator_fake(fake))


@every_separable_loss
def test_the_mean_counts_each_part_half(loss: SeparableLoss) -> None:
    assert loss.weight_of_a_part == 1.0
    assert loss.model_copy(update={"combine": "mean"}).weight_of_a_part == 0.5


@every_loss
def test_a_better_generator_has_a_lower_loss_and_gives_the_discriminator_a_higher_one(
    loss: LossOptions,
) -> None:
    fake, real = tensor(np.array([[0.1], [0.9]])), tensor(np.array([[0.5], [0.5]]))
    worse, better = loss.generator(fake, real).numpy()
    assert better < worse
    fooled = sum(part.numpy() for part in loss.discriminator(real, fake).values())
    assert fooled[1] > fooled[0]


def test_a_relativistic_loss_compares_each_pair() -> None:
    loss = relativistic.Options()
    (name, found), *rest = loss.discriminator(tensor(X), tensor(OTHER)).items()
    assert (name, rest) == ("d_loss", [])
    np.testing.assert_allclose(found, -log_sigmoid(X - OTHER), rtol=1e-5, atol=1e-6)
    found = loss.generator(tensor(OTHER), tensor(X))
    np.testing.assert_allclose(found, -log_sigmoid(OTHER - X), rtol=1e-5, atol=1e-6)


def test_a_relativistic_loss_does_not_change_where_all_scores_move_together() -> None:
    loss = relativistic.Options()
    real, fake = tensor(np.array([[1.0], [-2.0]])), tensor(np.array([[0.5], [3.0]]))
    losses: Callable[[float], list[np.ndarray]] = lambda by: [  # noqa: E731
        loss.discriminator(real + by, fake + by)["d_loss"].numpy(),
        loss.generator(fake + by, real + by).numpy(),
    ]
    np.testing.assert_allclose(losses(8.0), losses(0.0), rtol=1e-5)


def test_a_relativistic_generator_needs_the_real_ones() -> None:
    assert relativistic.Options.paired
    with pytest.raises(TypeError, match="needs the logits of the real images"):
        relativistic.Options().generator(tensor(X), None)


def test_an_output_is_a_probability_under_a_cross_entropy_and_else_the_score_itself() -> None:
    for loss in (*EXPECTED, relativistic.Options()):
        expected = np.exp(log_sigmoid(X)) if loss.name in ("non_saturating", "minimax") else X
        np.testing.assert_allclose(loss.output(tensor(X)), expected, rtol=1e-5, atol=1e-12)


def test_only_the_unbounded_loss_needs_a_limit_to_the_slope() -> None:
    needing = [loss for loss in options("gandist.losses") if loss.needs_a_lipschitz_critic]
    assert needing == [wasserstein.Options]


def test_the_sign_of_a_logit_decides_where_a_logit_of_0_is_undecided() -> None:
    """Not where only differences count, and not where 0 is the label of generated images."""
    deciding = {loss.model_fields["name"].default for loss in options("gandist.losses") if loss.sign_decides}
    assert deciding == {"non_saturating", "minimax", "hinge"}


def test_every_loss_is_among_these() -> None:
    assert {type(loss) for loss in EXPECTED} | {relativistic.Options} == set(options("gandist.losses"))
