"""StyleGAN2 (Karras et al. 2020) for small images: learned constant, modulated convolutions, skip images.

The smallest feature maps are the image's sides halved while they stay whole and 4 or more: 4x4 for 32, 64 and
128, and 7x7 for 28, which ``padding: 2`` makes 4x4 of 32. By default nothing is padded: a fifth of the pixels
would be computed to be cut off. Feature maps with sides n, of the longer side, have
min(channel_base / n, channel_max) channels, as in the authors' code.

No bounded function ends the generator: images are cut to [-1, 1] where they are shown or measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from gandist.errors import UsageError
from gandist.models import ModelOptions
from gandist.spec.base import Positive

if TYPE_CHECKING:
    import keras
    from tensorflow import Tensor


class Options(ModelOptions):
    """The model section of a job file."""

    r1_gamma_factor: ClassVar[float | None] = 0.0002

    name: Literal["stylegan2"] = "stylegan2"
    latent_dim: Annotated[int, Field(ge=1, le=65536)] = Field(
        128, description="length of latents and of styles"
    )
    embedding_dim: Annotated[int, Field(ge=1, le=65536)] = Field(
        128, description="length of the learned vector of a class, beside the latent"
    )
    class_conditioning: Literal["projection"] = Field(
        "projection", description="of the discriminator: the only one in this architecture"
    )
    spectral_norm: Literal[False] = Field(False, description="not in this architecture")
    mapping_layers: Annotated[int, Field(ge=1, le=16)] = Field(
        2, description="dense layers from latents to styles; 8 in the paper"
    )
    mapping_multiplier: Annotated[float, Field(gt=0, le=1)] = Field(
        0.01, description="of the learning rate in these layers"
    )
    channel_base: Positive = Field(16384, description="channels times sides, up to channel_max channels")
    channel_max: Annotated[int, Field(ge=1, le=1024)] = Field(
        512, description="most channels of a feature map"
    )
    architecture: Literal["resnet", "orig"] = Field("resnet", description="of the discriminator")
    minibatch_std: Annotated[int, Field(ge=2, le=65536)] | None = Field(
        4, description="images in a row of whose deviation the discriminator learns, before its last layers"
    )
    padding: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="pixels that the networks have more than the images, on each side"
    )
    style_mixing: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="probability that an image has two styles in training; 0.9 in the paper"
    )

    def split(self, generator: keras.Model) -> tuple[Callable[[Any], Tensor], Callable[..., Tensor]]:
        """Latents (and labels) to styles ``[batch, layers, latent_dim]``; these to images."""
        synthesis = generator.get_layer("synthesis")

        def synthesize(inputs: Any, **kwargs: Any) -> Tensor:
            return synthesis(inputs[0] if self.conditional else inputs, **kwargs)

        return generator.get_layer("mapping"), synthesize

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """Their sides must be halved at least once."""
        self.sides(image_shape)

    def sides(self, image_shape: tuple[int, int, int]) -> list[tuple[int, int]]:
        """Height and width of the feature maps, from the smallest to the padded image.

        Raises:
            UsageError: there would be none smaller than the image.
        """
        height, width = (side + 2 * self.padding for side in image_shape[:2])
        found = [(height, width)]
        while all(side % 2 == 0 and side >= 8 for side in found[0]):
            found.insert(0, (found[0][0] // 2, found[0][1] // 2))
        if len(found) == 1:
            raise UsageError(
                f"model.padding: sides of {height}x{width} cannot be halved to 4 or more; give even ones, "
                "best 4 times a power of 2, by data.image_size or model.padding"
            )
        return found

    def channels(self, sides: tuple[int, int]) -> int:
        """Of feature maps of that height and width."""
        return max(1, min(self.channel_base // max(sides), self.channel_max))


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Latents ``[batch, latent_dim]`` to images ``[batch, height, width, channels]``, about in [-1, 1].

    Raises:
        UsageError: the images' sides cannot be halved.
    """
    import keras
    from keras import layers

    sides = options.sides(image_shape)
    latents = keras.Input((options.latent_dim,), name="latents")
    labels = [keras.Input((), name="labels", dtype="int32")] if classes else []
    inputs = [latents, *labels] if classes else latents
    styles = _mapping(options, 2 * len(sides), classes)(inputs)
    images = _synthesis(options, sides, image_shape[-1])(styles)
    if options.padding:
        images = layers.Cropping2D(options.padding, dtype="float32")(images)
    return keras.Model(inputs, images, name="generator")


