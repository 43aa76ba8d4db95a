"""The tutorials' DCGAN: a generator of four transposed convolutions, a discriminator of two convolutions.

At the default width and 28x28x1 images the generator has 2,330,944 parameters (2,305,472 trainable), the
discriminator 212,865. Other sizes keep the shape of the networks: the first feature map is a quarter of the
image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gandist.errors import UsageError
from gandist.models import ModelOptions

if TYPE_CHECKING:
    import keras


class Options(ModelOptions):
    """The model section of a job file."""

    name: Literal["dcgan"] = "dcgan"
    width: Annotated[int, Field(ge=1, le=1024)] = Field(64, description="channels of the widest feature map")
    kernel_size: Annotated[int, Field(ge=2, le=9)] = 5
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.3, description="after each convolution of D")
    leaky_slope: Annotated[float, Field(ge=0, lt=1)] = 0.3
    batch_norm_momentum: Annotated[float, Field(ge=0, lt=1)] = 0.99
    batch_norm: Literal["synchronized", "per_replica"] = Field(
        "synchronized", description="statistics of the global batch, or of each replica's part"
    )


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Latents ``[batch, latent_dim]`` to images ``[batch, height, width, channels]`` in [-1, 1]."""
    import keras
    from keras import layers

    from gandist.models import _layers

    height, width, channels = image_shape
    if height % 4 or width % 4:
        raise UsageError(f"model dcgan makes images whose sides are multiples of 4, not {height}x{width}")

    def normalised(x: keras.KerasTensor) -> keras.KerasTensor:
        x = _layers.BatchNormalization(
            momentum=options.batch_norm_momentum, synchronized=options.batch_norm == "synchronized"
        )(x)
        return layers.LeakyReLU(negative_slope=options.leaky_slope)(x)

    def upsampled(x: keras.KerasTensor, filters: int, strides: int, **kwargs: str) -> keras.KerasTensor:
        return _layers.Conv2DTranspose(
            filters, options.kernel_size, strides=strides, padding="same", use_bias=False, **kwargs
        )(x)

    latents = keras.Input((options.latent_dim,), name="latents")
    first = (height // 4, width // 4, 4 * options.width)
    x = layers.Dense(first[0] * first[1] * first[2], use_bias=False)(latents)
    x = layers.Reshape(first)(normalised(x))
    x = normalised(upsampled(x, 2 * options.width, strides=1))
    x = normalised(upsampled(x, options.width, strides=2))
    images = upsampled(x, channels, strides=2, activation="tanh")
    return keras.Model(latents, images, name="generator")


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Images ``[batch, height, width, channels]`` to logits ``[batch, 1]``."""
    import keras
    from keras import layers

    from gandist.models import _layers

    images = x = keras.Input(image_shape, name="images")
    for filters in (options.width, 2 * options.width):
        x = layers.Conv2D(filters, options.kernel_size, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=options.leaky_slope)(x)
        x = _layers.Dropout(options.dropout)(x)
    return keras.Model(images, layers.Dense(1)(layers.Flatten()(x)), name="discriminator")
