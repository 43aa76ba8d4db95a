"""In which order each rule updates the networks, and on what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gandist.randomness import Randomness
from gandist.spec.schedules import Clock
from gandist.updates import RULES

pytestmark = pytest.mark.usefixtures("devices")

STEP = 3


class FakePlayer:
    """Writes down its updates."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._name, self._log = name, log

    def prepare(self) -> None:
        self._log.append(f"{self._name} prepares")

    def apply(self, _: tf.GradientTape, terms: Any, update: Any, clock: Clock) -> dict[str, Any]:
        assert clock.step == STEP
        self._log.append(f"{self._name} update {int(update)} of {terms}")
        return {"d_loss": float(int(update)), f"{self._name}_grad_norm": 1.0}

    def latest(self, before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
        return before | now


class FakeGAN:
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.discriminator_player = FakePlayer("d", self.log)
        self.generator_player = FakePlayer("g", self.log)

    def generate(self, *_: Any, training: bool = True) -> str:
        self.log.append("generate" if training else "generate in inference mode")
        return "fake"

    def discriminator_terms(self, images: Any, fake: str, labels: Any, *_: Any) -> Any:
        assert (fake, list(images)) == ("fake", list(labels))
        return SimpleNamespace(real="real logits", fake="fake logits", __str__=str)

    def real_terms(self, images: Any, labels: Any, *_: Any) -> str:
        assert list(images) == list(labels)
        return "real"

    def fake_terms(self, fake: str, *_: Any) -> str:
        return fake

    def generator_terms(self, fake: str, real: str, *_: Any) -> str:
        assert (fake, real) == ("fake logits", "real logits")
        return "both"

    def update_generator(self, labels: Any, _: Randomness, __: Clock, images: Any = None) -> dict[str, Any]:
        beside = "none" if images is None else list(map(int, images))
        self.log.append(f"g update on labels {list(map(int, labels))} beside real {beside}")
        return {"g_loss": 1.0}


def updated(rule: str, n_critic: int = 1) -> tuple[list[str], dict[str, Any]]:
    """The log and the figures of one step, whose real images are as their labels: k0, k1 of update k."""
    numbers = np.array([[10 * k, 10 * k + 1] for k in range(n_critic)])
    gan, clock = FakeGAN(), Clock(STEP, 8)  # type: ignore[arg-type]  # a plain number will do
    batch = SimpleNamespace(images=numbers, labels=numbers)
    figures = RULES[rule].step(gan, batch, Randomness(0, tf.constant(STEP, tf.int64)), clock)  # type: ignore[arg-type]
    return [line.partition(" of namespace")[0] for line in gan.log], dict(figures)


def test_simultaneous_takes_both_gradients_before_either_network_moves() -> None:
    log, figures = updated("simultaneous")
    assert log == ["d prepares", "generate", "g update 3 of both", "d update 3"]
    assert {"d_grad_norm", "g_grad_norm"} <= figures.keys()


def test_alternating_updates_the_discriminator_n_critic_times_then_the_generator() -> None:
    """Each has images of its own; the generator's stand beside the last real ones."""
    log, figures = updated("alternating", n_critic=2)
    assert log == [
        *("d prepares", "generate", "d update 6"),
        *("d prepares", "generate", "d update 7"),
        "g update on labels [10, 11] beside real [10, 11]",
    ]
    assert {"d_loss": 7.0, "g_loss": 1.0}.items() <= figures.items()


def test_half_batches_are_two_updates_of_the_discriminator_and_a_whole_batch_of_the_generator() -> None:
    log, figures = updated("half_batches", n_critic=2)
    assert log == [
        *("d prepares", "d update 12 of real"),
        *("d prepares", "generate in inference mode", "d update 13 of fake"),
        *("d prepares", "d update 14 of real"),
        *("d prepares", "generate in inference mode", "d update 15 of fake"),
        "g update on labels [10, 10, 11, 11] beside real none",
    ]
    assert figures["d_loss"] == 14.0 + 15.0


def test_what_a_job_file_is_told_of_them() -> None:
    assert list(RULES) == ["alternating", "half_batches", "simultaneous"]
    told = {name: (rule.joint, rule.several, rule.halves) for name, rule in RULES.items()}
    assert told == {
        "alternating": (True, True, False),
        "half_batches": (False, True, True),
        "simultaneous": (True, False, False),
    }