def _mapping(options: Options, count: int, classes: int) -> keras.Model:
    """Latents (and labels) to ``count`` styles ``[batch, count, latent_dim]``; always float32."""
    import keras
    from keras import layers

    from gandist.layers import styles
    from gandist.layers.embedding import Embedding

    latents = keras.Input((options.latent_dim,), name="latents")
    inputs: Any = latents
    embedded: list[keras.KerasTensor] = []
    normal = styles.UnitSecondMoment(dtype="float32")
    if classes:
        labels = keras.Input((), name="labels", dtype="int32")
        inputs = [latents, labels]
        rows = Embedding(
            classes, options.embedding_dim, keras.initializers.RandomNormal(stddev=1.0), dtype="float32"
        )
        embedded = [normal(rows(labels))]
    dense = _dense_layers(options, options.latent_dim)

    def style(latents: keras.KerasTensor) -> keras.KerasTensor:
        x = normal(latents)
        x = layers.Concatenate(dtype="float32")([x, *embedded]) if embedded else x
        for layer in dense:
            x = layer(x)
        return x

    x = styles.MeanStyle(dtype="float32")(style(latents))
    if options.style_mixing:
        other = style(styles.OtherLatents(dtype="float32")(latents))
        outputs = styles.Mixed(count, options.style_mixing, dtype="float32")([x, other])
    else:
        outputs = styles.Repeated(count, dtype="float32")(x)
    return keras.Model(inputs, outputs, name="mapping")


def _dense_layers(options: Options, units: int) -> list[keras.layers.Layer]:
    """Of a mapping."""
    from gandist.layers import equalized

    return [
        equalized.Dense(units, activation=True, multiplier=options.mapping_multiplier, dtype="float32")
        for _ in range(options.mapping_layers)
    ]


def _synthesis(options: Options, sides: list[tuple[int, int]], colours: int) -> keras.Model:
    """Styles ``[batch, 2 * len(sides), latent_dim]`` to images of the last sides.

    A layer to colours has the style of the convolution that follows it, as in the authors' code.
    """
    import keras
    from keras import layers

    from gandist.layers import equalized, filtered, modulated, styles

    given = keras.Input((2 * len(sides), options.latent_dim), name="styles")

    def convolved(
        x: keras.KerasTensor, index: int, filters: int, size: int = 3, **kwargs: Any
    ) -> keras.KerasTensor:
        scales = equalized.Dense(x.shape[-1], bias=1.0)(given[:, index])
        return modulated.ModulatedConv2D(filters, size, **kwargs)([x, scales])

    def styled(x: keras.KerasTensor, index: int, filters: int, doubled: bool = False) -> keras.KerasTensor:
        return equalized.Bias()(modulated.Noise()(convolved(x, index, filters, doubled=doubled)))

    def coloured(x: keras.KerasTensor, index: int) -> keras.KerasTensor:
        colour = convolved(x, index, colours, 1, demodulate=False, dtype="float32")
        return equalized.Bias(activation=False, dtype="float32")(colour)

    x = styles.Constant(*sides[0], options.channels(sides[0]))(given)
    x = styled(x, 0, options.channels(sides[0]))
    images = coloured(x, 1)
    for block, size in enumerate(sides[1:], 1):
        x = styled(x, 2 * block - 1, options.channels(size), doubled=True)
        x = styled(x, 2 * block, options.channels(size))
        images = filtered.Upsample(dtype="float32")(images)
        images = layers.Add(dtype="float32")([images, coloured(x, 2 * block + 1)])
    return keras.Model(given, images, name="synthesis")


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Images ``[batch, height, width, channels]`` to logits ``[batch, 1]``.

    Conditional: the label is mapped as latents are, by as many layers (the authors have 8 here in any case);
    its product with the features, over the root of their number, is the logit.

    Raises:
        UsageError: the images' sides cannot be halved.
    """
    import keras
    from keras import layers

    from gandist.layers import equalized, filtered, styles
    from gandist.layers.embedding import Embedding
    from gandist.layers.minibatch_std import MinibatchStd

    smallest, *larger = options.sides(image_shape)
    images = keras.Input(image_shape, name="images")
    x = layers.ZeroPadding2D(options.padding)(images) if options.padding else images
    x = equalized.Conv2D(options.channels((smallest, *larger)[-1]), 1, activation=True)(x)
    for size in reversed((smallest, *larger[:-1])):
        before = x
        x = equalized.Conv2D(x.shape[-1], 3, activation=True)(x)
        x = equalized.Conv2D(options.channels(size), 3, halved=True, activation=True)(x)
        if options.architecture == "resnet":
            before = filtered.Downsample()(before)
            before = equalized.Conv2D(options.channels(size), 1, use_bias=False)(before)
            # Two terms of the same variance: their sum is to have it, too.
            x = layers.Rescaling(math.sqrt(0.5))(layers.Add()([before, x]))
    width = x.shape[-1]
    if options.minibatch_std:
        x = MinibatchStd(options.minibatch_std)(x)
    x = layers.Flatten()(equalized.Conv2D(width, 3, activation=True)(x))
    x = equalized.Dense(width, activation=True)(x)
    if not classes:
        return keras.Model(images, equalized.Dense(1, dtype="float32")(x), name="discriminator")
    labels = keras.Input((), name="labels", dtype="int32")
    rows = Embedding(classes, width, keras.initializers.RandomNormal(stddev=1.0), dtype="float32")(labels)
    rows = styles.UnitSecondMoment(dtype="float32")(rows)
    for layer in _dense_layers(options, width):
        rows = layer(rows)
    x = equalized.Dense(width, dtype="float32")(x)
    logits = layers.Rescaling(1.0 / math.sqrt(width), dtype="float32")(
        layers.Dot(axes=1, dtype="float32")([x, rows])
    )
    return keras.Model([images, labels], logits, name="discriminator")
