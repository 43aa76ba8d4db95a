"""Augmentations of all images that a discriminator sees, real and generated alike, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from gandist.augmentations._base import Augmentation
from gandist.spec.variants import Kind, choice


def _named(section: Any) -> Any:
    """``ada`` was once the only one, and need not be named."""
    return {"name": "ada", **section} if isinstance(section, dict) else section


if TYPE_CHECKING:
    AnyAugmentation = Augmentation
else:
    AnyAugmentation = Annotated[choice(Kind(__name__, Augmentation)), BeforeValidator(_named)]

__all__ = ["AnyAugmentation", "Augmentation"]
