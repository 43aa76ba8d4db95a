"""Networks that the user has built, in the place of an architecture that a job file names."""

from __future__ import annotations

from typing import Any

import keras
from pydantic import Field

from gandist.errors import UsageError
from gandist.layers.walk import layers_of
from gandist.models import ModelOptions

NETWORK = "functional or Sequential, with an Input"


class Options(ModelOptions):
    """A pair of networks, see ``options``."""

    name: str = "own"
    generator: Any = Field(exclude=True)
    discriminator: Any = Field(exclude=True)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(height, width, channels)`` that the generator makes."""
        _, height, width, channels = self.generator.outputs[0].shape
        return height, width, channels


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """The generator itself."""
    return options.generator


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """The discriminator itself."""
    return options.discriminator


def options(generator: keras.Model, discriminator: keras.Model) -> Options:
    """Two networks that fit each other.

    Args:
        generator: latents ``[batch, n]``, and labels int ``[batch]`` where conditional, to images
            ``[batch, height, width, channels]`` in [-1, 1].
        discriminator: images, and labels, to logits ``[batch, 1]``.

    Raises:
        UsageError: they are none, or do not fit; it says what is wanted.
    """
    for role, network in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
            raise UsageError(f"{role}: {type(network).__name__}; give a keras.Model, {NETWORK}")
        if len(network.inputs) > 2 or len(network.outputs) != 1:
            raise UsageError(
                f"{role}: {len(network.inputs)} inputs, {len(network.outputs)} outputs; give one input, or "
                "two, the second of labels, and one output"
            )
    latents, made = generator.inputs[0].shape, generator.outputs[0].shape
    if len(latents) != 2 or latents[1] is None:
        raise UsageError(f"generator: its input is {_shape(latents)}; give [batch, n], the latents")
    if len(made) != 4 or None in made[1:] or made[3] not in (1, 3):
        raise UsageError(
            f"generator: its output is {_shape(made)}; give [batch, height, width, channels], channels 1 or 3"
        )
    judged, said = discriminator.inputs[0].shape, discriminator.outputs[0].shape
    if judged[1:] != made[1:]:
        raise UsageError(f"discriminator: its input is {_shape(judged)}, the generator makes {_shape(made)}")
    if said[1:] != (1,):
        raise UsageError(f"discriminator: its output is {_shape(said)}; give logits [batch, 1]")
    if len(generator.inputs) != len(discriminator.inputs):
        raise UsageError("generator and discriminator: only one of them takes labels; give both or neither")
    _mark(discriminator)
    return Options(
        latent_dim=latents[1],
        conditional=len(generator.inputs) == 2,
        generator=generator,
        discriminator=discriminator,
    )


def has_batch_norm(network: keras.Model) -> bool:
    """Whether what it says of an image depends on the others of its batch."""
    return any(hasattr(layer, "moving_variance") for layer in layers_of(network))


def _mark(network: keras.Model) -> None:
    """Regularizers see a discriminator without what is random in it, and must know where something is."""
    for layer in layers_of(network):
        if hasattr(layer, "seed_generator"):  # Keras' own: Dropout, GaussianNoise and the like
            layer.draws = True


def _shape(shape: tuple[int | None, ...]) -> str:
    return "[batch, " + ", ".join(map(str, shape[1:])) + "]"
