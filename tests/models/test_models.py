"""What an architecture may have that the shipped ones have not, with nothing but its own file."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist import models
from gandist.errors import UsageError
from gandist.layers.walk import layers_of
from gandist.models import ModelOptions, dcgan, mlp
from gandist.randomness import Randomness, layers_draw_from
from gandist.regularizers import path_length
from gandist.sampling.sampler import Sampler
from tests.models.styled import STYLES, Mean, Noise, Options
from tests.models.trainers import (
    assert_continues_with_the_same_bits,
    assert_replicas_train_as_one,
    labelled_digits,
    tiny_trainer,
)

SHAPE = (28, 28, 1)
PATH_LENGTH = {"path_length": {"decay": 0.5, "every": 2}}
REGULARIZED = {"regularizers": {**PATH_LENGTH, "r1": {}}}
AVERAGED = {"training": {"generator_ema": 0.5}}
SECTIONS: dict[str, dict[str, Any]] = REGULARIZED | AVERAGED


@pytest.fixture(scope="module")
def trained(devices: None) -> Any:
    """A trainer of the styled network after three steps, with averaged weights."""
    trainer = tiny_trainer(Options(), **SECTIONS)
    trainer.run(3)
    return trainer


@pytest.fixture
def sampler(trained: Any) -> Sampler:
    """Its sampler."""
    made = Sampler(trained.trial, SHAPE)
    made.update(trained.gan, trained.step)
    return made


@pytest.mark.parametrize(
    "options",
    [
        dcgan.Options(width=2, kernel_size=3, depth=1),
        mlp.Options(generator_widths=(4,), discriminator_widths=(5, 3)),
    ],
    ids=lambda options: options.name,
)
def test_packing_makes_the_first_layer_of_the_discriminator_grow_and_nothing_else(
    devices: None, options: ModelOptions
) -> None:
    """Lin et al. 2018, section 3: so many images are its input, side by side in the channels."""
    packed = options.model_copy(update={"packing": 3})
    one, three = (models.build_discriminator(each, (4, 6, 2)) for each in (options, packed))
    first, *rest = [weight.shape for weight in one.weights]
    in_threes, *rest_of_three = [weight.shape for weight in three.weights]
    assert rest_of_three == rest
    assert three.count_params() - one.count_params() == 2 * math.prod(first) == math.prod(in_threes) * 2 // 3
    assert three(np.zeros((5, 4, 6, 6))).shape == (5, 1)


def test_an_architecture_that_does_not_classify_refuses_an_auxiliary_classifier(
    devices: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = keras.Input(SHAPE)
    only = keras.Model(images, keras.layers.Flatten()(images))
    monkeypatch.setattr(mlp, "build_discriminator", lambda *_: only)
    options = mlp.Options(conditional=True, class_conditioning="auxiliary_classifier")
    with pytest.raises(
        UsageError, match=r"^model\.class_conditioning: mlp has no auxiliary_classifier; give"
    ):
        models.build_discriminator(options, SHAPE, classes=3)


@pytest.mark.parametrize(
    ("options", "sections"),
    [
        pytest.param(Options(), SECTIONS, id="regularized"),
        pytest.param(Options(conditional=True), AVERAGED, id="conditional", marks=pytest.mark.slow),
    ],
)
def test_a_continuation_has_the_same_bits(devices: None, options: Options, sections: dict[str, Any]) -> None:
    assert_continues_with_the_same_bits(options, **sections)


def test_replicas_train_as_one(devices: None) -> None:
    assert_replicas_train_as_one(Options(), **AVERAGED, regularizers=PATH_LENGTH)


def test_samples_are_the_same_wherever_and_whenever_they_are_drawn(trained: Any, sampler: Sampler) -> None:
    latents = sampler.latents(5)
    images = sampler.generate(latents)
    again = Sampler(trained.trial, SHAPE)
    again.update(trained.gan, trained.step)
    np.testing.assert_array_equal(again.generate(latents), images)
    np.testing.assert_array_equal(sampler.generate(latents), images)
    loaded = Sampler.load(trained.trial, SHAPE, 0, sampler.export(), "generator.keras")
    np.testing.assert_array_equal(loaded.generate(latents), images)


def test_samples_have_noise_and_no_dropout(sampler: Sampler) -> None:
    latents = np.repeat(sampler.latents(1), 64, axis=0)
    assert np.ptp(sampler.generate(latents).astype(int), axis=0).max() > 0
    for noise in (layer for layer in layers_of(sampler.generator) if isinstance(layer, Noise)):
        noise.strength.assign(0.0)
    assert np.ptp(sampler.generate(latents).astype(int), axis=0).max() == 0


def test_batch_norm_in_a_sub_model_is_calibrated_for_averaged_weights(trained: Any, sampler: Sampler) -> None:
    live, averaged = (
        [layer.moving_mean.numpy() for layer in layers_of(network) if hasattr(layer, "moving_mean")]
        for network in (trained.gan.generator, sampler.generator)
    )
    assert len(live) == len(averaged) == 1
    assert not np.allclose(live[0], averaged[0])


def test_truncation_is_a_setting_of_a_layer(sampler: Sampler) -> None:
    for layer in (layer for layer in layers_of(sampler.generator) if isinstance(layer, Mean)):
        layer.truncation = 0.0
    for layer in (layer for layer in layers_of(sampler.generator) if isinstance(layer, Noise)):
        layer.strength.assign(0.0)
    one, other = sampler.generate(sampler.latents(2))
    np.testing.assert_array_equal(one, other)


def test_path_length_is_that_of_the_image_along_the_styles(trained: Any) -> None:
    labels = tf.constant(labelled_digits().labels[:4])
    step = tf.constant(3, tf.int64)
    draw = lambda: Randomness(0, step).stream("regularized")  # noqa: E731
    drawn = trained.gan._drawn(labels, draw())
    assert drawn.styles.shape == (4, STYLES)
    _, figures = path_length.Options().per_sample(drawn, {"mean": tf.constant(0.0)})
    noise = draw().stream("path_length").normal(4, *SHAPE) / 28.0
    _, synthesis = Options().split(trained.gan.generator)

    def projected(styles: tf.Tensor) -> np.ndarray:
        with layers_draw_from(draw().stream("generator_layers")):
            return tf.reduce_sum(synthesis(styles, training=False) * noise, axis=[1, 2, 3]).numpy()

    slopes = []
    for axis in np.eye(STYLES, dtype=np.float32) * 0.01:
        slopes.append((projected(drawn.styles + axis) - projected(drawn.styles - axis)) / 0.02)
    expected = np.linalg.norm(slopes, axis=0)
    np.testing.assert_allclose(figures["mean_path_length"], expected, rtol=0.01)


def test_spectral_norm_in_a_sub_model_is_iterated(devices: None) -> None:
    trainer = tiny_trainer(Options())
    found = [layer for layer in layers_of(trainer.gan.discriminator) if hasattr(layer, "power_iteration")]
    before = [layer.u.numpy() for layer in found]
    trainer.run(2)
    assert found
    assert all(not np.array_equal(layer.u.numpy(), u) for layer, u in zip(found, before, strict=True))
