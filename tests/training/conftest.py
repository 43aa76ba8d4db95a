"""A small GAN on a few digits, and strategies of 1, 2 and 4 logical CPU devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gandist.data import Dataset, digits
from gandist.spec.job import JobSpec, expand
from gandist.spec.trial import TrialSpec

IMAGES = 200

TINY: dict[str, Any] = {
    "name": "tiny",
    "data": {"name": "digits", "batch_size": 8},
    "model": {"name": "mlp", "generator_widths": [8], "discriminator_widths": [8], "latent_dim": 6},
    "optimizer": {"learning_rate": 1e-3, "beta_1": 0.5},
    "training": {"steps": 6},
    "resources": {"gpus": 0, "cpus": 1},
}
DCGAN: dict[str, Any] = {"name": "dcgan", "width": 2, "kernel_size": 3, "latent_dim": 6}
"""For what needs convolutions or dropout; it takes twice as long to trace."""


@pytest.fixture(scope="session", autouse=True)
def strategy(devices: None) -> Callable[[int], Any]:
    """``strategy(replicas)``, of up to four."""
    from gandist.training import distribution

    return lambda replicas: distribution.configure(distribution.Threads(1), gpus=0, replicas=replicas)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """The first images of ``digits``."""
    whole = digits.load(digits.Options(), None)
    return Dataset(whole.images[:IMAGES], whole.labels[:IMAGES], whole.class_names)


@pytest.fixture(scope="module")
def one_step_a_block() -> Iterator[None]:
    """So that a test can stop a trial after any step."""
    from gandist.training import trial

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "MAX_BLOCK", 1)
        yield


@pytest.fixture(scope="module")
def compiled_once() -> Iterator[None]:
    """See ``trials.compiled_once``."""
    from tests.training import trials

    with trials.compiled_once():
        yield


def tiny_trial(seed: int = 0, **sections: dict[str, Any]) -> TrialSpec:
    """``TINY`` with sections merged in; a section of another name begins anew."""

    def base(name: str, section: dict[str, Any]) -> dict[str, Any]:
        tiny = TINY.get(name, {})
        return tiny if section.get("name", tiny.get("name")) == tiny.get("name") else {}

    merged = {name: {**base(name, section), **section} for name, section in sections.items()}
    return expand(JobSpec.model_validate({**TINY, **merged, "seeds": [seed]})).trials[0]


@pytest.fixture
def make_trainer(strategy: Callable[[int], Any], dataset: Dataset) -> Callable[..., Any]:
    """``make_trainer(replicas=1, seed=0, **sections)``: a trainer of a tiny trial."""
    from gandist.training.trainer import Trainer

    def make(replicas: int = 1, seed: int = 0, **sections: dict[str, Any]) -> Trainer:
        return Trainer(tiny_trial(seed, **sections), dataset, strategy(replicas))

    return make


def assert_same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """Every array of both is equal in every bit."""
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].tobytes() == other[name].tobytes(), name
