"""The Frechet distance: closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from gandist.metrics.frechet import frechet_distance


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_equal_covariances_are_as_far_apart_as_their_means(random: np.random.Generator) -> None:
    square = random.normal(size=(5, 5))
    covariance = square @ square.T
    mean, other = np.zeros(5), np.array([3.0, 0, 0, 4.0, 0])
    assert frechet_distance(mean, covariance, other, covariance) == pytest.approx(25.0)


def test_diagonal_covariances_are_apart_by_their_standard_deviations() -> None:
    one, other = np.array([1.0, 4.0, 9.0]), np.array([4.0, 4.0, 1.0])
    expected = np.sum((np.sqrt(one) - np.sqrt(other)) ** 2)
    zero = np.zeros(3)
    assert frechet_distance(zero, np.diag(one), zero, np.diag(other)) == pytest.approx(expected)


def test_one_dimension_in_closed_form() -> None:
    found = frechet_distance(np.array([1.0]), np.array([[4.0]]), np.array([3.0]), np.array([[9.0]]))
    assert found == pytest.approx((1 - 3) ** 2 + (2 - 3) ** 2)


def test_it_is_symmetric_and_turns_with_its_axes(random: np.random.Generator) -> None:
    one, other = (random.normal(size=(4, 4)) for _ in range(2))
    a, b = one @ one.T, other @ other.T
    m, n = random.normal(size=(2, 4))
    turn, _ = np.linalg.qr(random.normal(size=(4, 4)))
    distance = frechet_distance(m, a, n, b)
    assert frechet_distance(n, b, m, a) == pytest.approx(distance)
    turned = frechet_distance(turn @ m, turn @ a @ turn.T, turn @ n, turn @ b @ turn.T)
    assert turned == pytest.approx(distance)


def test_covariances_without_full_rank_give_a_finite_distance() -> None:
    flat = np.zeros((3, 3))
    flat[0, 0] = 1.0
    zero = np.zeros(3)
    assert frechet_distance(zero, flat, zero, np.zeros((3, 3))) == pytest.approx(1.0)
    assert frechet_distance(zero, flat, zero, flat) == pytest.approx(0.0, abs=1e-12)


def test_it_is_what_the_square_root_of_the_product_gives(random: np.random.Generator) -> None:
    """As in Heusel et al. 2017, equation 6, and the usual implementations of it."""
    x, y = random.normal(size=(400, 30)), random.normal(0.3, 1.5, size=(300, 30)) ** 3
    (m, a), (n, b) = ((of.mean(axis=0), np.cov(of, rowvar=False)) for of in (x, y))
    expected = np.sum((m - n) ** 2) + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    assert frechet_distance(m, a, n, b) == pytest.approx(expected, rel=1e-9)
