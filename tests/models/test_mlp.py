"""The MLP GAN: the sources' layers, any size of image, and their training by half batches."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from gandist import models
from gandist.models import mlp
from tests.models.trainers import (
    HALF_BATCHES,
    MLP,
    assert_continues_with_the_same_bits,
    assert_replicas_train_as_one,
    tiny_trainer,
)

pytestmark = pytest.mark.usefixtures("devices")


def described(network: keras.Model) -> list[tuple[str, int]]:
    """Each layer's kind and number of parameters."""
    return [(type(layer).__name__, layer.count_params()) for layer in network.layers]


def test_the_defaults_are_the_sources() -> None:
    generator = models.build_generator(mlp.Options(), (28, 28, 1))
    discriminator = models.build_discriminator(mlp.Options(), (28, 28, 1))
    assert described(generator) == [
        ("InputLayer", 0),
        ("Dense", 100 * 256 + 256),
        ("LeakyReLU", 0),
        ("BatchNormalization", 4 * 256),
        ("Dense", 256 * 512 + 512),
        ("LeakyReLU", 0),
        ("BatchNormalization", 4 * 512),
        ("Dense", 512 * 1024 + 1024),
        ("LeakyReLU", 0),
        ("BatchNormalization", 4 * 1024),
        ("Dense", 1024 * 784 + 784),
        ("Reshape", 0),
    ]
    assert described(discriminator) == [
        ("InputLayer", 0),
        ("Flatten", 0),
        ("Dense", 784 * 512 + 512),
        ("LeakyReLU", 0),
        ("Dense", 512 * 256 + 256),
        ("LeakyReLU", 0),
        ("Dense", 256 + 1),
    ]
    assert generator.count_params() == 1_493_520
    assert sum(np.prod(w.shape) for w in generator.trainable_weights) == 1_489_936
    assert discriminator.count_params() == 533_505
    for layer in (*generator.layers, *discriminator.layers):
        config = layer.get_config()
        assert config.get("negative_slope", 0.2) == 0.2
        assert config.get("momentum", 0.8) == 0.8
    assert [layer.activation.__name__ for layer in generator.layers if hasattr(layer, "activation")] == [
        *3 * ["linear"],
        "tanh",
    ]
    assert discriminator.layers[-1].activation.__name__ == "linear"


@pytest.mark.parametrize("shape", [(32, 32, 3), (5, 7, 1), (64, 64, 3)])
def test_images_of_any_size(shape: Any) -> None:
    options = mlp.Options(generator_widths=(4,), discriminator_widths=(3, 5, 4), latent_dim=6)
    generator, discriminator = (
        models.build_generator(options, shape),
        models.build_discriminator(options, shape),
    )
    latents = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    images = generator(latents).numpy()
    assert images.shape == (3, *shape)
    assert 0 < np.abs(images).max() <= 1
    assert discriminator(images).shape == (3, 1)
    assert [w.shape[-1] for w in discriminator.weights[::2]] == [3, 5, 4, 1]


@pytest.mark.parametrize("widths", [[], [0], ["256"], [2.5], [True], 256, [1] * 17])
@pytest.mark.parametrize("key", ["generator_widths", "discriminator_widths"])
def test_widths_that_are_none_are_refused(key: str, widths: Any) -> None:
    with pytest.raises(ValidationError, match=key):
        mlp.Options.model_validate({"name": "mlp", key: widths})


@pytest.mark.slow  # test_update_rules.py has the like
def test_replicas_train_as_one_by_half_batches() -> None:
    assert_replicas_train_as_one(MLP, **HALF_BATCHES)


def test_per_replica_statistics_are_each_replicas_own() -> None:
    """Else the option would do nothing: with half the batch each, two replicas differ from one."""
    own = {**MLP, "batch_norm": "per_replica"}
    one, two = (tiny_trainer(own, replicas).run(3)["g_loss"] for replicas in (1, 2))
    assert np.abs(one - two).max() > 1e-3
    synchronized = tiny_trainer(MLP, 2).run(3)["g_loss"]
    np.testing.assert_allclose(synchronized, one, rtol=2e-4)


@pytest.mark.slow  # test_update_rules.py has the like
def test_a_continued_trainer_ends_with_the_same_bits() -> None:
    assert_continues_with_the_same_bits(MLP, **HALF_BATCHES)
