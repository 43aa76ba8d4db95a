"""Networks of the user's own, trained by the steps of a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from gandist.errors import UsageError
from tests.keras_gan.conftest import BATCH, tiny_gan

pytestmark = pytest.mark.usefixtures("devices")


def generator(latents: int = 5, labels: bool = False) -> keras.Model:
    inputs = keras.Input((latents,))
    hidden = layers.BatchNormalization()(layers.Dense(8)(inputs))
    made = layers.Reshape((28, 28, 1))(layers.Dense(784, "tanh")(hidden))
    return keras.Model([inputs, keras.Input((), dtype="int32")] if labels else inputs, made)


def discriminator(*more: layers.Layer, side: int = 28) -> keras.Model:
    return keras.Sequential([keras.Input((side, side, 1)), layers.Flatten(), *more, layers.Dense(1)])


def test_they_are_the_ones_that_are_trained_and_drawn_from(images: np.ndarray) -> None:
    mine, its = generator(), discriminator(layers.Dense(8), layers.Dropout(0.3))
    before = [it.get_weights() for it in (mine, its)]
    gan = tiny_gan(model=None, generator=mine, discriminator=its, regularizers="r1", loss="hinge")
    history = gan.fit(images, batch_size=BATCH, epochs=2, verbose=0).history
    assert (gan.generator, gan.discriminator) == (mine, its)
    for network, old in zip((mine, its), before, strict=True):
        moved = [not np.array_equal(new, was) for new, was in zip(network.get_weights(), old, strict=True)]
        assert all(moved[:2])
    assert np.isfinite(history["d_loss"]).all()
    assert min(history["r1"]) > 0
    assert gan.generate(3).shape == (3, 28, 28, 1)


def test_regularizers_see_them_without_dropout() -> None:
    its = discriminator(layers.Dropout(0.3))
    tiny_gan(model=None, generator=generator(), discriminator=its)
    assert [getattr(layer, "draws", False) for layer in its.layers] == [False, True, False]


NETWORKS: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: {"model": "mlp"}, "model: leave it out with a generator and a discriminator of your own"),
    (lambda: {"discriminator": None}, "discriminator: NoneType; give a keras.Model, functional or Sequ"),
    (lambda: {"generator": keras.Sequential([layers.Dense(4)])}, "generator: Sequential; give a keras.Model"),
    (
        lambda: {"generator": discriminator()},
        r"generator: its input is \[batch, 28, 28, 1\]; give \[batch, n",
    ),
    (
        lambda: {"generator": keras.Sequential([keras.Input((4,)), layers.Dense(4)])},
        r"generator: its output is \[batch, 4\]; give \[batch, height, width, channels\]",
    ),
    (
        lambda: {"discriminator": discriminator(side=8)},
        r"discriminator: its input is \[batch, 8, 8, 1\], the generator makes \[batch, 28, 28, 1\]$",
    ),
    (
        lambda: {"discriminator": keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten()])},
        r"discriminator: its output is \[batch, 784\]; give logits \[batch, 1\]",
    ),
    (
        lambda: {"generator": generator(labels=True)},
        "generator and discriminator: only one of them takes labels",
    ),
    (
        lambda: {"training": {"precision": "mixed_bfloat16"}},
        "training.precision: networks of your own have theirs; leave it out",
    ),
    (
        lambda: {"discriminator": discriminator(layers.BatchNormalization()), "regularizers": "r1"},
        "regularizers: r1 is a gradient per sample: it needs a discriminator without batch norm",
    ),
]
"""Made when a test runs: what is made before would set the process' devices."""


@pytest.mark.parametrize(
    ("networks", "told"), NETWORKS, ids=lambda it: it[:40] if isinstance(it, str) else ""
)
def test_what_does_not_fit_is_refused(networks: Callable[[], dict[str, Any]], told: str) -> None:
    given = {"model": None, "generator": generator(), "discriminator": discriminator(), **networks()}
    with pytest.raises(UsageError, match=f"^{told}"):
        tiny_gan(**given)
