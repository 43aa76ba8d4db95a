"""R3GAN (Huang et al. 2024): residual networks without normalisation, of grouped convolutions.

Made for the loss ``relativistic`` with ``r1`` and ``r2`` on every update: lazy ones need not converge.
As in the authors' code a residual block is x + conv 1x1(conv 3x3(conv 1x1(x))), inner ones with bias and a
leaky ReLU; the last one starts at zero, and the others are scaled by L^(-1/4) for L blocks in the network
(Fixup, Zhang et al. 2019, where a block has three layers). By default, on 32x32x3 images, both networks have
20.7 million parameters.

    generator      a learned basis, each channel scaled by a linear map of the latent; then per stage blocks,
                   from stage to stage twice the sides; a convolution 1x1 to the image, without tanh
    discriminator  a convolution 1x1 from the image; the stages in reverse, between stages half the sides; of
                   each channel its scalar product with a learned basis, and a linear layer

The smallest feature map has the sides of the image halved between all stages: 4x4 for 32x32 images in four
stages, 7x7 for 28x28 in three, so that no image is padded. Unlike theirs the linear layer at the end has a
bias and Glorot's weights, of about twice the variance, and classes are embedded and projected as in gandist's
other networks, beside the linear layer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from gandist.models import ModelOptions, _sides
from gandist.spec.base import Positive

if TYPE_CHECKING:
    import keras

SLOPE = 0.2
GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))
"""Of weights before a leaky ReLU, which so keeps the second moment (He et al. 2015)."""


class Options(ModelOptions):
    """The model section of a job file."""

    name: Literal["r3gan"] = "r3gan"
    latent_dim: Annotated[int, Field(ge=1, le=65536)] = Field(64, description="length of the normal latent")
    widths: Annotated[
        tuple[Annotated[int, Field(ge=1, le=65536)], ...], Field(strict=False, min_length=2, max_length=9)
    ] = Field((768, 768, 768, 768), description="channels of each stage, from the smallest feature map on")
    blocks: Annotated[int, Field(ge=1, le=64)] = Field(2, description="residual blocks in each stage")
    expansion: Annotated[int, Field(ge=1, le=16)] = Field(
        2, description="channels within a block, as a multiple of the stage's"
    )
    group_size: Positive = Field(
        16, description="channels of one group of the 3x3 convolution: few are fast, and see little"
    )

    @model_validator(mode="after")
    def _whole_groups(self) -> Options:
        for width in self.widths:
            if width * self.expansion % self.group_size:
                raise ValueError(
                    f"group_size {self.group_size} does not divide the {width * self.expansion} channels "
                    f"(width {width} x expansion {self.expansion}) of a block; give a divisor"
                )
        if self.spectral_norm:
            raise ValueError("spectral_norm: r3gan's weights that start at zero have no norm; leave it out")
        return self

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """Their sides must be halved so often."""
        _smallest_sides(self, image_shape)


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Latents ``[batch, latent_dim]`` to images ``[batch, height, width, channels]``, not bounded.

    Raises:
        UsageError: the images' sides cannot be halved between all stages.
    """
    import keras
    from keras import initializers, layers

    from gandist.layers import conditional, filtered

    first, *wider = options.widths
    height, width = _smallest_sides(options, image_shape)
    inputs, x = conditional.generator_inputs(options.latent_dim, options.embedding_dim, classes)
    x = layers.Dense(first, use_bias=False, kernel_initializer=_fan_in())(x)
    basis = layers.EinsumDense(
        "bc,hwc->bhwc", (height, width, first), kernel_initializer=initializers.RandomNormal(stddev=1.0)
    )
    x = _stage(options, basis(x))
    for channels in wider:
        x = filtered.Upsample()(_widened(x, channels))
        x = _stage(options, x)
    images = _pointwise(x, image_shape[-1])
    return keras.Model(inputs, images, name="generator")


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Images ``[batch, height, width, channels]`` to logits ``[batch, 1]``.

    Raises:
        UsageError: the images' sides cannot be halved between all stages.
    """
    import keras
    from keras import initializers, layers

    from gandist.layers import conditional, filtered

    height, width = _smallest_sides(options, image_shape)
    first, *others = reversed(options.widths)
    images = keras.Input(image_shape, name="images")
    x = _stage(options, _pointwise(images, first))
    for channels in others:
        x = _stage(options, _widened(filtered.Downsample()(x), channels))
    unit = initializers.RandomNormal(stddev=(height * width) ** -0.5)
    features = layers.EinsumDense("bhwc,hwc->bc", (options.widths[0],), kernel_initializer=unit)(x)
    return conditional.discriminator(images, features, classes, options)


def _stage(options: Options, x: keras.KerasTensor) -> keras.KerasTensor:
    """Residual blocks; sides and channels stay."""
    from keras import layers

    from gandist.layers import grouped

    inner = x.shape[-1] * options.expansion
    scaled = _fan_in(GAIN * (len(options.widths) * options.blocks) ** -0.25)
    for _ in range(options.blocks):
        y = layers.Conv2D(inner, 1, kernel_initializer=scaled)(x)
        y = layers.LeakyReLU(negative_slope=SLOPE)(y)
        y = grouped.Conv2D(
            inner, 3, padding="same", groups=inner // options.group_size, kernel_initializer=scaled
        )(y)
        y = layers.LeakyReLU(negative_slope=SLOPE)(y)
        y = layers.Conv2D(x.shape[-1], 1, use_bias=False, kernel_initializer="zeros")(y)
        x = layers.Add()([x, y])
    return x


def _pointwise(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    from keras import layers

    return layers.Conv2D(channels, 1, use_bias=False, kernel_initializer=_fan_in())(x)


def _widened(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    return x if x.shape[-1] == channels else _pointwise(x, channels)


def _fan_in(gain: float = 1.0) -> keras.initializers.Initializer:
    """Normal, of standard deviation ``gain`` / sqrt(inputs of one output)."""
    from keras import initializers

    return initializers.VarianceScaling(gain**2, mode="fan_in", distribution="untruncated_normal")


def _smallest_sides(options: Options, image_shape: tuple[int, int, int]) -> tuple[int, int]:
    halvings = len(options.widths) - 1
    return _sides.smallest(image_shape, halvings, "model.widths", lambda most: f"at most {most + 1} of them")
