"""R3GAN: the authors' sizes, its start, its gradients, and its training."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from gandist import models
from gandist.errors import UsageError
from gandist.models import r3gan
from gandist.models.r3gan import GAIN, Options
from tests.models.trainers import R3GAN, assert_continues_with_the_same_bits, assert_replicas_train_as_one

pytestmark = pytest.mark.usefixtures("devices")

RECIPE: dict[str, Any] = {"loss": {"name": "relativistic"}, "regularizers": {"r2": {}}}


def sizes(options: Options, shape: tuple[int, int, int], classes: int = 0) -> list[int]:
    """Parameters of both networks, which take no memory."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            networks = [
                build(options, shape, classes) for build in (r3gan.build_generator, r3gan.build_discriminator)
            ]
        return [sum(math.prod(v.shape) for v in network.variables) for network in networks]
    finally:
        keras.backend.clear_session()


def test_the_defaults_have_the_authors_size() -> None:
    """20.7 million each; the linear layer of the discriminator has a bias more than theirs."""
    block = 768 * 1536 + 1536 + 9 * 16 * 1536 + 1536 + 1536 * 768
    ends = 16 * 768 + 3 * 768
    assert sizes(Options(), (32, 32, 3)) == [8 * block + ends + 64 * 768, 8 * block + ends + 768 + 1]
    assert 8 * block == 20_668_416


@pytest.fixture(scope="module")
def networks(devices: None) -> tuple[keras.Model, keras.Model]:
    """Small ones, of unequal widths and for images that are not square."""
    keras.utils.set_random_seed(0)
    options = Options(widths=(96, 64), blocks=2, latent_dim=32)
    shape = (8, 12, 3)
    return models.build_generator(options, shape), models.build_discriminator(options, shape)


def test_a_network_starts_as_its_transitions_alone(networks: tuple[keras.Model, keras.Model]) -> None:
    """The last convolution of each block is zero: the generator is a linear map of the latent."""
    generator, discriminator = networks
    latents = np.random.default_rng(0).normal(size=(200, 32)).astype(np.float32)
    images = generator(latents).numpy()
    assert images.shape == (200, 8, 12, 3)
    np.testing.assert_allclose(generator(-latents), -images, atol=1e-5)
    logits = discriminator(images).numpy()
    np.testing.assert_allclose(discriminator(-images), -logits, atol=1e-4)
    for values in (images, logits):
        assert 0.3 < values.std() < 1.5


def test_weights_are_scaled_by_the_number_of_blocks(networks: tuple[keras.Model, keras.Model]) -> None:
    for network in networks:
        convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        inner = [layer for layer in convolutions if layer.use_bias]
        assert len(inner) == 2 * 4
        for layer in inner:
            expected = GAIN * 4**-0.25 / math.sqrt(math.prod(layer.kernel.shape[:3]))
            np.testing.assert_allclose(np.std(layer.kernel), expected, rtol=0.05)
        assert sum(not np.any(layer.kernel) for layer in convolutions) == 4


def test_a_class_moves_both_networks() -> None:
    options = Options.model_validate({**R3GAN, "conditional": True})
    generator = models.build_generator(options, (4, 4, 1), 3)
    discriminator = models.build_discriminator(options, (4, 4, 1), 3)
    labels = np.arange(3, dtype=np.int32)
    images = generator([np.ones((3, 6), np.float32), labels]).numpy()
    logits = discriminator([np.ones((3, 4, 4, 1), np.float32), labels]).numpy()
    assert np.ptp(images, axis=0).min() > 0
    assert len(set(logits[:, 0])) == 3


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"widths": [24, 12], "group_size": 16}, "does not divide the 24 channels"),
        ({"spectral_norm": True}, "leave it out"),
    ],
)
def test_settings_that_make_no_network_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Options.model_validate({"name": "r3gan", **settings})


def test_more_stages_than_the_sides_can_be_halved_are_refused() -> None:
    with pytest.raises(UsageError, match="give at most 3 of them"):
        models.build_generator(Options(widths=(16,) * 4), (28, 28, 1))


def test_a_continuation_has_the_same_bits() -> None:
    assert_continues_with_the_same_bits(R3GAN, **RECIPE)


@pytest.mark.slow  # no layer lets samples of a batch meet; test_update_rules.py has what the step does
def test_replicas_train_as_one() -> None:
    assert_replicas_train_as_one(R3GAN, **RECIPE)
