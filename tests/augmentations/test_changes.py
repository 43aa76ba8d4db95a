"""Each change against numpy, on the random numbers that it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gandist.augmentations._changes import CHANGES, cutout, translation
from gandist.randomness import Randomness

pytestmark = pytest.mark.usefixtures("devices")

BATCH = 48
COLOR = np.tanh(np.random.default_rng(0).normal(size=(BATCH, 16, 12, 3))).astype(np.float32)
GREY = np.ascontiguousarray(COLOR[..., :1])
DRAW = Randomness(7, np.int64(3))
HALF = (np.arange(BATCH) % 2).astype(np.float32)[:, None]
by_kind = pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])
each = pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))


def changed(change: Any, images: np.ndarray, chosen: np.ndarray | None = None, **how: float) -> np.ndarray:
    if chosen is None:
        chosen = np.ones((BATCH, 1), np.float32)
    found: np.ndarray = change(tf.constant(images), DRAW, tf.constant(chosen), **how).numpy()
    return found


def drawn(stream: str, count: int = 1) -> np.ndarray:
    found: np.ndarray = DRAW.stream(stream).uniform(BATCH, count).numpy().astype(np.float64)
    return found


@by_kind
def test_brightness_adds_up_to_a_half(images: np.ndarray) -> None:
    expected = images + (drawn("brightness") - 0.5)[..., None, None]
    np.testing.assert_allclose(changed(CHANGES["brightness"], images), expected, atol=1e-6)


@by_kind
def test_contrast_scales_around_the_mean_of_the_image(images: np.ndarray) -> None:
    middle = images.mean(axis=(1, 2, 3), keepdims=True, dtype=np.float64)
    expected = middle + (images - middle) * (drawn("contrast") + 0.5)[..., None, None]
    np.testing.assert_allclose(changed(CHANGES["contrast"], images), expected, atol=1e-6)


def test_saturation_scales_around_the_grey_of_each_pixel_and_does_nothing_without_colour() -> None:
    middle = COLOR.mean(axis=3, keepdims=True, dtype=np.float64)
    expected = middle + (COLOR - middle) * (2 * drawn("saturation"))[..., None, None]
    np.testing.assert_allclose(changed(CHANGES["saturation"], COLOR), expected, atol=1e-6)
    assert changed(CHANGES["saturation"], GREY).tobytes() == GREY.tobytes()


@by_kind
def test_a_flip_mirrors_half_of_the_chosen_images(images: np.ndarray) -> None:
    flipped = drawn("flip")[:, 0] >= 0.5
    assert 0.25 < flipped.mean() < 0.75
    expected = np.where(flipped[:, None, None, None], images[:, :, ::-1], images)
    np.testing.assert_array_equal(changed(CHANGES["flip"], images), expected)


@by_kind
@pytest.mark.parametrize("around", [-1.0, 0.0])
def test_a_translation_moves_by_up_to_an_eighth(images: np.ndarray, around: float) -> None:
    padded = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)], constant_values=around)
    shifts = np.rint((2 * drawn("shifts", 2) - 1) * [16 / 8, 12 / 8]).astype(int)
    assert np.abs(shifts).max() == 2
    found = changed(translation, images, around=around)
    for image, whole, (down, right) in zip(found, padded, shifts, strict=True):
        np.testing.assert_array_equal(image, whole[2 + down : 18 + down, 2 + right : 14 + right])


@by_kind
@pytest.mark.parametrize("outside", [1.0, 0.5])
def test_a_cutout_is_a_square_of_half_the_sides(images: np.ndarray, outside: float) -> None:
    expected = images.copy()
    for image, corner in zip(expected, drawn("corners", 2), strict=True):
        cut = []
        for u, side in zip(corner, image.shape[:2], strict=True):
            length = side // 2
            firsts = range(-min(int(length * outside), length - 1), side)
            firsts = firsts[: side - length - 2 * firsts[0] + 1]  # as much may be outside at the other end
            first = firsts[int(u * len(firsts))]
            cut.append(slice(max(first, 0), first + length))
        image[tuple(cut)] = 0
    found = changed(cutout, images, outside=outside)
    np.testing.assert_array_equal(found, expected)
    gone = (found == 0).all(axis=3).mean(axis=(1, 2))
    assert (gone >= (1 / 16 if outside == 0.5 else 0.0)).all()
    assert (gone > 0).all()
    assert gone.max() <= 1 / 4


@each
@by_kind
def test_what_was_not_chosen_stays_in_every_bit(change: Any, images: np.ndarray) -> None:
    found = changed(change, images, HALF)
    assert found[::2].tobytes() == images[::2].tobytes()
    assert found[1::2].tobytes() == changed(change, images)[1::2].tobytes()


@each
@by_kind
def test_a_change_has_the_gradient_of_its_differences(change: Any, images: np.ndarray) -> None:
    """Linear in the images, but for a constant: the slope along any direction is a difference."""
    direction = np.random.default_rng(1).normal(size=images.shape).astype(np.float32)
    weights = np.random.default_rng(2).normal(size=images.shape).astype(np.float32)
    x = tf.Variable(images)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(change(tf.convert_to_tensor(x), DRAW, tf.ones([BATCH, 1])) * weights)
    slope = float((tape.gradient(total, x).numpy() * direction).sum(dtype=np.float64))
    ahead, behind = (changed(change, images + sign * direction) for sign in (1, -1))
    difference = float(((ahead.astype(np.float64) - behind) * weights).sum() / 2)
    assert slope == pytest.approx(difference, rel=1e-3, abs=1e-2)
    assert slope != 0
