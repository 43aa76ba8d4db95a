"""Nearer to the training than to held-out images, whatever their number."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.metrics import Value, memorization
from tests.metrics import sets


def measured(held_out: np.ndarray, generated: np.ndarray, training: np.ndarray) -> Value:
    (value,) = memorization.measure(sets.of(held_out, generated, training))
    return value


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("size", [50, 500])
def test_others_are_as_near_to_either(random: np.random.Generator, size: int) -> None:
    """Also to ten times as many training images, of which the nearest is nearer."""
    found = measured(*(random.normal(size=(count, 3)) for count in (50, 300, size)))
    assert found.error is not None
    assert abs(found.value - 0.5) < 3 * found.error < 0.35
    assert found.floor == 0.5


def test_copies_are_nearer_to_what_they_were_copied_from(random: np.random.Generator) -> None:
    held_out, training = random.normal(size=(2, 100, 3))
    assert measured(held_out, training[:50], training).value == 1.0
    assert measured(held_out[:20], training[:50], training).value == 1.0
    assert measured(held_out, held_out[:50], training).value == 0.0


def test_some_copies_show(random: np.random.Generator) -> None:
    """One in two, of ten times as many training images as are held out."""
    held_out, training = random.normal(size=(200, 5)), random.normal(size=(2000, 5))
    found = measured(held_out, np.concatenate([training[:500], random.normal(size=(500, 5))]), training)
    assert found.error is not None
    assert 0.5 + 3 * found.error < found.value < 0.8


@pytest.mark.parametrize("dimensions", [2, 100])
def test_its_error_is_what_repetition_shows(random: np.random.Generator, dimensions: int) -> None:
    """Which image is held out decides for all generated ones near it: in many dimensions, for very many."""
    found = [measured(*(random.normal(size=(n, dimensions)) for n in (40, 200, 80))) for _ in range(100)]
    assert np.mean([one.value for one in found]) == pytest.approx(0.5, abs=0.03)
    spread, error = np.std([one.value for one in found]), np.mean([one.error or 0.0 for one in found])
    assert 0.75 < error / spread < 1.5


def test_nothing_held_out_is_nothing_to_compare_with() -> None:
    some = np.zeros((9, 1))
    assert memorization.measure(sets.of(some, some, some, unseen=False)) == []


def test_the_closest_pairs_are_of_different_training_images() -> None:
    training, held_out = np.array([[0.0], [10.0], [20.0], [30.0]]), np.array([[99.0], [98.0], [97.0]])
    generated = np.array([[0.2], [0.1], [10.3], [35.0]])
    pairs = memorization.closest_pairs(sets.of(held_out, generated, training), 2)
    assert pairs.generated.ravel().tolist() == [1, 2]
    assert pairs.training.ravel().tolist() == [0, 1]
    np.testing.assert_allclose(pairs.distances, [0.1, 0.3], rtol=1e-5)
