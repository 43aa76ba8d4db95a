"""StyleGAN2: shapes, what is learned where, truncation, and an export that Keras loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist import models
from gandist.data import Dataset
from gandist.errors import UsageError
from gandist.layers.portable import portable
from gandist.layers.styles import MeanStyle
from gandist.layers.walk import layers_of
from gandist.models import stylegan2
from gandist.sampling.exported import weights_size
from gandist.sampling.sampler import Sampler
from tests.models.trainers import (
    STYLEGAN2,
    assert_continues_with_the_same_bits,
    assert_replicas_train_as_one,
    labelled_digits,
    tiny_trainer,
)

pytestmark = pytest.mark.usefixtures("devices")

SHAPE = (8, 8, 1)
MIXED = {**STYLEGAN2, "channel_base": 16, "style_mixing": 0.9}
digits = labelled_digits()
SECTIONS: dict[str, Any] = {
    "dataset": Dataset(digits.images[:, 2::3, 2::3][:, :8, :8], digits.labels, digits.class_names),
    "training": {"generator_ema": 0.5},
}


REGULARIZED = {"r1": {"every": 2}, "path_length": {"every": 2}}


def maps(network: keras.Model) -> list[tuple[int, ...]]:
    """The shapes of feature maps, each once, in the order of the network."""
    shapes = [layer.output.shape[1:] for layer in network.layers if hasattr(layer, "kernel")]
    return list(dict.fromkeys(shape for shape in shapes if len(shape) == 3))


@pytest.mark.parametrize(
    ("shape", "settings", "sides"),
    [
        ((28, 28, 1), {}, [(7, 7), (14, 14), (28, 28)]),
        ((28, 28, 1), {"padding": 2}, [(4, 4), (8, 8), (16, 16), (32, 32)]),
        ((16, 24, 3), {"architecture": "orig"}, [(4, 6), (8, 12), (16, 24)]),
        ((64, 64, 3), {}, [(4, 4), (8, 8), (16, 16), (32, 32), (64, 64)]),
    ],
)
def test_sides_double_from_4_or_more_and_channels_halve(
    shape: tuple[int, int, int], settings: dict[str, Any], sides: list[tuple[int, int]]
) -> None:
    options = stylegan2.Options(latent_dim=6, channel_base=64, channel_max=8, **settings)
    expected = [(*size, min(8, 64 // max(size))) for size in sides]
    generator = models.build_generator(options, shape)
    colours = [(*size, shape[-1]) for size in sides]
    found = maps(generator.get_layer("synthesis"))
    assert [shape for shape in found if shape not in colours] == expected
    assert [shape for shape in found if shape in colours] == colours
    discriminator = models.build_discriminator(options, shape)
    assert maps(discriminator)[0] == expected[-1]
    assert maps(discriminator)[-1] == expected[0]
    assert generator.output_shape == (None, *shape)
    assert discriminator(np.zeros((4, *shape), np.float32)).shape == (4, 1)


def test_the_authors_sizes() -> None:
    """Of the preset for CIFAR-10: computed from their layers."""
    options = stylegan2.Options(latent_dim=512, channel_base=32768, architecture="orig", minibatch_std=32)
    size = weights_size(lambda: models.build_generator(options, (32, 32, 3)))
    blocks = 7 * (3 * 3 * 512 * 512 + 512 + 1 + 512 * 513)
    colours = 4 * (512 * 3 + 3 + 512 * 513)
    mapping = 2 * 512 * 513 + 512
    assert size == 4 * (blocks + colours + mapping + 4 * 4 * 512)


def test_sides_that_cannot_be_halved_are_refused_in_one_line() -> None:
    for build in (models.build_generator, models.build_discriminator):
        with pytest.raises(UsageError, match=r"model.padding: sides of 30x31 cannot be halved") as caught:
            build(stylegan2.Options(), (30, 31, 1))
        assert "\n" not in str(caught.value)


def test_the_discriminator_looks_at_the_direction_of_a_class_alone() -> None:
    """Its vectors are normalised, as in the generator's mapping and as in the authors' code."""
    network = models.build_discriminator(stylegan2.Options(**MIXED, conditional=True), SHAPE, 3)
    given = [np.ones((4, *SHAPE), np.float32), np.array([0, 1, 2, 0])]
    before = network(given).numpy()
    (embedding,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Embedding))
    embedding.embeddings.assign(3.0 * embedding.embeddings)
    np.testing.assert_allclose(network(given).numpy(), before, rtol=1e-4)


@pytest.fixture(scope="module")
def trained(devices: None) -> Any:
    """A conditional one, whose noise and mean style are as if something had been learned."""
    trainer = tiny_trainer({**MIXED, "conditional": True}, **SECTIONS)
    for variable in trainer.gan.generator.variables:
        if variable.name in ("strength", "mean"):
            variable.assign(tf.ones(variable.shape))
    trainer.gan.ema = []
    return trainer


@pytest.fixture
def sampler(trained: Any) -> Sampler:
    """Its sampler."""
    made = Sampler(trained.trial, SHAPE, 10)
    made.update(trained.gan, trained.step)
    return made


def mean_style(network: keras.Model) -> MeanStyle:
    (found,) = (layer for layer in layers_of(network) if isinstance(layer, MeanStyle))
    return found


def test_an_export_loads_once_the_named_modules_are_imported(
    trained: Any, sampler: Sampler, tmp_path: Path
) -> None:
    path = tmp_path / "generator.keras"
    path.write_bytes(sampler.export())
    loaded = keras.saving.load_model(path)
    latents, labels = sampler.latents(4), sampler.labels(4)
    expected = portable(sampler.generator, fixed_noise=True)([latents, labels])
    np.testing.assert_array_equal(loaded([latents, labels]), expected)
    again = Sampler.load(trained.trial, SHAPE, 10, path.read_bytes(), "generator.keras")
    np.testing.assert_array_equal(again.generate(latents, labels), sampler.generate(latents, labels))


@pytest.mark.slow
def test_a_new_process_loads_an_export_as_told(sampler: Sampler, tmp_path: Path) -> None:
    (tmp_path / "generator.keras").write_bytes(sampler.export())
    modules = sampler.loading.partition(" first")[0]
    code = f"{modules}, keras; print(keras.saving.load_model('generator.keras').output_shape)"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str((None, *SHAPE))


def test_a_continuation_has_the_same_bits() -> None:
    assert_continues_with_the_same_bits(MIXED, **SECTIONS)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"conditional": True, "padding": 4}])
def test_replicas_train_as_one(settings: dict[str, Any]) -> None:
    assert_replicas_train_as_one({**MIXED, **settings}, **SECTIONS, regularizers=REGULARIZED)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"conditional": True, "padding": 4}])
def test_a_regularized_continuation_has_the_same_bits(settings: dict[str, Any]) -> None:
    assert_continues_with_the_same_bits({**MIXED, **settings}, **SECTIONS, regularizers=REGULARIZED)
