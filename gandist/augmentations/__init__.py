"""Augmentations of all images that a discriminator sees, real and generated alike, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandist.augmentations._base import Augmentation
from gandist.spec.base import choice, options

if TYPE_CHECKING:
    AnyAugmentation = Augmentation
else:
    AnyAugmentation = choice(options(__name__))

__all__ = ["AnyAugmentation", "Augmentation"]
