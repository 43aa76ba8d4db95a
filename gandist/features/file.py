"""A network of your own: the layer of a ``.keras`` file, or an output of a SavedModel.

A ``.keras`` file is loaded in Keras' safe mode, which refuses code in the file; a SavedModel is a graph of
TensorFlow's operations. Both may still be made to do harm: load only what you trust.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from gandist import lazy_tensorflow as tf
from gandist.activity import Activity, Tell, silent
from gandist.data import Dataset, _cache
from gandist.errors import DataError
from gandist.features._base import FeatureOptions, Seen
from gandist.spec.base import Positive

LOOK = 250
"""Images that are looked at together."""
LOGITS = "logits"
"""The output of a SavedModel that is taken for these."""
Outputs = Callable[[Any], tuple[Any, Any]]
"""Prepared images to features, and what may be logits."""


class Options(FeatureOptions):
    """The features section of a job file."""

    classifies: ClassVar[bool | None] = None
    name: Literal["file"] = "file"
    path: str = Field(description="a .keras file, or the directory of a SavedModel, on each machine")
    size: Annotated[tuple[Positive, Positive] | None, Field(strict=False)] = Field(
        None, description="height and width that images are resized to; unless given, they stay as they are"
    )
    range: Annotated[tuple[float, float], Field(strict=False)] = Field(
        (-1.0, 1.0), description="what black and white are to the network"
    )
    layer: str | None = Field(
        None,
        description="whose output are the features, the last unless given; of a SavedModel, an output",
    )

    @model_validator(mode="after")
    def _rising(self) -> Options:
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range: {list(self.range)} does not rise; give black, then white, as in [0, 1]")
        return self


class OfFile:
    """See above.

    Args:
        options: of the file.
        classes: of the data. What a ``.keras`` file ends with are logits if a layer before it is named and
            they are as many; so is a SavedModel's output ``logits``.

    Raises:
        DataError: the file is missing, or no network of images.
    """

    about = ""

    def __init__(self, options: Options, classes: int) -> None:
        path = _cache.from_home(options.path)
        self._options, self._classes = options, classes
        try:
            self.id = f"file-{_hash(path, options)}"
            self._outputs = (_saved_model if path.is_dir() else _keras)(path, options.layer)
        except Exception as error:  # whatever Keras and TensorFlow make of it
            raise DataError(
                f"evaluation.features.path: {path}: not a network that can be loaded ({_line(error)}); give "
                "a .keras file or a SavedModel's directory"
            ) from error

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """Features ``[n, d]``, the mean over what the layer has of height and width; logits if it has any.

        Raises:
            DataError: the network does not take such images.
        """
        features, logits = [], []
        for start in range(0, len(images), LOOK):
            tell(Activity("looking at images", start, len(images)))
            try:
                found, last = self._outputs(self._prepared(images[start : start + LOOK]))
            except Exception as error:  # whatever the network makes of it
                raise DataError(
                    f"evaluation.features: {self._options.path} does not take images "
                    f"{'x'.join(map(str, images.shape[1:]))} ({_line(error)}); give the size that it takes"
                ) from error
            features.append(np.asarray(found, np.float32))
            logits.append(np.asarray(last, np.float32))
        every = np.concatenate(features)
        every = every.mean(axis=tuple(range(1, every.ndim - 1)))
        classifies = self._options.layer is not None and logits[0].shape[1:] == (self._classes,)
        return Seen(every, np.concatenate(logits) if classifies else None)

    def _prepared(self, images: np.ndarray) -> Any:
        scaled = tf.cast(images, tf.float32)
        if self._options.size is not None and self._options.size != images.shape[1:3]:
            scaled = tf.image.resize(scaled, self._options.size)
        low, high = self._options.range
        return scaled * ((high - low) / 255.0) + low


def load(options: Options, dataset: Dataset, tell: Tell = silent) -> OfFile:
    """The network in the file. Raises like ``OfFile``."""
    return OfFile(options, len(dataset.class_names))


def _keras(path: Path, layer: str | None) -> Outputs:
    import keras

    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    channels = model.input_shape[-1]
    last = model.outputs[0]  # a Sequential has no ``output`` as soon as it is loaded
    found = last if layer is None else model.get_layer(layer).output
    both = keras.Model(model.inputs, [found, last])
    return lambda images: tuple(both(_with_channels(images, channels), training=False))


def _saved_model(path: Path, layer: str | None) -> Outputs:
    model = tf.saved_model.load(str(path))
    signature = model.signatures["serving_default"]
    ((name, spec),) = signature.structured_input_signature[1].items()
    names = sorted(signature.structured_outputs)
    output = names[0] if layer is None and len(names) == 1 else layer
    if output not in names:
        raise ValueError(f"layer: name one of its outputs: {', '.join(names)}")

    def outputs(images: Any) -> tuple[Any, Any]:
        # ``model`` has the variables: it lives as long as this.
        found = model.signatures["serving_default"](**{name: _with_channels(images, spec.shape[-1])})
        return found[output], found.get(LOGITS, found[output])

    return outputs


def _with_channels(images: Any, channels: int | None) -> Any:
    """Grey images as three equal channels, where the network takes as many."""
    return tf.repeat(images, channels, axis=-1) if images.shape[-1] == 1 and channels else images


def _hash(path: Path, options: Options) -> str:
    digest = hashlib.sha256(repr((options.size, options.range, options.layer)).encode())
    files = sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
