"""Adaptive augmentation: what it changes, how often, and how it learns how often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gandist.augmentations._changes import BRIGHTNESS, CHANGES
from gandist.augmentations.ada import MOST, Options
from gandist.randomness import Randomness
from gandist.spec.schedules import Clock, Schedule

pytestmark = pytest.mark.usefixtures("devices")

BATCH = 64
IMAGES = np.tanh(np.random.default_rng(0).normal(size=(BATCH, 16, 12, 3))).astype(np.float32)


def randomness(step: int = 3, replica: int = 0, replicas: int = 1) -> Randomness:
    return Randomness(7, tf.constant(step, tf.int64), replica, replicas)


def applied(p: float, images: Any = IMAGES, draw: Randomness | None = None) -> np.ndarray:
    found: np.ndarray = (
        Options().apply(tf.constant(images), draw or randomness(), {"ada_p": tf.constant(p)}).numpy()
    )
    return found


def clock(step: int = 0) -> Clock:
    return Clock(tf.constant(step, tf.int64), images_per_step=64)


def advanced(p: float, sign: float, images: int = 64, step: int = 0, **options: Any) -> float:
    state, figures = {"ada_p": tf.constant(p)}, {"d_sign_real": tf.constant(sign)}
    return float(Options(**options).advance(state, figures, images, clock(step))["ada_p"])


def test_with_probability_0_nothing_is_changed_in_any_bit() -> None:
    assert applied(0.0).tobytes() == IMAGES.tobytes()


def test_each_change_comes_with_its_own_probability() -> None:
    many = np.concatenate([applied(0.25, draw=randomness(step)) for step in range(40)])
    originals = np.tile(IMAGES, (40, 1, 1, 1))
    unchanged = np.mean([np.array_equal(a, b) for a, b in zip(many, originals, strict=True)])
    # Each of three with a quarter; a shift by nothing and a square outside of the image change nothing.
    assert 0.75**3 - 0.03 < unchanged < 0.75**3 + 0.10


def test_with_probability_1_every_image_is_changed_and_in_its_own_way() -> None:
    found = applied(1.0, np.tile(IMAGES[:1], (BATCH, 1, 1, 1)))
    assert not any(np.array_equal(image, IMAGES[0]) for image in found)
    assert len({image.tobytes() for image in found}) == BATCH


def test_the_three_changes_are_a_shift_a_brightness_and_a_square() -> None:
    """On a flat image: -1 beside the shifted image, 0 in the square, one brightness elsewhere."""
    flat = np.full((BATCH, 16, 16, 1), 0.75, np.float32)
    for image in applied(1.0, flat):
        levels = set(np.unique(image)) - {-1.0, 0.0}
        assert len(levels) <= 1
        assert all(abs(level - 0.75) <= BRIGHTNESS for level in levels)
        rows, columns = np.nonzero(image[..., 0] == 0.0)
        if rows.size:
            assert rows.size == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            assert max(np.ptp(rows), np.ptp(columns)) < 8


def test_the_same_numbers_make_the_same_changes_whatever_the_images() -> None:
    """Two flat ones differ where they are seen, by what they differed, and nowhere else."""
    changed = [applied(1.0, np.full_like(IMAGES, level)) for level in (0.75, 0.5)]
    found = np.unique(changed[0] - changed[1])
    assert found.min() == 0.0
    np.testing.assert_allclose(found[found > 0], 0.25, rtol=1e-5)


def test_replicas_change_as_one() -> None:
    whole = applied(0.5)
    halves = [
        applied(0.5, IMAGES[at : at + BATCH // 2], randomness(replica=replica, replicas=2))
        for replica, at in ((0, 0), (1, BATCH // 2))
    ]
    np.testing.assert_array_equal(np.concatenate(halves), whole)


def test_the_gradient_flows_to_what_is_still_seen_and_to_nothing_else() -> None:
    images = tf.Variable(IMAGES)
    with tf.GradientTape() as tape:
        out = Options().apply(tf.convert_to_tensor(images), randomness(), {"ada_p": tf.constant(1.0)})
        total = tf.reduce_sum(out)
    gradient = tape.gradient(total, images).numpy()
    assert set(np.unique(gradient)) == {0.0, 1.0}
    assert 0.4 < gradient.mean() < 1.0


def test_without_a_change_the_gradient_is_that_of_the_images() -> None:
    images = tf.Variable(IMAGES)
    weights = np.random.default_rng(1).normal(size=IMAGES.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        out = Options().apply(tf.convert_to_tensor(images), randomness(), {"ada_p": tf.constant(0.0)})
        total = tf.reduce_sum(out * weights)
    np.testing.assert_array_equal(tape.gradient(total, images), weights)


@pytest.mark.parametrize("images", [IMAGES, np.ascontiguousarray(IMAGES[..., :1])], ids=["color", "grey"])
def test_changes_of_your_own_are_made_in_their_order(images: np.ndarray) -> None:
    names, draw = ("flip", "contrast", "saturation"), randomness().stream("augmentation")
    chosen = draw.stream("chosen").uniform(BATCH, 3).numpy() < 0.5
    expected = tf.constant(images)
    for at, name in enumerate(names):
        expected = CHANGES[name](expected, draw, tf.constant(chosen[:, at : at + 1].astype(np.float32)))
    found = Options(changes=names).apply(tf.constant(images), randomness(), {"ada_p": tf.constant(0.5)})
    np.testing.assert_array_equal(found, expected)


def test_the_probability_goes_up_and_down_as_by_hand() -> None:
    """Signs of eight real images each, target 0.6, 8 images of 40: a fifth a step; none below 0."""
    path, p = [], 0.0
    for positive in (6, 7, 8, 8, 6, 5, 7, 4, 4, 4):  # the mean of the signs: 0.5, 0.75, 1, ...
        figures = Options().figures(tf.constant([[1.0]] * positive + [[-1.0]] * (8 - positive)))
        p = advanced(p, float(np.mean(figures["d_sign_real"])), images=8, kimg=0.04)
        path.append(p)
    np.testing.assert_allclose(path, [0, 0.2, 0.4, 0.6, 0.4, 0.2, 0.4, 0.2, 0, 0], atol=1e-6)


@pytest.mark.parametrize(("sign", "towards"), [(0.9, 1), (0.61, 1), (0.59, -1), (-1.0, -1)])
def test_the_probability_moves_by_the_sign_of_the_distance_from_the_target(sign: float, towards: int) -> None:
    """By images / (1000 kimg), however far it is."""
    assert advanced(0.3, sign, images=64, kimg=1.0) == pytest.approx(0.3 + towards * 0.064, rel=1e-5)


def test_the_target_may_have_a_schedule() -> None:
    falling = Schedule(linear=(0.9, 0.1), steps=10)
    assert advanced(0.3, 0.5, target=falling, step=0) < 0.3 < advanced(0.3, 0.5, target=falling, step=10)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_probability_of_its_own_does_not_follow_the_signs(sign: float) -> None:
    rising = Schedule(linear=(0.0, 0.9), steps=10)
    assert [advanced(0.3, sign, probability=0.25), advanced(0.3, sign, probability=rising, step=10)] == [
        pytest.approx(0.25),
        pytest.approx(0.9),
    ]
    assert [Options(probability=given).reads_signs for given in (None, 0.5)] == [True, False]


def test_the_probability_goes_from_0_to_its_most_in_as_many_images_as_asked_for() -> None:
    p, shown = 0.0, 0
    while p < MOST - 1e-6:
        p, shown = advanced(p, 1.0, images=100, kimg=2.0), shown + 100
    assert shown == 1600  # 0.8 of 2 kimg


@pytest.mark.parametrize(
    ("p", "sign", "expected"), [(0.79, 1.0, MOST), (0.8, 1.0, MOST), (0.01, -1.0, 0.0), (0.0, -1.0, 0.0)]
)
def test_the_probability_stays_between_0_and_its_most(p: float, sign: float, expected: float) -> None:
    assert advanced(p, sign, kimg=0.5) == pytest.approx(expected)


def test_what_it_is_told_is_the_sign_of_each_real_logit() -> None:
    found = Options().figures(tf.constant([[-3.0], [0.0], [0.2]]))
    assert list(found) == ["d_sign_real"]
    np.testing.assert_array_equal(found["d_sign_real"], [[-1.0], [0.0], [1.0]])
    assert Options.state == {"ada_p": 0.0}
