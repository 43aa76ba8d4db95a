"""Architectures, one file each.

Each file has ``Options`` (its section of a job file), ``build_generator(options, image_shape)`` and
``build_discriminator(options, image_shape)``; Keras is imported inside the builders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from gandist.section import Section, module_of

if TYPE_CHECKING:
    import keras


class ModelOptions(Section):
    """What every architecture takes."""

    discriminator_has_batch_norm: ClassVar[bool] = False

    name: str
    latent_dim: Annotated[int, Field(ge=1, le=65536)] = Field(100, description="length of the normal latent")


def build_generator(options: ModelOptions, image_shape: tuple[int, int, int]) -> keras.Model:
    """Latents float32 ``[batch, latent_dim]`` to images in [-1, 1], ``[batch, height, width, channels]``.

    Raises:
        UsageError: the architecture cannot make images of that shape.
    """
    return module_of(options).build_generator(options, image_shape)


def build_discriminator(options: ModelOptions, image_shape: tuple[int, int, int]) -> keras.Model:
    """Images float32 ``[batch, height, width, channels]`` to logits float32 ``[batch, 1]``; real is positive.

    Raises:
        UsageError: the architecture cannot judge images of that shape.
    """
    return module_of(options).build_discriminator(options, image_shape)
