"""Principal components of pixels as features: images that get worse and worse, by the Frechet distance."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.data import digits
from gandist.features.pixels import Components
from gandist.metrics import Images, Sets, frechet


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return digits.load(digits.Options(), None).images


def noisy(images: np.ndarray, amount: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 255 * amount, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


class Reference:
    """Compares images with real ones, of which the components are."""

    def __init__(self, real: np.ndarray) -> None:
        self.components = Components(real)
        self.real = self._images(real)

    def _images(self, pixels: np.ndarray) -> Images:
        return Images(pixels, None, lambda: self.components.look(pixels))

    def compare(self, generated: np.ndarray) -> float:
        (value,) = frechet.measure(Sets(self._images(generated), self.real, self.real))
        return value.value


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
def test_images_of_any_shape(shape: tuple[int, int, int]) -> None:
    real = np.random.default_rng(0).integers(0, 256, (120, *shape), dtype=np.uint8)
    reference = Reference(real)
    assert reference.components.look(real).features.shape == (120, 32)
    assert 0 <= reference.compare(real) < reference.compare(real // 2)


def test_few_images_have_few_components() -> None:
    real = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)
    assert Reference(real).components.look(real).features.shape == (5, 4)
    assert np.isfinite(Reference(real).compare(real[:2]))


def test_constant_images_give_a_finite_distance(images: np.ndarray) -> None:
    assert np.isfinite(Reference(images).compare(np.zeros_like(images[:100])))


def test_it_is_named_by_what_it_has_seen(images: np.ndarray) -> None:
    assert Components(images).id == Components(images).id
    assert Components(images).id != Components(images[:500]).id
