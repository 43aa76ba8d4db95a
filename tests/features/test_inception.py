"""The graph of 2015: what it is fed and what is read, by a small graph of the same interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gandist.data import Dataset
from gandist.errors import DataError
from gandist.features import inception


def graph(channels: int = 2048) -> bytes:
    """Names, shapes and operations as in the original, of which this has the ends and one convolution."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as made:
        content = v1.placeholder(tf.string, [], name="DecodeJpeg/contents")
        picture = tf.image.decode_jpeg(content, channels=3, name="DecodeJpeg")
        x = tf.expand_dims(tf.cast(picture, tf.float32, name="Cast"), 0, name="ExpandDims")
        x = v1.image.resize_bilinear(x, [299, 299], name="ResizeBilinear")
        x = tf.multiply(tf.subtract(x, 128.0, name="Sub"), 1 / 128, name="Mul")
        weights = np.zeros((1, 1, 3, channels), np.float32)
        weights[0, 0, [0, 1, 2], [0, 1, 2]] = 1.0
        x = tf.nn.conv2d(x, weights, 38, "SAME", name="conv/Conv2D")
        x = tf.identity(x, name="conv/batchnorm")
        zeros = tf.constant(0.0, shape=[channels], name="zeros")
        ones = tf.constant(1.0, shape=[channels], name="ones")
        tf.nn.avg_pool2d(x, 8, 1, "VALID", name="pool_3")
        found = made.as_graph_def()
    # Graphs of 2015 have this operation, which later ones may not.
    (norm,) = [node for node in found.node if node.name == "conv/batchnorm"]
    norm.op = "BatchNormWithGlobalNormalization"
    norm.input.extend([of.op.name for of in (zeros, ones, zeros, ones)])
    norm.attr["variance_epsilon"].f = 0.0
    norm.attr["scale_after_normalization"].b = False
    found.versions.producer = 8
    return found.SerializeToString()


def expected(images: np.ndarray) -> np.ndarray:
    """What the convolution sees of the image, resized as TensorFlow 1 did: pixel i at i * side / 299."""
    height, width = images.shape[1:3]
    at = [np.arange(0, 299, 38) * side / 299 for side in (height, width)]
    low = [np.floor(of).astype(int) for of in at]
    high = [np.minimum(of + 1, side - 1) for of, side in zip(low, (height, width), strict=True)]
    down, right = at[0] - low[0], at[1] - low[1]
    pixels = images.astype(float)
    down, right = down[None, :, None, None], right[None, None, :, None]
    top, bottom = pixels[:, low[0]], pixels[:, high[0]]
    rows = top * (1 - down) + bottom * down
    both = rows[:, :, low[1]] * (1 - right) + rows[:, :, high[1]] * right
    return ((both - 128) / 128).mean(axis=(1, 2))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("inception") / "classify_image_graph_def.pb"
    found.write_bytes(graph())
    return found


def dataset(images: np.ndarray) -> Dataset:
    return Dataset(images, np.zeros(len(images), np.int32))


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_pixels_are_resized_and_scaled_as_in_the_reference(path: Path) -> None:
    pictures = images(60, 32, 48, 3)
    seen = inception.load(inception.Options(path=str(path)), dataset(pictures)).look(pictures)
    assert seen.features.shape == (60, 2048)
    assert seen.logits is None
    np.testing.assert_allclose(seen.features[:, :3], expected(pictures), atol=1e-5)


def test_grey_images_have_three_equal_channels(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDIST_INCEPTION", str(path))
    grey = images(3, 28, 28, 1)
    features = inception.load(inception.Options(), dataset(grey)).look(grey).features
    np.testing.assert_allclose(features[:, :3], expected(np.repeat(grey, 3, axis=-1)), atol=1e-5)


def test_it_is_named_by_its_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other.pb").write_bytes(graph(1024))
    one, other = (inception.Inception(of).id for of in (path, tmp_path / "other.pb"))
    assert one.startswith("inception-")
    assert one != other


def test_without_the_file_it_says_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANDIST_INCEPTION", raising=False)
    some = dataset(images(2, 28, 28, 1))
    with pytest.raises(DataError, match=r"give its path as evaluation\.features\.path or GANDIST_INCEPTION$"):
        inception.load(inception.Options(), some)
    (tmp_path / "torn.pb").write_bytes(b"torn")
    for name in ("missing.pb", "torn.pb"):
        with pytest.raises(
            DataError, match=rf"{name}: not the Inception graph of 2015 \(.*\); give classify"
        ):
            inception.load(inception.Options(path=str(tmp_path / name)), some)
