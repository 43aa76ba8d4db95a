"""Conditional networks in training: labels reach both, and images are of the class that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from gandist.data import Dataset
from gandist.errors import UsageError
from tests.models.trainers import (
    DCGAN,
    HALF_BATCHES,
    MLP,
    assert_continues_with_the_same_bits,
    assert_replicas_train_as_one,
    labelled_digits,
    tiny_trainer,
)

CONDITIONAL = {"conditional": True, "embedding_dim": 3}
MODELS = [{**DCGAN, **CONDITIONAL}, {**MLP, **CONDITIONAL}]
both = pytest.mark.parametrize(
    "model",
    [pytest.param(MODELS[0], id="dcgan", marks=pytest.mark.slow), pytest.param(MODELS[1], id="mlp")],
)
N_CRITIC_AND_EMA = {"training": {"update": "alternating", "n_critic": 2, "generator_ema": 0.9}}
R1 = {"regularizers": {"r1": {"gamma": 1.0}}}
# test_update_rules.py has a conditional MLP; the other pairs before a release.
trained_in_every_way = pytest.mark.parametrize(
    ("model", "sections"),
    [
        pytest.param(MODELS[0], R1, id="dcgan-simultaneous_r1"),
        pytest.param(MODELS[1], HALF_BATCHES, id="mlp-half_batches", marks=pytest.mark.slow),
        pytest.param(MODELS[0], N_CRITIC_AND_EMA, id="dcgan-n_critic", marks=pytest.mark.slow),
        pytest.param(MODELS[0], HALF_BATCHES, id="dcgan-half_batches", marks=pytest.mark.slow),
        pytest.param(MODELS[1], R1, id="mlp-simultaneous_r1", marks=pytest.mark.slow),
        pytest.param(MODELS[1], N_CRITIC_AND_EMA, id="mlp-n_critic", marks=pytest.mark.slow),
    ],
)


@trained_in_every_way
def test_replicas_train_as_one(model: dict[str, Any], sections: dict[str, Any]) -> None:
    assert_replicas_train_as_one(model, **sections)


@trained_in_every_way
def test_a_continued_trainer_ends_with_the_same_bits(model: dict[str, Any], sections: dict[str, Any]) -> None:
    assert_continues_with_the_same_bits(model, **sections)


@both
def test_labels_matter_to_both_networks(model: dict[str, Any]) -> None:
    """Training on other labels goes another way from the first step."""
    digits = labelled_digits()
    others = Dataset(digits.images, (digits.labels + 1) % 10, digits.class_names)
    one, other = tiny_trainer(model).run(1), tiny_trainer(model, dataset=others).run(1)
    for name in ("d_loss_real", "d_loss_fake", "g_loss"):
        assert one[name] != other[name], name


def test_an_unconditional_network_does_not_look_at_labels() -> None:
    digits = labelled_digits()
    others = Dataset(digits.images, (digits.labels + 1) % 10, digits.class_names)
    one, other = tiny_trainer(MLP).run(1), tiny_trainer(MLP, dataset=others).run(1)
    assert one["d_loss"] == other["d_loss"]


def test_data_without_classes_is_refused() -> None:
    digits = labelled_digits()
    with pytest.raises(UsageError, match=r"model\.conditional: the data set has no classes"):
        tiny_trainer(MODELS[1], dataset=Dataset(digits.images, digits.labels))


def test_every_class_learns_an_embedding_of_its_own() -> None:
    """Of the classes that were shown, and no others."""
    digits = labelled_digits()
    few = Dataset(digits.images, digits.labels % 3, tuple("abcde"))
    trainer = tiny_trainer(MODELS[1], dataset=few)
    networks = (trainer.gan.generator, trainer.gan.discriminator)

    def tables() -> list[np.ndarray]:
        return [
            layer.embeddings.numpy()
            for network in networks
            for layer in network.layers
            if isinstance(layer, keras.layers.Embedding)
        ]

    before = tables()
    trainer.run(4)
    assert len(before) == 2
    for start, end in zip(before, tables(), strict=True):
        assert start.shape[0] == 5
        assert (start != end).any(axis=1).tolist() == [True, True, True, False, False]


@both
def test_the_exported_generator_takes_labels_and_is_the_sampler_s(
    model: dict[str, Any], tmp_path: Path
) -> None:
    from gandist.sampling.sampler import Sampler

    trainer = tiny_trainer(model, 2, training={"generator_ema": 0.9})
    trainer.run(3)
    sampler = Sampler(trainer.trial, trainer.image_shape, classes=10)
    sampler.update(trainer.gan, trainer.step)
    (tmp_path / "generator.keras").write_bytes(sampler.export())
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)
    latents, labels = sampler.latents(12), np.full(12, 7, np.int32)
    made = np.clip(np.rint((loaded([latents, labels]).numpy() + 1.0) * 127.5), 0, 255)
    np.testing.assert_array_equal(made, sampler.generate(latents, labels))
    assert not np.array_equal(made, sampler.generate(latents))  # of all classes in turn


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="projection"),
        pytest.param({"spectral_norm": True}, id="spectral_norm", marks=pytest.mark.slow),
        pytest.param({"class_conditioning": "auxiliary_classifier"}, id="classifier", marks=pytest.mark.slow),
    ],
)
def test_images_are_of_the_class_that_was_asked_for(options: dict[str, Any]) -> None:
    """Four classes of flat images, bright in one quarter each."""
    from gandist.sampling.sampler import Sampler

    images = np.full((64, 8, 8, 1), 20, np.uint8)
    labels = np.arange(64, dtype=np.int32) % 4
    for image, label in zip(images, labels, strict=True):
        row, column = 4 * (label // 2), 4 * (label % 2)
        image[row : row + 4, column : column + 4] = 230
    model = {
        "name": "mlp",
        "generator_widths": [32],
        "discriminator_widths": [32],
        "latent_dim": 4,
        "conditional": True,
        **options,
    }
    trainer = tiny_trainer(
        model,
        dataset=Dataset(images, labels, tuple("abcd")),
        data={"batch_size": 32},
        optimizer={"learning_rate": 5e-3},
        training={"steps": 300},
    )
    trainer.run(300)
    sampler = Sampler(trainer.trial, trainer.image_shape, classes=4)
    sampler.update(trainer.gan, trainer.step)
    asked = np.repeat(np.arange(4, dtype=np.int32), 16)
    made = sampler.generate(sampler.latents(64), asked).astype(np.float32)
    distance = np.abs(made[:, None] - images[None, :4].astype(np.float32)).mean(axis=(2, 3, 4))
    assert (distance.argmin(axis=1) == asked).all()
