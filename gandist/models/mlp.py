"""The tutorials' GAN of fully connected layers.

By default, on 28x28x1 images, the generator has 1,493,520 parameters (1,489,936 trainable), the
discriminator 533,505. The sources end the discriminator with a sigmoid; here it gives logits, of which
``losses`` takes the same cross-entropy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gandist.models import ModelOptions

if TYPE_CHECKING:
    import keras

Widths = Annotated[
    tuple[Annotated[int, Field(ge=1, le=65536)], ...], Field(strict=False, min_length=1, max_length=16)
]


class Options(ModelOptions):
    """The model section of a job file."""

    name: Literal["mlp"] = "mlp"
    generator_widths: Widths = Field((256, 512, 1024), description="hidden layers, from the latents on")
    discriminator_widths: Widths = Field((512, 256), description="hidden layers, from the image on")
    leaky_slope: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.2, description="of LeakyReLU, for negative values"
    )
    batch_norm_momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.8, description="share of the moving statistics that a step keeps"
    )
    batch_norm: Literal["synchronized", "per_replica"] = Field(
        "synchronized", description="statistics of the global batch, or of each replica's part"
    )


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Latents ``[batch, latent_dim]`` to images ``[batch, height, width, channels]`` in [-1, 1]."""
    import keras
    from keras import layers

    from gandist.layers import conditional, normalization

    inputs, x = conditional.generator_inputs(options.latent_dim, options.embedding_dim, classes)
    for width in options.generator_widths:
        x = layers.Dense(width)(x)
        x = layers.LeakyReLU(negative_slope=options.leaky_slope)(x)
        x = normalization.BatchNormalization(
            momentum=options.batch_norm_momentum, synchronized=options.batch_norm == "synchronized"
        )(x)
    images = layers.Reshape(image_shape)(layers.Dense(math.prod(image_shape), activation="tanh")(x))
    return keras.Model(inputs, images, name="generator")


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Images ``[batch, height, width, channels]`` to logits ``[batch, 1]``."""
    import keras
    from keras import layers

    from gandist.layers import conditional, spectral

    dense = spectral.Dense if options.spectral_norm else layers.Dense
    images = keras.Input(image_shape, name="images")
    x = layers.Flatten()(images)
    for width in options.discriminator_widths:
        x = layers.LeakyReLU(negative_slope=options.leaky_slope)(dense(width)(x))
    return conditional.discriminator(images, x, classes, options)
