"""Classes found, and how evenly: closed forms, and the published floor of stacked MNIST."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.metrics import Images, Sets, Value, modes
from tests.metrics import sets

MNIST_SHARES = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]) / 60_000


def measured(of: Sets) -> tuple[Value, Value]:
    found, divergence = modes.measure(of)
    return found, divergence


def test_the_datas_own_shares_are_no_divergence() -> None:
    found, divergence = measured(sets.classified([0, 1, 1, 2] * 25, [1, 0, 2, 1] * 25))
    assert (found.value, divergence.value) == (3, 0.0)


def test_a_class_alone_is_as_far_as_it_is_rare() -> None:
    found, divergence = measured(sets.classified([0, 1, 1, 2] * 25, [2] * 100))
    assert found.value == 1
    assert divergence.value == pytest.approx(np.log(4))


def test_a_class_that_the_data_has_not_is_infinitely_far() -> None:
    _, divergence = measured(sets.classified([0, 1] * 50, [0, 1, 2, 1] * 25))
    assert divergence.value == np.inf


def test_a_class_by_which_a_classifier_errs_is_not_found() -> None:
    found, _ = measured(sets.classified([0, 1, 2] * 100, [0, 1] * 149 + [2, 2]))
    assert found.value == 2


def test_without_labels_the_classes_of_real_images_are_what_is_seen_in_them() -> None:
    labelled = sets.classified([0, 1, 1, 2] * 25, [1] * 100)
    unlabelled = Sets(labelled.generated, labelled.real, labelled.training)
    assert measured(unlabelled) == measured(labelled)


def test_without_a_classifier_there_are_none() -> None:
    assert modes.measure(sets.of(np.zeros((9, 1)), np.zeros((9, 1)))) == []


def test_classes_of_something_else_are_none() -> None:
    labelled = sets.classified([0, 1] * 50, [9] * 100, classes=10)
    assert modes.measure(Sets(labelled.generated, labelled.real, labelled.training, ("cats", "dogs"))) == []


def triples(random: np.random.Generator, count: int, shares: np.ndarray) -> Images:
    """Stacked digits, of which a classifier is certain."""
    digits = random.choice(10, size=(count, 3), p=shares)
    return sets.images(np.zeros((count, 1)), np.eye(10, dtype=np.float32)[digits])


def test_triples_of_stacked_mnist_have_the_published_floor() -> None:
    """26,000 real stacked digits: all 1,000, at 0.0235 from uniform."""
    random = np.random.default_rng(0)
    real, other = (triples(random, 26_000, MNIST_SHARES) for _ in range(2))
    found, divergence = measured(Sets(other, real, real))
    assert (found.value, found.floor) == (1000, 1000)
    assert divergence.floor == pytest.approx(0.0235, abs=4e-4)
    assert divergence.value == pytest.approx(0.0235, abs=2e-3)


def test_one_image_finds_a_triple() -> None:
    random = np.random.default_rng(0)
    same = np.eye(10)[:1].repeat(10, axis=0)[0]
    alone = triples(random, 999, same)
    logits = np.concatenate([np.asarray(alone.logits), np.eye(10, dtype=np.float32)[[[1, 2, 3]]]])
    found, _ = measured(
        Sets(
            sets.images(np.zeros((1000, 1)), logits),
            triples(random, 2000, MNIST_SHARES),
            sets.images(np.zeros((1, 1))),
        )
    )
    assert found.value == 2
