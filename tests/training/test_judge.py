"""The discriminator as it stands, for metrics and for a histogram."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

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
