"""The Frechet distance in pixels: closed forms, and images that get worse and worse."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.data import digits
from gandist.metrics.fd_pixels import Reference, frechet_distance


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return digits.load(digits.Options(), None).images


def noisy(images: np.ndarray, amount: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 255 * amount, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


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


def test_the_real_images_themselves_are_at_no_distance(images: np.ndarray) -> None:
    reference = Reference(images)
    assert reference.compare(images) == pytest.approx(0.0, abs=1e-3)
    assert reference.compare(images[::-1]) == pytest.approx(reference.compare(images), abs=1e-9)


def test_halves_of_the_real_images_are_closer_than_anything_made_worse(images: np.ndarray) -> None:
    one, other = images[::2], images[1::2]
    reference = Reference(one)
    distances = [reference.compare(noisy(other, amount)) for amount in (0.0, 0.2, 0.4, 1.0)]
    assert distances == sorted(distances)
    assert distances[0] < 0.5 * distances[1]


def test_it_sees_missing_classes(images: np.ndarray) -> None:
    labels = digits.load(digits.Options(), None).labels
    reference = Reference(images)
    distances = [reference.compare(images[labels < classes]) for classes in (10, 8, 4, 1)]
    assert distances == sorted(distances)
    assert distances[1] > distances[0] + 0.01


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (64, 64, 3), (70, 50, 3), (8, 8, 1)])
def test_images_of_any_shape(random: np.random.Generator, shape: tuple[int, int, int]) -> None:
    real = random.integers(0, 256, (120, *shape), dtype=np.uint8)
    reference = Reference(real)
    assert reference.protocol == "32 whitened principal components of the real pixels"
    assert 0 <= reference.compare(real) < reference.compare(real // 2)


def test_few_images_have_few_components(random: np.random.Generator) -> None:
    real = random.integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)
    assert Reference(real).protocol.startswith("4 whitened")
    assert np.isfinite(Reference(real).compare(real[:2]))


def test_constant_images_give_a_finite_distance(images: np.ndarray) -> None:
    assert np.isfinite(Reference(images).compare(np.zeros_like(images[:100])))
