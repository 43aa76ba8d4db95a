"""The discriminator on images that it was trained on, and on others."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.metrics import discriminator_gap
from tests.metrics import sets


def judge(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Its output is an image's grey."""
    assert len(images) == len(labels)
    return images.astype(np.float64).ravel()


def test_it_is_the_difference_of_its_means() -> None:
    three, five = np.zeros((3, 1)), np.zeros((5, 1))
    (value,) = discriminator_gap.measure(sets.of(real=five, generated=three, training=three, judge=judge))
    assert value.value == pytest.approx(1.0 - 2.0)
    assert value.error == pytest.approx(np.sqrt((2 / 3) / 3 + 2.0 / 5))


def test_none_without_held_out_images_or_a_judge() -> None:
    some = np.zeros((3, 1))
    assert discriminator_gap.measure(sets.of(some, some, some, judge=judge, unseen=False)) == []
    assert discriminator_gap.measure(sets.of(some, some, some)) == []
