"""Networks that need no gandist to load."""

from __future__ import annotations

import keras

from gandist.layers.embedding import Embedding
from gandist.layers.normalization import BatchNormalization
from gandist.layers.resampling import Conv2DTranspose, UpSampling2D

_PORTABLE = {
    BatchNormalization: keras.layers.BatchNormalization,
    Conv2DTranspose: keras.layers.Conv2DTranspose,
    Embedding: keras.layers.Embedding,
    UpSampling2D: keras.layers.UpSampling2D,
}


def portable(model: keras.Model, **settings: object) -> keras.Model:
    """A copy of ``model``, weights included, of Keras' own layers only.

    Args:
        model: any.
        settings: other values for layers that have such a setting.
    """

    def own(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        config |= {name: value for name, value in settings.items() if name in config}
        return _PORTABLE.get(type(layer), type(layer)).from_config(config)

    copy = keras.models.clone_model(model, clone_function=own, recursive=True)
    copy.set_weights(model.get_weights())
    return copy
