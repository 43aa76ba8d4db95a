"""What architectures share where images have classes: how generators begin and discriminators end."""

from __future__ import annotations

import keras
from keras import layers

from gandist.layers import spectral
from gandist.layers.embedding import Embedding


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
    images: keras.KerasTensor, features: keras.KerasTensor, classes: int, spectral_norm: bool = False
) -> keras.Model:
    """The discriminator whose last features are ``features`` ``[batch, n]``: phi(x) of the paper.

    Without classes its logits are psi(phi(x)), a Dense layer. With them it is the projection discriminator
    (Miyato & Koyama 2018, equation 3): y^T V phi(x) is added, V float32 ``[classes, n]``. ``spectral_norm``
    is for psi and V.
    """
    dense = spectral.Dense if spectral_norm else layers.Dense
    logits = dense(1, dtype="float32")(features)  # whatever the precision of the rest
    if not classes:
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), name="labels", dtype="int32")
    embedding = spectral.Embedding if spectral_norm else Embedding
    # Initialised like psi, as in the authors' code: Keras' own is of no scale in particular.
    rows = embedding(classes, features.shape[-1], embeddings_initializer="glorot_uniform")(labels)
    projected = layers.Dot(axes=1, dtype="float32")([features, rows])
    logits = layers.Add(dtype="float32")([logits, projected])
    return keras.Model([images, labels], logits, name="discriminator")
