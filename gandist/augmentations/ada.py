"""Adaptive discriminator augmentation (Karras et al. 2020a, "Training GANs with limited data").

With probability p each, an image is shifted, changed in brightness, and loses a square: the translation,
color and cutout of Zhao et al. 2020 (table 1, "DiffAugment"), which suit small images. p grows where the
discriminator is sure of the real images, r_t = E[sign(D(x))] (equation 1), and shrinks where it is not
(section 2.3). While p is below about 0.8 the changes do not leak into generated images (section 2.2): it is
held there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.augmentations._base import Augmentation
from gandist.spec.schedules import Clock, Rate, Within, value

if TYPE_CHECKING:
    from tensorflow import Tensor

    from gandist.randomness import Randomness

MOST = 0.8
SHIFT, CUTOUT, BRIGHTNESS = 1 / 8, 1 / 2, 0.5
"""Of an image's sides: the longest shift, and the square's; and how far brightness goes either way, of 2."""


class Options(Augmentation):
    """The augmentation section of a job file."""

    state: ClassVar[Mapping[str, float]] = {"ada_p": 0.0}

    name: Literal["ada"] = "ada"
    target: Annotated[Rate, Within(ge=-1, lt=1)] = Field(0.6, description="of E[sign(D(x))] on real images")
    kimg: Annotated[float, Field(gt=0)] = Field(
        500.0, description="thousand real images in which the probability can go from 0 to 1"
    )

    def apply(self, images: Tensor, randomness: Randomness, state: Mapping[str, Any]) -> Tensor:
        """Each change on its own with the probability of the state."""
        batch, height, width, _ = images.shape
        draw = randomness.stream("augmentation")
        chosen = tf.cast(draw.stream("chosen").uniform(batch, 3) < state["ada_p"], tf.float32)
        brightness, shifts, corners = (
            draw.stream(name).uniform(batch, count)
            for name, count in (("brightness", 1), ("shifts", 2), ("corners", 2))
        )
        images += tf.reshape((2.0 * brightness - 1.0) * BRIGHTNESS * chosen[:, :1], [batch, 1, 1, 1])
        # Products with one-hot matrices: rows and columns move, bit for bit.
        up, left = (
            tf.round((2.0 * shifts[:, axis] - 1.0) * side * SHIFT * chosen[:, 1])
            for axis, side in ((0, height), (1, width))
        )
        rows, columns = _moved(up, height), _moved(left, width)
        images = tf.einsum("bij,bjwc->biwc", rows, images)
        images = tf.einsum("bij,bhjc->bhic", columns, images)
        # What comes in is -1, as around an image.
        there = tf.reduce_sum(rows, axis=2)[:, :, None] * tf.reduce_sum(columns, axis=2)[:, None, :]
        images -= (1.0 - there)[..., None]
        inside = [
            _between(corners[:, axis : axis + 1], side) * chosen[:, 2:]
            for axis, side in ((0, height), (1, width))
        ]
        hole = inside[0][:, :, None] * inside[1][:, None, :]
        return images * (1.0 - hole[..., None])

    def figures(self, real_logits: Tensor) -> Mapping[str, Any]:
        """The signs of D(x): r_t is their mean."""
        return {"d_sign_real": tf.sign(real_logits)}

    def advance(
        self, state: Mapping[str, Any], figures: Mapping[str, Any], images: int, clock: Clock
    ) -> Mapping[str, Any]:
        """A step of fixed length towards the target, within [0, 0.8]."""
        step = tf.sign(figures["d_sign_real"] - value(self.target, clock)) * (images / (1000 * self.kimg))
        return {"ada_p": tf.clip_by_value(state["ada_p"] + step, 0.0, MOST)}


def _moved(by: Tensor, side: int) -> Tensor:
    """float32 ``[batch, side, side]``: takes row i from row i + ``by``."""
    places = tf.range(side, dtype=tf.float32)
    return tf.cast(places[None, :, None] + by[:, None, None] == places[None, None, :], tf.float32)


def _between(corner: Tensor, side: int) -> Tensor:
    """float32 ``[batch, side]``: 1 within a square that begins anywhere, also partly outside."""
    length = int(side * CUTOUT)
    first = tf.floor(corner * (side + length - 1)) - (length - 1)  # at least a row of it is inside
    places = tf.range(side, dtype=tf.float32)[None]
    return tf.cast((places >= first) & (places < first + length), tf.float32)
