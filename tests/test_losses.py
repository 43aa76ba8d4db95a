"""Losses against their formulas, written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from gandist.losses import Hinge, LeastSquares, LossOptions, Minimax, NonSaturating, Wasserstein

pytestmark = pytest.mark.usefixtures("devices")

X = np.array([[-30.0], [-2.0], [-0.5], [0.0], [0.3], [1.0], [4.0], [30.0]])


def log_sigmoid(x: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0.0, -x)


EXPECTED = {
    NonSaturating(): (-log_sigmoid(X), -log_sigmoid(-X), -log_sigmoid(X)),
    Minimax(): (-log_sigmoid(X), -log_sigmoid(-X), log_sigmoid(-X)),
    NonSaturating(real_label=0.9): (
        -0.9 * log_sigmoid(X) - 0.1 * log_sigmoid(-X),
        -log_sigmoid(-X),
        -log_sigmoid(X),
    ),
    LeastSquares(): ((X - 1) ** 2 / 2, X**2 / 2, (X - 1) ** 2 / 2),
    Hinge(): (np.maximum(0, 1 - X), np.maximum(0, 1 + X), -X),
    Wasserstein(): (-X, X, -X),
}
every_loss = pytest.mark.parametrize("loss", EXPECTED, ids=str)


@every_loss
def test_a_loss_is_its_formula(loss: LossOptions) -> None:
    logits = tf.constant(X, tf.float32)
    found = loss.discriminator_real(logits), loss.discriminator_fake(logits), loss.generator(logits)
    for one, expected in zip(found, EXPECTED[loss], strict=True):
        assert one.shape == logits.shape
        np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-6)


@every_loss
def test_a_better_generator_has_a_lower_loss_and_gives_the_discriminator_a_higher_one(
    loss: LossOptions,
) -> None:
    logits = tf.constant([[0.1], [0.9]])
    worse, better = loss.generator(logits).numpy()
    assert better < worse
    fooled = loss.discriminator_fake(logits).numpy()
    assert fooled[1] > fooled[0]


def test_an_output_is_a_probability_under_a_cross_entropy_and_else_the_score_itself() -> None:
    logits = tf.constant(X, tf.float32)
    for loss in EXPECTED:
        expected = np.exp(log_sigmoid(X)) if loss.name in ("non_saturating", "minimax") else X
        np.testing.assert_allclose(loss.output(logits), expected, rtol=1e-5, atol=1e-12)
