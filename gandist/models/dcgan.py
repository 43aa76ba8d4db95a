"""The tutorials' DCGAN, and the same for larger images: transposed convolutions against convolutions.

By default, on 28x28x1 images, the generator has 2,330,944 parameters (2,305,472 trainable), the
discriminator 212,865. ``depth`` is how often the generator doubles the sides of its first feature map, and
the discriminator halves those of the image. Channels double where sides halve, from ``width`` at half the
image's sides:

    generator      2**depth * width at sides / 2**depth, a convolution of stride 1 to half as many channels,
                   then ``depth`` of stride 2: again halving the channels, and at last the image
    discriminator  ``depth`` of stride 2: width, 2 * width, ... 2**(depth - 1) * width

With ``upsampling: nearest`` the generator's convolutions of stride 2 are those of stride 1 after each pixel
is repeated (Odena et al. 2016, "Deconvolution and checkerboard artifacts"); with ``filtered`` after the
low-pass filter of Karras et al. (2020), as ``r3gan`` and ``stylegan2`` have it.

28x28 images fit depth 2, the sources'. Feature maps of 4x4, where Radford et al. (2015, figure 1) start, need
depth 3 for 32x32 images and 4 for 64x64, as 0 finds: there width 64 starts, as they do, with 1024
channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gandist.models import ModelOptions, _sides

if TYPE_CHECKING:
    import keras


SMALLEST = 4
"""Sides of the feature map where Radford et al. start."""


class Options(ModelOptions):
    """The model section of a job file."""

    name: Literal["dcgan"] = "dcgan"
    depth: Annotated[int, Field(ge=0, le=8)] = Field(
        2,
        description="how often sides are halved: 2 suits sides of 28, 3 of 32, 4 of 64; 0: as often as "
        "leaves sides of 4 or more",
    )
    width: Annotated[int, Field(ge=1, le=1024)] = Field(
        64, description="channels at half the image's sides; they double with each further halving"
    )
    upsampling: Literal["transposed", "nearest", "filtered"] = Field(
        "transposed",
        description="how the generator doubles sides: by transposed convolutions; or before each one, "
        "pixels repeated (nearest) or smoothed (filtered), without checkerboards",
    )
    kernel_size: Annotated[int, Field(ge=2, le=9)] = Field(5, description="sides of the convolutions")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.3, description="after each convolution of D")
    leaky_slope: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.3, description="of LeakyReLU, for negative values"
    )
    batch_norm_momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.99, description="share of the moving statistics that a step keeps"
    )
    batch_norm: Literal["synchronized", "per_replica"] = Field(
        "synchronized", description="statistics of the global batch, or of each replica's part"
    )

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """Their sides must be halved so often."""
        _smallest_sides(self, image_shape)


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Latents ``[batch, latent_dim]`` to images ``[batch, height, width, channels]`` in [-1, 1].

    Raises:
        UsageError: the images' sides cannot be halved ``depth`` times.
    """
    import keras
    from keras import layers

    from gandist.layers import conditional, filtered, normalization, resampling

    def normalised(x: keras.KerasTensor) -> keras.KerasTensor:
        x = normalization.BatchNormalization(
            momentum=options.batch_norm_momentum, synchronized=options.batch_norm == "synchronized"
        )(x)
        return layers.LeakyReLU(negative_slope=options.leaky_slope)(x)

    def upsampled(x: keras.KerasTensor, filters: int, strides: int, **kwargs: str) -> keras.KerasTensor:
        if options.upsampling != "transposed":
            nearest = options.upsampling == "nearest"
            if strides > 1:
                x = (resampling.UpSampling2D() if nearest else filtered.Upsample())(x)
            return layers.Conv2D(filters, options.kernel_size, padding="same", use_bias=False, **kwargs)(x)
        return resampling.Conv2DTranspose(
            filters, options.kernel_size, strides=strides, padding="same", use_bias=False, **kwargs
        )(x)

    depth, height, width = _smallest_sides(options, image_shape)
    channels = [options.width * 2**halvings for halvings in reversed(range(depth + 1))]
    inputs, x = conditional.generator_inputs(options.latent_dim, options.embedding_dim, classes)
    x = layers.Dense(height * width * channels[0], use_bias=False)(x)
    x = layers.Reshape((height, width, channels[0]))(normalised(x))
    x = normalised(upsampled(x, channels[1], strides=1))
    for filters in channels[2:]:
        x = normalised(upsampled(x, filters, strides=2))
    images = upsampled(x, image_shape[-1], strides=2, activation="tanh")
    return keras.Model(inputs, images, name="generator")


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Images ``[batch, height, width, channels]`` to logits ``[batch, 1]``.

    Raises:
        UsageError: the images' sides cannot be halved ``depth`` times.
    """
    import keras
    from keras import layers

    from gandist.layers import conditional, dropout, spectral

    depth, _, _ = _smallest_sides(options, image_shape)
    convolution = spectral.Conv2D if options.spectral_norm else layers.Conv2D
    images = x = keras.Input(image_shape, name="images")
    for halvings in range(depth):
        x = convolution(options.width * 2**halvings, options.kernel_size, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=options.leaky_slope)(x)
        x = dropout.Dropout(options.dropout)(x)
    return conditional.discriminator(images, layers.Flatten()(x), classes, options)


def _smallest_sides(options: Options, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """How often sides are halved, and the height and width that are left."""
    depth = options.depth or max(1, _sides.most(image_shape, SMALLEST))
    return depth, *_sides.smallest(image_shape, depth, "model.depth", "a depth of at most {}".format)
