"""The sections of a job file that ``gandist.keras.GAN`` takes, made the settings of a trial."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gandist.errors import UsageError
from gandist.keras import own
from gandist.spec.base import given
from gandist.spec.loading import load_job
from gandist.spec.trial import TrialSpec

Given = str | Mapping[str, Any] | None
Several = str | Sequence[str] | Mapping[str, Any] | None

TRAINING = ("update", "n_critic", "generator_ema", "generator_ema_warmup", "precision", "xla")
"""What of a job's section ``training`` is not for ``fit`` to say, or for a job alone."""
MANY = 10**6
"""Epochs: ``fit`` says how many."""


@dataclass(frozen=True)
class Sections:
    """What was given, not yet validated, but for networks of the user's own."""

    model: Given
    loss: Given
    regularizers: Several
    constraints: Several
    augmentation: Given
    training: Mapping[str, Any] | None
    seed: int
    networks: own.Options | None

    def trial(self, optimizer: Given = None, batch_size: int | None = None) -> TrialSpec:
        """All that the train step needs to know.

        Args:
            optimizer: its section.
            batch_size: images a step; None where it is not known yet: one that suits the model.

        Raises:
            SpecError: a section is wrong; one line per mistake.
            UsageError: it is not for here, or does not suit the networks.
        """
        training = dict(self.training or {})
        if others := [name for name in training if name not in TRAINING]:
            raise UsageError(f"training.{others[0]}: of jobs only; give some of {', '.join(TRAINING)}")
        model = _named(self.model or "dcgan") or {}
        if self.networks is not None:  # whatever has no demands, to validate the other sections beside it
            own_model = self.networks
            model = {"name": "mlp", "latent_dim": own_model.latent_dim, "conditional": own_model.conditional}
        sections = {
            "model": model,
            "loss": _named(self.loss),
            "regularizers": _several(self.regularizers),
            "constraints": _several(self.constraints),
            "augmentation": _named(self.augmentation),
            "optimizer": _named(optimizer),
        }
        trial = load_job(
            {
                "name": "gan",
                # In the place of the images; of this section only the batch size is read.
                "data": {"name": "digits", "batch_size": batch_size or _suiting(model)},
                "training": {**training, "epochs": MANY},
                "seeds": [self.seed],
                "resources": {"cpus": _cores()},
                **{name: section for name, section in sections.items() if section is not None},
            }
        ).trials[0]
        return trial if self.networks is None else self._with_own(trial, self.networks)

    @staticmethod
    def _with_own(trial: TrialSpec, networks: own.Options) -> TrialSpec:
        if trial.training.precision != "float32":
            raise UsageError("training.precision: networks of your own have theirs; leave it out")
        per_sample = [name for name, it in given(trial.regularizers).items() if it.network == "discriminator"]
        if per_sample and own.has_batch_norm(networks.discriminator):
            raise UsageError(
                f"regularizers: {per_sample[0]} is a gradient per sample: it needs a discriminator without "
                "batch norm"
            )
        return trial.model_copy(update={"model": networks})


def _named(section: Given) -> dict[str, Any] | None:
    """``"hinge"`` as ``{"name": "hinge"}``."""
    if section is None:
        return None
    if not isinstance(section, str | Mapping):
        raise UsageError(
            f"{type(section).__name__}: no section of a job file; give a name or a dict, as in "
            '{"name": "adam", "learning_rate": 2e-4}'
        )
    return {"name": section} if isinstance(section, str) else dict(section)


def _several(section: Several) -> dict[str, Any] | None:
    """``"r1"`` and ``["r1"]`` as ``{"r1": {}}``."""
    if section is None or isinstance(section, Mapping):
        return None if section is None else dict(section)
    return {name: {} for name in ([section] if isinstance(section, str) else section)}


def _suiting(model: Mapping[str, Any]) -> int:
    """A batch that divides into halves, packs and groups, as far as these are numbers."""
    sizes = (model.get(name) for name in ("packing", "minibatch_std"))
    return 2 * math.prod(size for size in sizes if isinstance(size, int) and 0 < size <= 2**16)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
