"""The discriminator as it stands, for metrics and for a histogram."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gandist.order import permutation
from gandist.training import judge
from gandist.training.judge import Discriminator
from gandist.training.trainer import Trainer
from tests.training.conftest import DCGAN

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 28, 28, 1), np.uint8)
LABELS = np.arange(10, dtype=np.int32)


def of(trainer: Trainer, classes: int = 0) -> Discriminator:
    made = Discriminator(trainer.trial, trainer.gan, trainer.image_shape, classes)
    made.update()
    return made


def test_it_says_what_the_live_discriminator_says_in_inference_mode(
    make_trainer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "BATCH", 4)
    trainer = make_trainer(model={**DCGAN, "dropout": 0.5})
    found = of(trainer)
    inputs = IMAGES.astype(np.float32) / 127.5 - 1.0
    for _ in range(2):
        logits = trainer.gan.discriminator(inputs, training=False).numpy().ravel().astype(np.float64)
        said = found(IMAGES, LABELS)
        assert (said.shape, said.dtype) == ((10,), np.float64)
        np.testing.assert_allclose(said, 1 / (1 + np.exp(-logits)), rtol=1e-5)
        for variable in trainer.gan.discriminator.trainable_variables:
            variable.assign(variable + 0.1)
        assert not np.allclose(trainer.gan.discriminator(inputs, training=False).numpy().ravel(), logits)
        found.update()


def test_a_conditional_one_judges_images_of_their_classes(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(model={"conditional": True})
    found = of(trainer, classes=10)
    assert not np.array_equal(found(IMAGES, LABELS), found(IMAGES, LABELS[::-1]))


def test_a_discriminator_of_packs_gives_one_value_for_each_in_a_random_order(
    make_trainer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 9 images it is shown 5 packs of 2; the first image that it is shown is the last, too."""
    monkeypatch.setattr(judge, "BATCH", 4)
    trainer = make_trainer(model={"packing": 2})
    order = permutation(0, 0, 9)
    scaled = IMAGES[[*order, order[0]]] / np.float32(127.5) - 1
    packs = np.concatenate([scaled[::2], scaled[1::2]], axis=3)
    logits = trainer.gan.discriminator(packs, training=False).numpy().ravel()
    np.testing.assert_allclose(of(trainer)(IMAGES[:9], LABELS), 1 / (1 + np.exp(-logits)), rtol=1e-5)
    assert order.tolist() != list(range(9))


def test_an_auxiliary_classifier_judges_images_whatever_their_class(
    make_trainer: Callable[..., Any],
) -> None:
    trainer = make_trainer(model={"conditional": True, "class_conditioning": "auxiliary_classifier"})
    found = of(trainer, classes=10)
    np.testing.assert_array_equal(found(IMAGES, LABELS), found(IMAGES, LABELS[::-1]))
