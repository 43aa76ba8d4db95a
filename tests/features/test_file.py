"""A network of one's own: a layer of a ``.keras`` file, an output of a SavedModel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from gandist import features
from gandist.data import Dataset
from gandist.errors import DataError
from gandist.features.file import Options

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1), dtype=np.uint8)


def network() -> keras.Model:
    """Features are means of height and width over three channels; then logits of two classes."""
    inputs = keras.Input((8, 8, 3), name="pictures")
    same = keras.layers.Rescaling(1.0, name="same")(inputs)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(same)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(pooled), name="own")


def look(path: Path, images: np.ndarray = IMAGES, **options: Any) -> features.Seen:
    return load(path, **options).look(images)


def load(path: Path, **options: Any) -> features.Network:
    dataset = Dataset(IMAGES, np.zeros(len(IMAGES), np.int32), ("cats", "dogs"))
    return features.load(Options.model_validate({"path": str(path), **options}), dataset)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / "own.keras"
    network().save(path)
    return path


MEANS = IMAGES.reshape(len(IMAGES), -1).mean(axis=1)


@pytest.mark.parametrize("layer", ["same", "pooled"])
def test_a_layer_of_a_keras_file(saved: Path, layer: str) -> None:
    """What it has of height and width is averaged; grey images have three channels; the end are logits."""
    seen = look(saved, layer=layer, range=[0, 1])
    np.testing.assert_allclose(seen.features, np.repeat(MEANS[:, None] / 255, 3, axis=1), rtol=1e-5)
    assert seen.logits is not None
    assert seen.logits.shape == (7, 2)


def test_a_sequential_model_is_a_network_as_well(tmp_path: Path) -> None:
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(name="flat"), keras.layers.Dense(2)]
    keras.Sequential(layers).save(tmp_path / "row.keras")
    seen = look(tmp_path / "row.keras", layer="flat", range=[0, 1])
    np.testing.assert_allclose(seen.features, IMAGES.reshape(7, -1) / 255, rtol=1e-5)
    assert seen.logits is not None
    assert look(tmp_path / "row.keras").features.shape == (7, 2)


def test_black_and_white_are_what_the_network_takes(saved: Path) -> None:
    for low, high in ((-1, 1), (0, 255)):
        found = look(saved, layer="pooled", range=[low, high]).features[:, 0]
        np.testing.assert_allclose(found, MEANS / 255 * (high - low) + low, rtol=1e-4)


def test_by_default_it_is_the_last_layer_and_no_logits(saved: Path) -> None:
    seen = look(saved)
    assert seen.features.shape == (7, 2)
    assert seen.logits is None


def test_images_are_resized(saved: Path) -> None:
    large = np.full((2, 20, 30, 1), 51, np.uint8)
    np.testing.assert_allclose(
        look(saved, large, size=[8, 8], layer="pooled", range=[0, 1]).features, 0.2, rtol=1e-5
    )
    with pytest.raises(DataError, match=r"own\.keras does not take images 20x30x1 \(.*\); give the size"):
        look(saved, large)


def test_an_output_of_a_saved_model(tmp_path: Path) -> None:
    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
        def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
            means = tf.reduce_mean(images, axis=(1, 2)) * self.scale
            return {"features": means, "twice": 2.0 * means}

    module = Module()
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.__call__})
    for layer, factor in (("features", 2), ("twice", 4)):
        found = look(tmp_path, layer=layer, range=[0, 1]).features
        np.testing.assert_allclose(found[:, 0], factor * MEANS / 255, rtol=1e-5)
    for other in ({}, {"layer": "other"}):
        with pytest.raises(DataError, match=r"layer: name one of its outputs: features, twice\)"):
            load(tmp_path, **other)


def test_it_is_named_by_the_file_and_by_how_it_is_looked_through(saved: Path) -> None:
    names = [load(saved, **options).id for options in ({}, {}, {"range": [0, 1]}, {"layer": "pooled"})]
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert names[0].startswith("file-")


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2, output_shape=(8, 8, 3))(inputs))
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(DataError, match=r"lambda\.keras: not a network that can be loaded \(.*disallowed"):
        load(tmp_path / "lambda.keras")


def test_what_is_no_network_is_refused_in_one_line(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "torn.keras").write_bytes(b"torn")
    (tmp_path / "folder").mkdir()
    for name in ("missing.keras", "torn.keras", "folder"):
        with pytest.raises(
            DataError, match=rf"^evaluation\.features\.path: .*{name}: not a .*; give a \.keras"
        ):
            load(tmp_path / name)
    with pytest.raises(DataError, match="No such layer: other"):
        load(saved, layer="other")
    with pytest.raises(ValidationError, match="does not rise"):
        load(saved, range=[1, 0])
