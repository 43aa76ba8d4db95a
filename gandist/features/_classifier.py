"""A small classifier whose last hidden layer are features: architecture, training, weights in a file."""

from __future__ import annotations

import hashlib
import io
import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gandist.activity import Activity, Tell, silent
from gandist.features._base import Seen
from gandist.order import permutation

ARCHITECTURE = 1
"""A number that changes with whatever changes features of the same weights."""
FEATURES = 128
SMALL = 7
"""Pooling halves images until their shorter side is about that."""
SIDE = 32
"""Larger images are averaged down to about this side first."""
BATCH = 128
LOOK = 500
"""Images that are looked at together."""
RATE = 2e-3
DROPOUT = 0.4
MOMENTUM = 0.9
"""Of the moving statistics: training is short."""


class Classifier:
    """A few convolutions, a hidden layer of 128 features and the logits of the classes.

    Layers have names and a data type of their own, so that nothing of Keras' global state is read or changed.

    Args:
        image_shape: ``(height, width, channels)``.
        classes: how many.
        seed: of the first weights, of dropout, and of the order of images.
    """

    def __init__(self, image_shape: tuple[int, int, int], classes: int, seed: int = 0) -> None:
        self.image_shape, self.classes, self._seed = image_shape, classes, seed
        self.model = _build(image_shape, classes, seed)
        self._look = tf.function(lambda images: self.model(images, training=False), reduce_retracing=True)

    @property
    def hash(self) -> str:
        """Of all that the features depend on, but the images."""
        digest = hashlib.sha256(repr((ARCHITECTURE, self.image_shape, self.classes)).encode())
        for weight in self.model.get_weights():
            digest.update(weight.tobytes())
        return digest.hexdigest()[:12]

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """What is in images uint8 ``[n, height, width, channels]``: ``[n, 128]`` and ``[n, classes]``."""
        features, logits = [], []
        for start in range(0, len(images), LOOK):
            tell(Activity("looking at images", start, len(images)))
            found = self._look(tf.constant(images[start : start + LOOK]))
            features.append(found[0].numpy())
            logits.append(found[1].numpy())
        return Seen(np.concatenate(features), np.concatenate(logits))

    def accuracy(self, images: np.ndarray, labels: np.ndarray, tell: Tell = silent) -> float:
        """The share of images uint8 ``[n, ...]`` whose class int32 ``[n]`` it names."""
        logits = self.look(images, tell).logits
        assert logits is not None  # noqa: S101 - a classifier's
        return float((logits.argmax(axis=1) == labels).mean())

    def train(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        shown: int,
        tell: Tell = silent,
        among: np.ndarray | None = None,
    ) -> None:
        """Train with Adam (Kingma & Ba 2015) and a rate that falls to 0 along a cosine.

        Args:
            images: uint8 ``[n, height, width, channels]``.
            labels: int32 ``[n]``.
            shown: images shown in all, each of them as often as any other.
            tell: told of the steps.
            among: indices int ``[m]`` of those that are shown; by default all.
        """
        steps = math.ceil(shown / BATCH)
        among = np.arange(len(images)) if among is None else among
        epochs = range(math.ceil(steps * BATCH / len(among)))
        order = np.concatenate([among[permutation(self._seed, epoch, len(among))] for epoch in epochs])
        variables = self.model.trainable_variables
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps))
        optimizer.build(variables)

        def step(batch: tf.Tensor, wanted: tf.Tensor) -> None:
            with tf.GradientTape() as tape:
                _, logits = self.model(batch, training=True)
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=logits)
                loss = tf.reduce_mean(losses)
            optimizer.apply(tape.gradient(loss, variables), variables)

        compiled = tf.function(step)
        for done in range(steps):
            tell(Activity("training a classifier", done, steps))
            some = np.sort(order[done * BATCH : (done + 1) * BATCH])
            compiled(tf.constant(images[some]), tf.constant(labels[some]))

    def encode(self) -> bytes:
        """The weights as an ``.npz`` file: those of layers as float16, to which they are rounded here."""
        rounded = [w.astype(np.float16) if w.ndim > 1 else w for w in self.model.get_weights()]
        self.model.set_weights(rounded)
        file = io.BytesIO()
        np.savez(file, *rounded)
        return file.getvalue()

    def load(self, path: Path) -> None:
        """Take the weights of the file at ``path``.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged, or of another network.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                self.model.set_weights([file[f"arr_{number}"] for number in range(len(file.files))])
        except OSError:
            raise
        except Exception as error:  # whatever NumPy, zipfile and Keras make of it
            raise ValueError(f"{path}: not the weights of this classifier") from error


def _build(image_shape: tuple[int, int, int], classes: int, seed: int) -> keras.Model:
    """From uint8 images to features ``[batch, 128]`` and logits ``[batch, classes]``, both float32."""
    x = inputs = keras.Input(image_shape, name="images", dtype="uint8")
    x = layers.Rescaling(1 / 255, dtype="float32", name="scaled")(x)
    if (block := min(image_shape[:2]) // SIDE) > 1:
        x = layers.AveragePooling2D(block, dtype="float32", name="blocks")(x)
    halvings = max(1, round(math.log2(min(x.shape[1:3]) / SMALL)))
    for number in range(halvings):
        x = _convolved(x, 32 * 2**number, number, seed)
        x = layers.MaxPooling2D(padding="same", dtype="float32", name=f"pool{number}")(x)
    x = _convolved(x, x.shape[-1], halvings, seed)
    x = layers.Flatten(dtype="float32", name="flat")(x)
    x = layers.Dropout(DROPOUT, seed=seed + 10, dtype="float32", name="dropout")(x)
    initializer = keras.initializers.HeNormal(seed + 11)
    x = layers.Dense(
        FEATURES, use_bias=False, kernel_initializer=initializer, dtype="float32", name="hidden"
    )(x)
    # So that none of the features is 0 for all images, and that their mean square is about 1/2.
    x = layers.BatchNormalization(momentum=MOMENTUM, dtype="float32", name="normalization")(x)
    x = features = layers.ReLU(dtype="float32", name="features")(x)
    x = layers.Dropout(DROPOUT, seed=seed + 12, dtype="float32", name="feature_dropout")(x)
    initializer = keras.initializers.GlorotUniform(seed + 13)
    logits = layers.Dense(classes, kernel_initializer=initializer, dtype="float32", name="logits")(x)
    return keras.Model(inputs, [features, logits], name="classifier")


def _convolved(x: keras.KerasTensor, channels: int, number: int, seed: int) -> keras.KerasTensor:
    x = layers.Conv2D(
        *(channels, 3),
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed + number),
        dtype="float32",
        name=f"convolution{number}",
    )(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, dtype="float32", name=f"normalization{number}")(x)
    return layers.ReLU(dtype="float32", name=f"relu{number}")(x)
