"""What architectures share where images have classes: how generators begin and discriminators end."""

from __future__ import annotations

from typing import Protocol

import keras
import tensorflow as tf
from keras import layers

from gandist.layers import spectral
from gandist.layers.embedding import Embedding
from gandist.layers.minibatch_std import MinibatchStd


class Ending(Protocol):
    """What of a model's options says how its discriminator ends."""

    @property
    def spectral_norm(self) -> bool:
        """Of the last layers, too."""

    @property
    def minibatch_std(self) -> int | None:
        """The group of the standard deviation that is appended to the features, or None."""

    @property
    def class_conditioning(self) -> str:
        """``projection`` or ``auxiliary_classifier``."""


def generator_inputs(
    latent_dim: int, embedding_dim: int, classes: int
) -> tuple[keras.KerasTensor | list[keras.KerasTensor], keras.KerasTensor]:
    """The inputs of a generator, and the one vector that its first layer takes.

    Without classes both are the latents ``[batch, latent_dim]``. With them the inputs are these and labels
    int32 ``[batch]``, and a learned vector of the class is appended to the latents (as in Mirza & Osindero
    2014, section 3.2): ``[batch, latent_dim + embedding_dim]``.
    """
    latents = keras.Input((latent_dim,), name="latents")
    if not classes:
        return latents, latents
    labels = keras.Input((), name="labels", dtype="int32")
    # Normal like the latents, so that the class weighs as much as they do when training starts: Keras' own
    # initialiser makes vectors 35 times shorter.
    initializer = keras.initializers.RandomNormal(stddev=1.0)
    embedding = Embedding(classes, embedding_dim, embeddings_initializer=initializer)
    return [latents, labels], layers.Concatenate()([latents, embedding(labels)])


def discriminator(
    images: keras.KerasTensor, features: keras.KerasTensor, classes: int, options: Ending
) -> keras.Model:
    """The discriminator whose last features are ``features`` ``[batch, n]``: phi(x) of the papers.

    Without classes its logits are psi(phi(x)), a Dense layer. With them it is

    - the projection discriminator (Miyato & Koyama 2018, equation 3): y^T V phi(x) is added, V float32
      ``[classes, n]``, and labels are its second input;
    - or, of images alone, it has a second output, the auxiliary classifier (Odena et al. 2017, section 3):
      logits of the classes, ``[batch, classes]``, a Dense layer of phi(x).

    Args:
        images: its input.
        features: what it makes of them.
        classes: that it tells apart; 0 for an unconditional one.
        options: the model's.
    """
    dense = spectral.Dense if options.spectral_norm else layers.Dense
    # The classifier's are those without: the class of an image does not depend on the others of its batch.
    of_image = features
    if options.minibatch_std is not None:
        features = MinibatchStd(options.minibatch_std)(features)
    logits = dense(1, dtype="float32")(features)  # whatever the precision of the rest
    if not classes:
        return keras.Model(images, logits, name="discriminator")
    if options.class_conditioning == "auxiliary_classifier":
        class_logits = dense(classes, dtype="float32")(of_image)
        return keras.Model(images, [logits, class_logits], name="discriminator")
    labels = keras.Input((), name="labels", dtype="int32")
    embedding = spectral.Embedding if options.spectral_norm else Embedding
    # Initialised like psi, as in the authors' code: Keras' own is of no scale in particular.
    rows = embedding(classes, features.shape[-1], embeddings_initializer="glorot_uniform")(labels)
    projected = layers.Dot(axes=1, dtype="float32")([features, rows])
    logits = layers.Add(dtype="float32")([logits, projected])
    return keras.Model([images, labels], logits, name="discriminator")


def judged(
    network: keras.Model, images: tf.Tensor, labels: tf.Tensor, training: bool
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """What any discriminator says: its logits ``[batch, 1]``, and those of the classes where it has them.

    Args:
        network: takes labels, or does not.
        images: ``[batch, height, width, channels]``.
        labels: theirs, int32 ``[batch]``.
        training: whether layers are in training mode.
    """
    found = network([images, labels] if len(network.inputs) > 1 else images, training=training)
    return tuple(found) if len(network.outputs) > 1 else (found, None)
