"""What one trial is told: a configuration of a job with one seed, and what does not go together in it.

Sections that have a choice of names are assembled from the files of their packages, so a new architecture or
loss is known here as soon as its file exists.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, model_validator

from gandist import constraints, regularizers
from gandist.augmentations import AnyAugmentation
from gandist.constraints import Constraints
from gandist.data import Data
from gandist.losses import Loss, SeparableLoss
from gandist.models import Model
from gandist.optimizers import Optimizer
from gandist.regularizers import Regularizers
from gandist.spec.base import MAY_CHANGE, Name, Section, Seed, fixed, given
from gandist.spec.renamed import migrated
from gandist.spec.sections import Checkpoint, Evaluation, Resources, Samples, Training
from gandist.updates import RULES


class TrialSpec(Section):
    """One configuration with one seed: all that a trial needs to know."""

    job: Name
    config: Name
    seed: Seed
    data: Data
    model: Model
    loss: Loss
    regularizers: Regularizers = regularizers.NONE
    constraints: Constraints = constraints.NONE
    augmentation: AnyAugmentation | None = None
    optimizer: Optimizer
    training: Training
    samples: Annotated[Samples, MAY_CHANGE]
    evaluation: Annotated[Evaluation | None, MAY_CHANGE]
    checkpoint: Annotated[Checkpoint, MAY_CHANGE]
    resources: Annotated[Resources, MAY_CHANGE]
    plugins: dict[str, str] = Field(
        {}, exclude_if=operator.not_, description="those that shape its training, and their versions"
    )
    pause_kimg: Annotated[float | None, MAY_CHANGE] = Field(None, exclude=True)
    """Where it waits for other configurations; what the runner says, and no setting."""

    @property
    def id(self) -> str:
        """``<config>-seed<k>``: the name of the trial and of its directory."""
        return f"{self.config}-seed{self.seed}"

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, sections: Any) -> Any:
        return migrated(sections) if isinstance(sections, dict) else sections

    @property
    def _replicas(self) -> int:
        return self.resources.replicas or max(1, int(self.resources.gpus or 1))

    @model_validator(mode="after")
    def _fits_together(self) -> TrialSpec:
        replicas = self._replicas
        halves = 2 if self.training.rule.halves else 1
        if self.data.batch_size % (halves * replicas):
            part = "half of " if halves == 2 else ""
            raise ValueError(
                f"data.batch_size: {part}{self.data.batch_size} does not divide among {replicas} replicas"
            )
        if self.training.xla and replicas > 1:
            raise ValueError(f"training.xla: compiles for one replica, not for {replicas}; leave it out")
        for reason in (*self._remainders(), *self._contradictions()):
            raise ValueError(reason)
        return self

    def _remainders(self) -> Iterator[str]:
        """What does not divide the images that the discriminator sees at once, of a replica."""
        images = self.training.real_batch(self.data.batch_size) // self._replicas
        packing, group = self.model.packing, self.model.minibatch_std
        sees = "that the discriminator of a replica sees at once; give a divisor"
        if images % packing:
            yield f"model.packing: packs of {packing} do not divide the {images} images {sees}"
        packs, unit = images // packing, "packs" if packing > 1 else "images"
        if group is not None and packs % group:
            yield f"model.minibatch_std: groups of {group} do not divide the {packs} {unit} {sees}"

    def _contradictions(self) -> Iterator[str]:
        """What makes no sense together, and why."""
        model, rule = self.model, self.training.update
        regularizers, constraints = given(self.regularizers), given(self.constraints)
        joint = ", ".join(name for name, other in RULES.items() if other.joint)
        for name, options in regularizers.items():
            if options.network != "discriminator":
                continue
            if model.discriminator_has_batch_norm:
                yield (
                    f"regularizers: {name} is a gradient per sample: "
                    f"it needs a discriminator without batch norm, which {model.name} has"
                )
            if not self.training.rule.joint:
                yield (
                    f"regularizers: {name} needs real and generated images in one update, which "
                    f"training.update: {rule} has not; give one of {joint}"
                )
        if not self.training.rule.joint and not isinstance(self.loss, SeparableLoss):
            yield (
                f"loss: {self.loss.name} compares real with generated images, which training.update: {rule} "
                f"has in updates of their own; give one of {joint}"
            )
        if self.optimizer.needs_lazy_regularizers and all(
            options.every == 1 for options in regularizers.values()
        ):
            yield (
                "optimizer.lazy_correction: no regularizer is lazy; leave it out, or give one an interval: "
                "regularizers: {r1: {every: 16}}"
            )
        bounded = model.spectral_norm or any(
            options.bounds_the_slope for options in (*regularizers.values(), *constraints.values())
        )
        if self.loss.needs_a_lipschitz_critic and not bounded:
            yield (
                f"loss: {self.loss.name} is unbounded without a limit to the critic's slope; give "
                "regularizers: {gradient_penalty: {}}, constraints: {weight_clipping: {}}, "
                "or model.spectral_norm: true"
            )

    def identity(self) -> str:
        """A hash of all that is not marked with ``MAY_CHANGE``. Equal hashes: a continuation.

        Of two that differ, ``continuation.differences`` tells: one may be of an earlier version.
        """
        return hashlib.sha256(json.dumps(fixed(self), sort_keys=True).encode()).hexdigest()[:16]

    def budget(self) -> str:
        """The length as the job file gives it: ``{"epochs":50}``, or ``steps``, or ``kimg``."""
        return self.training.model_dump_json(include={"epochs", "steps", "kimg"}, exclude_none=True)
