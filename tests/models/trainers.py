"""Trainers of tiny networks of each architecture, on digits with their classes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from gandist.data import Dataset, digits
from gandist.models import ModelOptions
from gandist.spec.job import JobSpec, expand
from gandist.spec.trial import TrialSpec

Model = dict[str, Any] | ModelOptions

DCGAN = {"name": "dcgan", "width": 2, "kernel_size": 3, "latent_dim": 6}
MLP = {"name": "mlp", "generator_widths": [8, 12], "discriminator_widths": [12, 8], "latent_dim": 6}
R3GAN = {"name": "r3gan", "widths": [4, 2], "blocks": 1, "group_size": 2, "latent_dim": 6}
RESNET: dict[str, Any] = {
    "name": "resnet",
    "latent_dim": 6,
    "generator_widths": [4, 3],
    "discriminator_widths": [3, 4],
    "halvings": 1,
    "spectral_norm": True,
    "pooling": "mean",
}
STYLEGAN2 = {"name": "stylegan2", "latent_dim": 6, "embedding_dim": 4, "channel_base": 56, "channel_max": 4}
HALF_BATCHES = {"training": {"update": "half_batches"}, "loss": {"combine": "mean"}}

_TINY: dict[str, Any] = {
    "name": "tiny",
    "data": {"name": "digits", "batch_size": 8},
    "optimizer": {"learning_rate": 1e-3, "beta_1": 0.5},
    "training": {"steps": 6},
    "resources": {"gpus": 0, "cpus": 1},
}


@functools.cache
def labelled_digits() -> Dataset:
    """The first 200."""
    whole = digits.load(digits.Options(), None)
    return Dataset(whole.images[:200], whole.labels[:200], whole.class_names)


def tiny_trial(model: Model, seed: int = 0, **sections: dict[str, Any]) -> TrialSpec:
    """A trial of ``model``, one of gandist's or any other; sections are merged into it."""
    merged = {name: {**_TINY.get(name, {}), **section} for name, section in sections.items()}
    known = DCGAN if isinstance(model, ModelOptions) else model
    trial = expand(JobSpec.model_validate({**_TINY, **merged, "model": known, "seeds": [seed]})).trials[0]
    return trial.model_copy(update={"model": model}) if isinstance(model, ModelOptions) else trial


def tiny_trainer(
    model: Model,
    replicas: int = 1,
    seed: int = 0,
    dataset: Dataset | None = None,
    **sections: dict[str, Any],
) -> Any:
    """A trainer of it, on ``labelled_digits`` by default; needs the fixture ``devices``."""
    from gandist.training import distribution
    from gandist.training.trainer import Trainer

    strategy = distribution.configure(distribution.Threads(1), gpus=0, replicas=replicas)
    return Trainer(tiny_trial(model, seed, **sections), dataset or labelled_digits(), strategy)


def assert_replicas_train_as_one(model: Model, **sections: dict[str, Any]) -> None:
    """Six steps of one replica and of two give the same rows and weights, but for the order of additions."""
    one, two = (tiny_trainer(model, replicas, **sections) for replicas in (1, 2))
    expected, found = one.run(6), two.run(6)
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column, rtol=2e-4, err_msg=name)
    weights = two.state()
    for name, value in one.state().items():
        np.testing.assert_allclose(weights[name], value, atol=2e-4, err_msg=name)
    # Every copy of a mirrored variable is the same, or a checkpoint of the first would not be the whole.
    for variable in two.gan.discriminator.variables:
        first, second = (copy.numpy() for copy in variable.value.values)
        np.testing.assert_array_equal(first, second, err_msg=variable.path)


def assert_continues_with_the_same_bits(model: Model, **sections: dict[str, Any]) -> None:
    """Six steps at once end as three, a state taken over by another trainer, and three more."""
    one, other = (tiny_trainer(model, **sections) for _ in range(2))
    start = one.state()
    rows, end = one.run(6), one.state()
    one.load_state(start)
    one.run(3)
    other.load_state(one.state())
    for name, column in other.run(6).items():
        assert column.tobytes() == rows[name][3:].tobytes(), name
    for name, value in other.state().items():
        assert value.tobytes() == end[name].tobytes(), name
