"""Residual networks, as of SNGAN (Miyato et al. 2018, appendix B.4) and WGAN-GP (Gulrajani et al. 2017).

By default those of SNGAN for 32x32 images: the generator has 4.3 million parameters, the discriminator 1.05
million. The first feature map has the image's sides halved as often as the generator doubles them.

    generator      Dense; a block for each further width, which doubles the sides: batch norm, ReLU,
                   convolution 3x3, twice; batch norm, ReLU, convolution 3x3 to the image, tanh
    discriminator  a block for each width; the first ``halvings`` halve sides, by means: ReLU,
                   convolution 3x3, twice; the first block begins with its convolution; ReLU, then the sum
                   (SNGAN) or mean (WGAN-GP) of all places

No batch norm in the discriminator: ``spectral_norm``, or a gradient penalty. The generator's convolutions
have no bias, but for the last one: batch norm, at last the one before the image, would take each away again.
In a conditional generator it has scales and offsets of each class (Miyato & Koyama 2018), and the class joins
the latents as in all of gandist's generators, which theirs does not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from gandist.models import ModelOptions, _sides

if TYPE_CHECKING:
    import keras

Width = Annotated[int, Field(ge=1, le=65536)]


class Options(ModelOptions):
    """The model section of a job file."""

    name: Literal["resnet"] = "resnet"
    latent_dim: Annotated[int, Field(ge=1, le=65536)] = Field(128, description="length of the normal latent")
    generator_widths: Annotated[tuple[Width, ...], Field(strict=False, min_length=2, max_length=9)] = Field(
        (256, 256, 256, 256),
        description="channels of the first feature map, and of each block, which doubles the sides",
    )
    discriminator_widths: Annotated[tuple[Width, ...], Field(strict=False, min_length=1, max_length=16)] = (
        Field((128, 128, 128, 128), description="channels of each block, from the image on")
    )
    halvings: Annotated[int, Field(ge=1, le=8)] = Field(
        2, description="how many of the discriminator's blocks halve the sides, the first ones"
    )
    pooling: Literal["sum", "mean"] = Field("sum", description="of the discriminator's last feature map")
    batch_norm_momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.9, description="share of the moving statistics that a step keeps"
    )
    batch_norm: Literal["synchronized", "per_replica"] = Field(
        "synchronized", description="statistics of the global batch, or of each replica's part"
    )

    @model_validator(mode="after")
    def _blocks_to_halve(self) -> Options:
        if self.halvings > len(self.discriminator_widths):
            raise ValueError(
                f"halvings {self.halvings} needs as many discriminator_widths; "
                f"there are {len(self.discriminator_widths)}; give more of them, or fewer halvings"
            )
        return self

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """Their sides must be halved so often, in either network."""
        _smallest_sides(self, image_shape)
        _check_halvings(self, image_shape)


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Latents ``[batch, latent_dim]`` to images ``[batch, height, width, channels]`` in [-1, 1].

    Raises:
        UsageError: the images' sides cannot be halved so often.
    """
    import keras
    from keras import layers

    from gandist.layers import conditional, normalization, resampling

    def normalised(x: keras.KerasTensor, labels: keras.KerasTensor | None) -> keras.KerasTensor:
        x = normalization.normalised(
            x,
            labels,
            classes,
            momentum=options.batch_norm_momentum,
            synchronized=options.batch_norm == "synchronized",
        )
        return layers.ReLU()(x)

    def doubled(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
        # The convolution 1x1 first: of the same outcome, at a quarter of the cost.
        shortcut = resampling.UpSampling2D()(layers.Conv2D(channels, 1, use_bias=False)(x))
        x = resampling.UpSampling2D()(normalised(x, labels))
        x = normalised(_convolution(layers.Conv2D, channels, use_bias=False)(x), labels)
        return layers.Add()([shortcut, _convolution(layers.Conv2D, channels, use_bias=False)(x)])

    first, *wider = options.generator_widths
    height, width = _smallest_sides(options, image_shape)
    inputs, x = conditional.generator_inputs(options.latent_dim, options.embedding_dim, classes)
    labels = inputs[1] if classes else None
    x = layers.Reshape((height, width, first))(layers.Dense(height * width * first)(x))
    for channels in wider:
        x = doubled(x, channels)
    images = layers.Conv2D(image_shape[-1], 3, padding="same", activation="tanh")(normalised(x, None))
    return keras.Model(inputs, images, name="generator")


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Images ``[batch, height, width, channels]`` to logits ``[batch, 1]``.

    Raises:
        UsageError: the images' sides cannot be halved so often.
    """
    import keras
    from keras import layers

    from gandist.layers import conditional, spectral

    convolution = spectral.Conv2D if options.spectral_norm else layers.Conv2D

    def block(x: keras.KerasTensor, channels: int, first: bool, halve: bool) -> keras.KerasTensor:
        y = x if first else layers.ReLU()(x)
        y = _convolution(convolution, channels if first else x.shape[-1])(y)
        y = _convolution(convolution, channels)(layers.ReLU()(y))
        if halve:  # the shortcut before its convolution 1x1: of the same outcome, at a quarter of the cost
            x, y = layers.AveragePooling2D(2)(x), layers.AveragePooling2D(2)(y)
        if halve or x.shape[-1] != channels:
            x = convolution(channels, 1)(x)
        return layers.Add()([x, y])

    _check_halvings(options, image_shape)
    images = x = keras.Input(image_shape, name="images")
    for index, channels in enumerate(options.discriminator_widths):
        x = block(x, channels, first=index == 0, halve=index < options.halvings)
    x = layers.ReLU()(x)
    _, height, width, _ = x.shape
    features = layers.GlobalAveragePooling2D()(x)
    if options.pooling == "sum":
        features = layers.Rescaling(float(height * width))(features)
    return conditional.discriminator(images, features, classes, options)


def _convolution(
    kind: type[keras.layers.Conv2D], channels: int, use_bias: bool = True
) -> keras.layers.Conv2D:
    """3x3 before or after a ReLU: Glorot & Bengio 2010, with twice the variance, as in both authors' code."""
    from keras import initializers

    initializer = initializers.VarianceScaling(2.0, mode="fan_avg", distribution="uniform")
    return kind(channels, 3, padding="same", use_bias=use_bias, kernel_initializer=initializer)


def _smallest_sides(options: Options, image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """Of the generator's feature maps."""
    halvings = len(options.generator_widths) - 1
    return _sides.smallest(
        image_shape, halvings, "model.generator_widths", lambda most: f"at most {most + 1} of them"
    )


def _check_halvings(options: Options, image_shape: tuple[int, int, int]) -> None:
    """Of the discriminator's feature maps."""
    _sides.smallest(image_shape, options.halvings, "model.halvings", "at most {}".format)
