"""Architectures, one file each.

Each file has ``Options`` (its section of a job file), ``build_generator(options, image_shape, classes)`` and
``build_discriminator(options, image_shape, classes)``; Keras is imported inside the builders. ``classes`` is
0 for an unconditional network; a conditional one takes labels int32 ``[batch]`` as its second input. Either
is built alone where only one is needed: to sample, to judge images, to read an exported file.

Networks may have sub-models. Layers that draw random numbers take them from ``randomness.for_layer()``, in
training and in sampling; those of a discriminator that do so have a property ``draws``. What else a network
needs in sampling, such as truncation towards a mean of styles, is a setting of a layer. How latents are
drawn, and where styles are, ``Options`` may say: see ``ModelOptions``.

Discriminators end with ``layers.conditional.discriminator``, which gives them what all may have: classes,
spectral norm of the last layer, the minibatch's standard deviation. One that ends in a way of its own, as
stylegan2 does, places what it has itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gandist.errors import UsageError
from gandist.spec.base import Section
from gandist.spec.variants import Kind, choice, home

if TYPE_CHECKING:
    import keras
    from tensorflow import Tensor

    from gandist.randomness import Randomness


class ModelOptions(Section):
    """What every architecture takes."""

    discriminator_has_batch_norm: ClassVar[bool] = False
    r1_gamma_factor: ClassVar[float | None] = None
    """Where R1's gamma is known to be best near factor * height * width / batch size."""

    name: str
    latent_dim: Annotated[int, Field(ge=1, le=65536)] = Field(100, description="length of the normal latent")
    conditional: bool = Field(False, description="both networks also take the class of the image")
    embedding_dim: Annotated[int, Field(ge=1, le=65536)] = Field(
        10, description="length of the learned vector of a class; a long one drowns the latent"
    )
    class_conditioning: Literal["projection", "auxiliary_classifier"] = Field(
        "projection",
        description="how a conditional discriminator knows classes: projection: it takes them, and judges "
        "images of them; auxiliary_classifier: it tells them, and both networks are trained on what it tells",
    )
    classifier_weight: Annotated[float, Field(gt=0)] = Field(
        1.0, description="of the auxiliary classifier's cross-entropy, in both networks' losses"
    )
    spectral_norm: bool = Field(
        False, description="each weight of the discriminator divided by its largest singular value"
    )
    minibatch_std: Annotated[int, Field(ge=2, le=65536)] | None = Field(
        None, description="the discriminator is told how much samples differ, in groups of so many"
    )
    packing: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="images that the discriminator judges as one, side by side in the channels"
    )

    @model_validator(mode="after")
    def _one_class(self) -> ModelOptions:
        if self.conditional and self.packing > 1:
            raise ValueError("images of a pack have no class in common; leave out packing, or conditional")
        if not self.conditional and self.class_conditioning != "projection":
            raise ValueError(f"class_conditioning: {self.class_conditioning} needs conditional: true")
        return self

    def idle(self) -> Iterator[tuple[str, str]]:
        """See ``Section.idle``."""
        if not self.conditional:
            yield "embedding_dim", "without conditional: true"
        if self.class_conditioning != "auxiliary_classifier":
            yield "classifier_weight", "without class_conditioning: auxiliary_classifier"

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """Refuse images ``(height, width, channels)`` that the networks cannot have, without TensorFlow.

        Raises:
            UsageError: they cannot be made, or judged.
        """

    def latents(self, randomness: Randomness, count: int) -> Tensor:
        """What the generator draws from: standard normal float32 ``[count, latent_dim]``."""
        return randomness.normal(count, self.latent_dim)

    def split(self, generator: keras.Model) -> tuple[Callable[[Any], Tensor], Callable[..., Tensor]]:
        """A generator as a mapping of its inputs to styles, and the synthesis of images from these.

        The synthesis takes what the generator does, with styles in the place of latents. Without a mapping
        network the latents are the styles.
        """
        return lambda inputs: inputs[0] if self.conditional else inputs, generator


def classes(options: ModelOptions, class_names: Sequence[str]) -> int:
    """How many classes networks of ``options`` tell apart; 0 for unconditional ones.

    Raises:
        UsageError: they are conditional, and the data has no classes.
    """
    if options.conditional and not class_names:
        raise UsageError(
            "model.conditional: the data set has no classes; leave it out, or give labelled data"
        )
    return len(class_names) if options.conditional else 0


def _check_keras() -> None:
    """Refuse to build networks that would compute something else than they say.

    Where gandist loads Keras, the user's settings are not read; in a notebook it may be there already.

    Raises:
        UsageError: Keras works with other settings in this process.
    """
    from keras import config

    needed = {
        "backend": (config.backend(), "tensorflow"),
        "image_data_format": (config.image_data_format(), "channels_last"),
        "floatx": (config.floatx(), "float32"),
        "dtype_policy": (config.dtype_policy().name, "float32"),
        "epsilon": (config.epsilon(), 1e-7),
    }
    for name, (found, right) in needed.items():
        if found != right:
            raise UsageError(
                f"Keras: {name} is {found} in this process, gandist needs {right}; keras.json, a variable or "
                "a call has set it: begin in a new process, with import gandist.training before keras"
            )


@contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    from keras import config

    config.set_dtype_policy(precision)
    try:
        yield
    finally:
        config.set_dtype_policy("float32")


def build_generator(
    options: ModelOptions, image_shape: tuple[int, int, int], classes: int = 0, precision: str = "float32"
) -> keras.Model:
    """Latents float32 ``[batch, latent_dim]`` to images in [-1, 1], ``[batch, height, width, channels]``.

    With ``classes``, the input is ``[latents, labels]``. ``precision`` is a dtype policy of Keras.

    Raises:
        UsageError: the architecture cannot make images of that shape.
    """
    _check_keras()
    with _computing_in(precision):
        return home(options).build_generator(options, image_shape, classes)


def build_discriminator(
    options: ModelOptions, image_shape: tuple[int, int, int], classes: int = 0, precision: str = "float32"
) -> keras.Model:
    """Images float32 ``[batch, height, width, channels]`` to logits float32 ``[batch, 1]``; real is positive.

    With ``classes``, the input is ``[images, labels]``; or the output is ``[logits, class_logits]``, of an
    auxiliary classifier. With ``options.packing``, so many times as many channels are what it takes for an
    image (Lin et al. 2018, section 3): only its first layer grows.

    Args:
        options: the model's.
        image_shape: of a single image.
        classes: that it tells apart; 0 for an unconditional one.
        precision: a dtype policy of Keras.

    Raises:
        UsageError: the architecture cannot judge images of that shape, or does not classify them.
    """
    _check_keras()
    height, width, channels = image_shape
    with _computing_in(precision):
        network = home(options).build_discriminator(
            options, (height, width, channels * options.packing), classes
        )
    if options.class_conditioning == "auxiliary_classifier" and len(network.outputs) < 2:
        raise UsageError(
            f"model.class_conditioning: {options.name} has no auxiliary_classifier; give projection"
        )
    return network


if TYPE_CHECKING:
    Model = ModelOptions
else:
    Model = choice(Kind(__name__, ModelOptions, functions=("build_generator", "build_discriminator")))
