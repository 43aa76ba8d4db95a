"""The same kinds of changes for every image, always (Zhao et al. 2020, "Differentiable augmentation").

Real and generated images are changed in the same ways, and the generator learns through the changes
(equations 4 to 6): a discriminator cannot learn a few images by heart, and the changes do not leak into
generated ones. The color of images of one channel is brightness and contrast. As in the authors' code, grey
comes in beside a moved image, and the middle of the square lies within the image. ``flip`` is not theirs,
and not among the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from gandist import lazy_tensorflow as tf
from gandist.augmentations import _changes
from gandist.augmentations._base import Augmentation

if TYPE_CHECKING:
    from tensorflow import Tensor

    from gandist.randomness import Randomness

    Kind = str
else:
    Kind = Literal["flip", "color", "translation", "cutout"]

KINDS: dict[str, tuple[_changes.Change, ...]] = {
    "flip": (_changes.flip,),
    "color": (_changes.brightness, _changes.saturation, _changes.contrast),
    "translation": (partial(_changes.translation, around=_changes.GREY),),
    "cutout": (partial(_changes.cutout, outside=0.5),),
}


class Options(Augmentation):
    """The augmentation section of a job file."""

    name: Literal["diff_augment"] = "diff_augment"
    policy: Annotated[tuple[Kind, ...], Field(strict=False)] = Field(
        ("color", "translation", "cutout"),
        description="kinds of changes, one after the other; flip, left and right exchanged in half of the "
        "images, is for pictures that may be seen in a mirror",
    )

    @field_validator("policy")
    @classmethod
    def _distinct(cls, policy: tuple[str, ...]) -> tuple[str, ...]:
        return _changes.distinct(policy)

    def apply(self, images: Tensor, randomness: Randomness, state: Mapping[str, Any]) -> Tensor:
        """Every image changed in each way."""
        draw, all_of_them = randomness.stream("augmentation"), tf.ones([images.shape[0], 1])
        for kind in self.policy:
            for change in KINDS[kind]:
                images = change(images, draw, all_of_them)
        return images
