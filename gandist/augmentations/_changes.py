"""Random changes of images, which augmentations are made of: those of Zhao et al. 2020, and a flip.

A change takes images ``[batch, height, width, channels]`` in [-1, 1], the augmentation's random numbers, of
which each change has a stream of its own, and ``chosen`` float32 ``[batch, 1]``: 1 where an image is changed,
0 where it stays as it is, in every bit. It gives images of the same shape, and has a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gandist import lazy_tensorflow as tf

if TYPE_CHECKING:
    from tensorflow import Tensor

    from gandist.randomness import Randomness

Change = Callable[["Tensor", "Randomness", "Tensor"], "Tensor"]

BLACK, GREY = -1.0, 0.0
SHIFT, CUTOUT, BRIGHTNESS, CONTRAST = 1 / 8, 1 / 2, 0.5, 0.5
"""Of an image's sides: the longest shift, and the square's; how far brightness, of 2, and contrast, of 1,
go either way."""


def brightness(images: Tensor, draw: Randomness, chosen: Tensor) -> Tensor:
    """All of an image brighter or darker, by up to 0.5."""
    by = (2.0 * draw.stream("brightness").uniform(images.shape[0], 1) - 1.0) * BRIGHTNESS * chosen
    return images + _of_images(by)


def saturation(images: Tensor, draw: Randomness, chosen: Tensor) -> Tensor:
    """Colours 0 to 2 times as far from the grey of their pixel; images of one channel stay as they are."""
    if images.shape[-1] == 1:
        return images
    more = (2.0 * draw.stream("saturation").uniform(images.shape[0], 1) - 1.0) * chosen
    return images + (images - tf.reduce_mean(images, axis=3, keepdims=True)) * _of_images(more)


def contrast(images: Tensor, draw: Randomness, chosen: Tensor) -> Tensor:
    """Pixels 0.5 to 1.5 times as far from the image's mean."""
    more = (2.0 * draw.stream("contrast").uniform(images.shape[0], 1) - 1.0) * CONTRAST * chosen
    return images + (images - tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)) * _of_images(more)


def flip(images: Tensor, draw: Randomness, chosen: Tensor) -> Tensor:
    """Left and right exchanged, in half of the chosen images (Karras et al. 2020a, appendix B, "x-flip")."""
    flipped = draw.stream("flip").uniform(images.shape[0], 1) * chosen >= 0.5
    return tf.where(_of_images(flipped), tf.reverse(images, axis=[2]), images)


def translation(images: Tensor, draw: Randomness, chosen: Tensor, around: float = BLACK) -> Tensor:
    """Moved by up to an eighth of the sides, rounded; ``around`` is what comes in.

    Of sides that 8 divides, the longest shift either way is half as likely as each other one; in the authors'
    code all are alike.
    """
    batch, height, width, _ = images.shape
    shifts = draw.stream("shifts").uniform(batch, 2)
    # Products with one-hot matrices: rows and columns move, bit for bit.
    up, left = (
        tf.round((2.0 * shifts[:, axis] - 1.0) * side * SHIFT * chosen[:, 0])
        for axis, side in ((0, height), (1, width))
    )
    rows, columns = _moved(up, height), _moved(left, width)
    images = tf.einsum("bij,bjwc->biwc", rows, images)
    images = tf.einsum("bij,bhjc->bhic", columns, images)
    there = tf.reduce_sum(rows, axis=2)[:, :, None] * tf.reduce_sum(columns, axis=2)[:, None, :]
    return images + around * (1.0 - there)[..., None]


def cutout(images: Tensor, draw: Randomness, chosen: Tensor, outside: float = 1.0) -> Tensor:
    """A square of half the sides becomes grey.

    Up to the part ``outside`` of the square's sides may lie outside of the image, but for one pixel.
    """
    batch, height, width, _ = images.shape
    corners = draw.stream("corners").uniform(batch, 2)
    rows, columns = (
        _between(corners[:, axis : axis + 1], side, outside) * chosen
        for axis, side in ((0, height), (1, width))
    )
    hole = rows[:, :, None] * columns[:, None, :]
    return images * (1.0 - hole[..., None])


CHANGES: dict[str, Change] = {
    change.__name__: change for change in (brightness, saturation, contrast, flip, translation, cutout)
}
"""By the names that a job file gives them."""


def distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """``names``, each once.

    Raises:
        ValueError: there are none.
    """
    if not names:
        raise ValueError("the list is empty; give at least one, or leave out the augmentation section")
    return tuple(dict.fromkeys(names))


def _of_images(per_sample: Tensor) -> Tensor:
    """``[batch, 1]`` to ``[batch, 1, 1, 1]``."""
    return per_sample[:, :, None, None]


def _moved(by: Tensor, side: int) -> Tensor:
    """float32 ``[batch, side, side]``: takes row i from row i + ``by``."""
    places = tf.range(side, dtype=tf.float32)
    return tf.cast(places[None, :, None] + by[:, None, None] == places[None, None, :], tf.float32)


def _between(corner: Tensor, side: int, outside: float) -> Tensor:
    """float32 ``[batch, side]``: 1 within a square that begins anywhere, also partly outside."""
    length = int(side * CUTOUT)
    most = min(int(length * outside), length - 1)
    first = tf.floor(corner * (side - length + 2 * most + 1)) - most
    places = tf.range(side, dtype=tf.float32)[None]
    return tf.cast((places >= first) & (places < first + length), tf.float32)
