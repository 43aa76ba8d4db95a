"""DiffAugment: what a policy is made of. The changes themselves: ``test_changes.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from gandist.augmentations import _changes
from gandist.augmentations.diff_augment import Options
from gandist.randomness import Randomness

pytestmark = pytest.mark.usefixtures("devices")

BATCH = 32
COLOR = np.tanh(np.random.default_rng(0).normal(size=(BATCH, 8, 8, 3))).astype(np.float32)
GREY = np.ascontiguousarray(COLOR[..., :1])


def applied(images: Any, replica: int = 0, replicas: int = 1, **options: Any) -> np.ndarray:
    draw = Randomness(7, tf.constant(3, tf.int64), replica, replicas)
    found: np.ndarray = Options(**options).apply(tf.constant(images), draw, {}).numpy()
    return found


@pytest.mark.parametrize(
    ("kind", "images", "changes"),
    [
        ("flip", COLOR, ["flip"]),
        ("color", COLOR, ["brightness", "saturation", "contrast"]),
        ("color", GREY, ["brightness", "contrast"]),
        ("translation", COLOR, [("translation", {"around": 0.0})]),
        ("cutout", GREY, [("cutout", {"outside": 0.5})]),
    ],
)
def test_a_kind_is_its_changes_of_every_image(kind: str, images: np.ndarray, changes: list[Any]) -> None:
    draw = Randomness(7, tf.constant(3, tf.int64)).stream("augmentation")
    expected = tf.constant(images)
    for change in changes:
        name, how = change if isinstance(change, tuple) else (change, {})
        expected = getattr(_changes, name)(expected, draw, tf.ones([BATCH, 1]), **how)
    np.testing.assert_array_equal(applied(images, policy=[kind]), expected)


def test_the_policy_is_all_kinds_in_order() -> None:
    step_by_step = COLOR
    for kind in ("color", "translation", "cutout"):
        step_by_step = applied(step_by_step, policy=(kind,))
    np.testing.assert_array_equal(applied(COLOR), step_by_step)


def test_every_image_is_changed_and_in_its_own_way() -> None:
    found = applied(np.tile(COLOR[:1], (BATCH, 1, 1, 1)))
    assert not any(np.array_equal(image, COLOR[0]) for image in found)
    assert len({image.tobytes() for image in found}) == BATCH


def test_replicas_change_as_one() -> None:
    halves = [applied(half, at, 2) for at, half in enumerate(np.split(COLOR, 2))]
    np.testing.assert_array_equal(np.concatenate(halves), applied(COLOR))


def test_nothing_is_remembered() -> None:
    assert not Options.state
    assert not Options().figures(tf.zeros([4, 1]))
    assert not Options().reads_signs


def test_a_policy_names_each_kind_once_and_at_least_one() -> None:
    assert Options(policy=("cutout", "color", "cutout")).policy == ("cutout", "color")
    with pytest.raises(ValidationError, match="the list is empty; give at least one"):
        Options(policy=())
