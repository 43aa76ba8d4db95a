"""The residual networks: SNGAN's and WGAN-GP's sizes, their blocks, and their training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from gandist import models
from gandist.errors import UsageError
from gandist.layers.portable import portable
from gandist.models.resnet import Options
from tests.models.trainers import (
    RESNET,
    assert_continues_with_the_same_bits,
    assert_replicas_train_as_one,
)

pytestmark = pytest.mark.usefixtures("devices")

HINGE: dict[str, Any] = {"loss": {"name": "hinge"}}


def convolutions(network: keras.Model) -> list[tuple[int, ...]]:
    """Kernels, and the sides of what they give."""
    return [
        (*layer.kernel.shape, layer.output.shape[1])
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]


def test_the_defaults_are_sngans() -> None:
    """Miyato et al. 2018, table 4, but for the biases before batch norm: 4,276,739 parameters with these."""
    generator = models.build_generator(Options(), (32, 32, 3))
    of_block = lambda side: [  # noqa: E731
        (3, 3, 256, 256, 2 * side),
        (1, 1, 256, 256, side),
        (3, 3, 256, 256, 2 * side),
    ]
    expected = [*of_block(4), *of_block(8), *of_block(16), (3, 3, 256, 3, 32)]
    assert sorted(convolutions(generator)) == sorted(expected)
    assert sum(np.prod(w.shape) for w in generator.trainable_weights) == 4_276_739 - 9 * 256
    discriminator = models.build_discriminator(Options(spectral_norm=True), (32, 32, 3))
    assert sorted(convolutions(discriminator)) == sorted(
        [
            *[(3, 3, 3, 128, 32), (3, 3, 128, 128, 32), (1, 1, 3, 128, 16)],
            *[(3, 3, 128, 128, 16), (3, 3, 128, 128, 16), (1, 1, 128, 128, 8)],
            *[(3, 3, 128, 128, 8)] * 4,
        ]
    )
    assert not any("normalization" in weight.path for weight in discriminator.weights)


@pytest.mark.parametrize(("shape", "doublings"), [((28, 28, 1), 2), ((64, 64, 3), 4), ((12, 8, 3), 2)])
def test_images_of_other_sizes(shape: Any, doublings: int) -> None:
    options = Options(
        latent_dim=6, generator_widths=(3,) * (doublings + 1), discriminator_widths=(2, 3), halvings=2
    )
    images = models.build_generator(options, shape)(np.ones((2, 6), np.float32)).numpy()
    assert images.shape == (2, *shape)
    assert 0 < np.abs(images).max() <= 1
    assert models.build_discriminator(options, shape)(images).shape == (2, 1)


def test_features_are_the_sum_or_the_mean_of_all_places() -> None:
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)
    logits = []
    for pooling in ("sum", "mean"):
        options = Options.model_validate({**RESNET, "pooling": pooling})
        keras.utils.set_random_seed(0)
        network = models.build_discriminator(options, (8, 8, 1))
        logits.append(network(images).numpy())
    np.testing.assert_allclose(logits[0], 4 * 4 * logits[1], rtol=1e-5)


def test_a_halving_block_is_that_of_the_paper() -> None:
    """By hand: the mean over 2x2 places of both ways, convolutions as they are written there."""
    options = Options(discriminator_widths=(2, 3), halvings=2)
    network = models.build_discriminator(options, (8, 8, 2))
    keras.utils.set_random_seed(0)
    for weight in network.weights:
        weight.assign(np.random.default_rng(weight.shape[-1]).normal(size=weight.shape))
    first, second = [layer for layer in network.layers if isinstance(layer, keras.layers.Add)]
    x = tf.random.normal((2, 8, 8, 2), seed=1)
    seen = keras.Model(network.inputs, [first.output, second.output])(x)

    def convolved(y: Any, index: int) -> Any:
        layer = [c for c in network.layers if isinstance(c, keras.layers.Conv2D)][index]
        return tf.nn.conv2d(y, layer.kernel.value, 1, "SAME") + layer.bias.value

    def halved(y: Any) -> Any:
        return tf.reduce_mean(tf.reshape(y, [2, y.shape[1] // 2, 2, y.shape[2] // 2, 2, -1]), axis=[2, 4])

    order = [layer.kernel.shape for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert order[:3] == [(3, 3, 2, 2), (3, 3, 2, 2), (1, 1, 2, 2)]
    assert order[3:] == [(3, 3, 2, 2), (3, 3, 2, 3), (1, 1, 2, 3)]
    of_first = halved(convolved(tf.nn.relu(convolved(x, 0)), 1)) + halved(convolved(x, 2))
    np.testing.assert_allclose(seen[0], of_first, rtol=1e-4, atol=1e-4)
    of_second = convolved(tf.nn.relu(convolved(tf.nn.relu(of_first), 3)), 4)
    np.testing.assert_allclose(
        seen[1], halved(of_second) + halved(convolved(of_first, 5)), rtol=1e-4, atol=1e-3
    )


def test_a_class_has_scales_and_offsets_of_its_own() -> None:
    options = Options.model_validate({**RESNET, "conditional": True})
    generator = models.build_generator(options, (4, 4, 1), 3)
    norms = [layer for layer in generator.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.scale for layer in norms] == [False, False, True]  # the last one, of the image, is of all
    beside_the_latents, *tables = [
        layer for layer in generator.layers if isinstance(layer, keras.layers.Embedding)
    ]
    firsts = [np.unique(table.embeddings).tolist() for table in tables]
    assert firsts == 2 * [[1.0], [0.0]]
    assert [table.embeddings.shape for table in tables] == 2 * [(3, 4)] + 2 * [(3, 3)]
    labels = np.array([0, 1, 1], np.int32)
    latents = np.ones((3, 6), np.float32)
    beside_the_latents.embeddings.assign(np.ones((3, 10)))
    same = generator([latents, labels]).numpy()
    np.testing.assert_array_equal(same[0], same[1])
    tables[0].embeddings.assign([[1] * 4, [2] * 4, [1] * 4])
    moved = generator([latents, labels], training=False).numpy()
    np.testing.assert_array_equal(moved[0], same[0])
    np.testing.assert_array_equal(moved[1], moved[2])
    assert np.abs(moved[1] - same[1]).max() > 1e-4


def test_an_exported_generator_has_only_layers_of_keras() -> None:
    generator = models.build_generator(Options.model_validate({**RESNET, "conditional": True}), (4, 4, 1), 3)
    own = portable(generator, synchronized=False)
    assert {type(layer).__module__.partition(".")[0] for layer in own.layers} == {"keras"}
    inputs = [np.ones((2, 6), np.float32), np.array([2, 0], np.int32)]
    np.testing.assert_allclose(own(inputs), generator(inputs), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "told"), [({"halvings": 5}, "there are 4"), ({"pooling": "max"}, "'sum' or 'mean'")]
)
def test_settings_that_make_no_network_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Options.model_validate({"name": "resnet", **settings})


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (models.build_generator, "model.generator_widths: .* give at most 3 of them"),
        (models.build_discriminator, "model.halvings: .* give at most 2"),
    ],
)
def test_sides_that_cannot_be_halved_so_often_are_refused(build: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        build(Options(halvings=3), (28, 28, 1))


@pytest.mark.slow  # test_dcgan.py's layers, and test_spectral_norm.py, have the like
def test_a_continuation_has_the_same_bits() -> None:
    assert_continues_with_the_same_bits({**RESNET, "conditional": True}, **HINGE)


def test_replicas_train_as_one() -> None:
    """With batch norm of each class, over the global batch."""
    assert_replicas_train_as_one({**RESNET, "conditional": True}, **HINGE)
