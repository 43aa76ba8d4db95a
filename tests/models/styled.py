"""A network with all that the shipped ones lack: styles, noise, dropout, sub-models in both networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import keras
import tensorflow as tf
from keras import layers

from gandist import randomness
from gandist.layers import conditional, dropout, normalization, spectral
from gandist.models import ModelOptions

STYLES = 5


class Noise(layers.Layer):
    """Adds normal noise of a learned strength, in training and in sampling."""

    def build(self, input_shape: Any) -> None:
        """Add the strength."""
        self.strength = self.add_weight(name="strength", shape=(), initializer="ones")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs; told, so that Keras does not call the layer while a network is put together."""
        return input_shape

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, features]``."""
        return inputs + self.strength * randomness.for_layer().normal(*inputs.shape)


class Mean(layers.Layer):
    """Pulls towards the mean of all inputs seen in training, by ``truncation``."""

    truncation = 1.0

    def build(self, input_shape: Any) -> None:
        """Add the mean."""
        self.mean = self.add_weight(name="mean", shape=input_shape[1:], initializer="zeros", trainable=False)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Inputs ``[batch, features]``."""
        if training:
            context = tf.distribute.get_replica_context()
            seen = context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.reduce_mean(inputs, axis=0))
            self.mean.assign(0.5 * self.mean + 0.5 * seen)
        return self.mean + self.truncation * (inputs - self.mean)


class Options(ModelOptions):
    """Without settings of its own."""

    name: Literal["styled"] = "styled"
    latent_dim: int = 6

    def split(self, generator: keras.Model) -> tuple[Callable[[Any], tf.Tensor], Callable[..., tf.Tensor]]:
        """Both are sub-models."""
        return generator.get_layer("mapping"), generator.get_layer("synthesis")


def build_generator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Latents to images."""
    inner, x = conditional.generator_inputs(options.latent_dim, options.embedding_dim, classes)
    mapping = keras.Model(inner, layers.Dense(STYLES, activation="tanh")(x), name="mapping")
    styles = keras.Input((STYLES,))
    x = Noise()(layers.Dense(8)(Mean()(styles)))
    x = dropout.Dropout(0.25)(
        layers.LeakyReLU(0.2)(normalization.BatchNormalization(momentum=0.5, synchronized=True)(x))
    )
    height, width, channels = image_shape
    images = layers.Reshape(image_shape)(layers.Dense(height * width * channels, activation="tanh")(x))
    synthesis = keras.Model(styles, images, name="synthesis")
    latents, _ = conditional.generator_inputs(options.latent_dim, options.embedding_dim, classes)
    return keras.Model(latents, synthesis(mapping(latents)), name="generator")


def build_discriminator(options: Options, image_shape: tuple[int, int, int], classes: int = 0) -> keras.Model:
    """Images to logits; its layers lie in a sub-model."""
    images = keras.Input(image_shape)
    x = spectral.Conv2D(4, 3, strides=4)(images)
    features = keras.Model(images, layers.Flatten()(dropout.Dropout(0.25)(layers.LeakyReLU(0.2)(x))))
    inputs = keras.Input(image_shape)
    return conditional.discriminator(inputs, features(inputs), classes, options)
