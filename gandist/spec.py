"""What a job file says: ``JobSpec`` as written, ``TrialSpec`` for each of its configurations x seeds.

Sections that have a choice of names (data, model, loss, penalty, optimizer) are assembled from the files of
those packages, so a new architecture or data set is known here as soon as its file exists.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from gandist.errors import SpecError
from gandist.overrides import BUDGETS, CADENCES, configurations, leaves
from gandist.section import Name, Positive, Section, Seed, choice, modules, subclasses
from gandist.spec_errors import explain

if TYPE_CHECKING:
    from gandist.data import DataOptions as Data
    from gandist.losses import LossOptions as Loss
    from gandist.models import ModelOptions as Model
    from gandist.optimizers import OptimizerOptions as Optimizer
    from gandist.penalties import PenaltyOptions as Penalty
else:
    Data = choice([module.Options for module in modules("data")])
    Model = choice([module.Options for module in modules("models")])
    Loss = choice(subclasses(importlib.import_module("gandist.losses").LossOptions))
    Penalty = choice(subclasses(importlib.import_module("gandist.penalties").PenaltyOptions))
    Optimizer = choice(subclasses(importlib.import_module("gandist.optimizers").OptimizerOptions))

MAX_TRIALS = 10_000
MAX_PROBLEMS = 20
SEED_RANGE = r"^\d{1,10}\.\.\d{1,10}$"


class Training(Section):
    """How long, and in which order the two networks are updated. One step is one generator update."""

    epochs: Positive | None = Field(None, description="passes over the data set")
    steps: Positive | None = Field(None, description="generator updates")
    kimg: Annotated[float, Field(gt=0)] | None = Field(
        None, description="thousand real images shown to the discriminator"
    )
    update: Literal["simultaneous", "alternating"] = Field(
        "simultaneous",
        description="simultaneous: both gradients from one forward pass; alternating: discriminator first",
    )
    n_critic: Positive = Field(1, description="discriminator updates per step")
    generator_ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="decay of the exponential moving average of the generator's weights, per step"
    )

    @model_validator(mode="after")
    def _one_budget(self) -> Training:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(BUDGETS)} (given: {', '.join(given) or 'none'})"
            )
        if self.update == "simultaneous" and self.n_critic > 1:
            raise ValueError("n_critic > 1 needs update: alternating")
        return self


class Cadence(Section):
    """Every so many epochs or steps; never both. The last step always counts."""

    every_epochs: Positive | None = None
    every_steps: Positive | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Cadence:
        *units, last = [name for name in CADENCES if name in type(self).model_fields]
        if sum(getattr(self, name) is not None for name in (*units, last)) > 1:
            raise ValueError(f"give {', '.join(units)} or {last}, not both")
        return self

    def epochs_or_steps(self) -> tuple[int, Literal["epochs", "steps"]] | None:
        """The interval and its unit; once an epoch where nothing was given; None for no such interval."""
        return (self.every_steps, "steps") if self.every_steps else (self.every_epochs or 1, "epochs")


class Samples(Cadence):
    """Sample grids: the same latents each time, so that a GIF of them shows the training."""

    rows: Annotated[int, Field(ge=1, le=32)] = 4
    columns: Annotated[int, Field(ge=1, le=32)] = 4


class Checkpoint(Cadence):
    """When a trial can be resumed from, and how many such points are kept."""

    every_minutes: Annotated[float, Field(gt=0)] | None = None
    keep: Positive = 2

    def epochs_or_steps(self) -> tuple[int, Literal["epochs", "steps"]] | None:
        """As for any cadence; None where minutes are counted."""
        return super().epochs_or_steps() if self.every_minutes is None else None


class Resources(Section):
    """What one trial gets, on one node."""

    gpus: Annotated[float, Field(ge=0)] | None = Field(
        None, description="whole, or 1/k to pack k trials on a GPU; one where there are any, else none"
    )
    cpus: Positive = Field(2, description="cores, and TensorFlow's threads")
    replicas: Positive | None = Field(
        None, description="devices of the MirroredStrategy: one per GPU; without GPUs, logical CPU devices"
    )

    @model_validator(mode="after")
    def _whole_or_a_share(self) -> Resources:
        gpus = self.gpus
        if gpus is not None and gpus != int(gpus):
            trials = 1 / gpus  # Ray counts in steps of 1e-4: a hundredth is the smallest share that is one
            if gpus > 1 or trials > 100 or abs(trials - round(trials)) > 1e-6:
                raise ValueError(f"gpus must be whole or 1/k (0.5, 0.25, ... 0.01), not {gpus:g}")
        if gpus and self.replicas is not None and self.replicas != max(1, int(gpus)):
            raise ValueError(f"replicas is one per GPU: {self.replicas} does not fit gpus: {gpus:g}")
        return self


class Schedule(Section):
    """How the trials of a job are run."""

    max_concurrent: Positive | None = Field(None, description="trials at a time; as many as fit")
    max_failures: Annotated[int, Field(ge=0)] = Field(
        3, description="losses of a trial before it ends as failed"
    )
    stall_timeout_s: Annotated[float, Field(gt=0)] = Field(
        600.0, description="seconds without progress after which a trial is killed and requeued"
    )


class TrialSpec(Section):
    """One configuration with one seed: all that a trial needs to know."""

    job: Name
    config: Name
    seed: Seed
    data: Data
    model: Model
    loss: Loss
    penalty: Penalty | None
    optimizer: Optimizer
    training: Training
    samples: Samples
    checkpoint: Checkpoint
    resources: Resources

    @property
    def id(self) -> str:
        """``<config>-seed<k>``: the name of the trial and of its directory."""
        return f"{self.config}-seed{self.seed}"

    @model_validator(mode="after")
    def _fits_together(self) -> TrialSpec:
        replicas = self.resources.replicas or max(1, int(self.resources.gpus or 1))
        if self.data.batch_size % replicas:
            raise ValueError(
                f"data.batch_size: {self.data.batch_size} does not divide among {replicas} replicas"
            )
        if self.penalty is not None and self.model.discriminator_has_batch_norm:
            raise ValueError(
                f"penalty: {self.penalty.name} is a gradient per sample: "
                f"it needs a discriminator without batch norm, which {self.model.name} has"
            )
        return self

    def identity(self) -> str:
        """A hash of what must not change between a trial and its continuation.

        The budget, the cadences and the resources may change; all that shapes the numbers of a step may not.
        """
        fixed = self.model_dump(mode="json", exclude={"samples", "checkpoint", "resources"})
        for budget in BUDGETS:
            del fixed["training"][budget]
        return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]

    def budget(self) -> str:
        """The length as the job file gives it: ``{"epochs":50}``, or ``steps``, or ``kimg``."""
        return self.training.model_dump_json(include={"epochs", "steps", "kimg"}, exclude_none=True)


class JobSpec(Section):
    """A job file: configurations x seeds of a GAN."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    data: Data
    model: Model
    loss: Loss = Field(default_factory=lambda: _default("losses"), validate_default=True)
    penalty: Penalty | None = None
    optimizer: Optimizer = Field(default_factory=lambda: _default("optimizers"), validate_default=True)
    training: Training
    samples: Samples = Samples()
    checkpoint: Checkpoint = Checkpoint()
    configs: dict[Name, dict[str, Any]] = Field(
        {},
        description="named overrides, nested or with dotted paths: {wide: {model.width: 128}}",
        json_schema_extra={"additionalProperties": False},  # but the pattern of a name
    )
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        {},
        description="a grid: dotted path to the values that it takes",
        json_schema_extra={"additionalProperties": {"type": ["array", "object"], "minItems": 1}},
    )
    seeds: Annotated[tuple[Seed, ...], Field(strict=False)] = Field(
        (0,),
        description="a list, a range (0..7), or one seed",
        json_schema_extra={"type": ["array", "string", "integer"], "minItems": 1, "pattern": SEED_RANGE},
    )
    resources: Resources = Resources()
    schedule: Schedule = Schedule()

    @field_validator("seeds", mode="before")
    @classmethod
    def _range(cls, seeds: Any) -> Any:
        if not isinstance(seeds, str):
            return [seeds] if isinstance(seeds, int) and not isinstance(seeds, bool) else seeds
        if not re.fullmatch(SEED_RANGE, seeds, re.ASCII):
            raise ValueError(
                f"{json.dumps(seeds[:60])} is not a range of seeds; write first..last, as in 0..7"
            )
        first, last = map(int, seeds.split(".."))
        if first > last:
            raise ValueError(f"the range {seeds} holds no seed; write the smaller one first")
        if last - first >= MAX_TRIALS:
            raise ValueError(f"{seeds} is {last - first + 1} seeds; a job has at most {MAX_TRIALS} trials")
        return list(range(first, last + 1))

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds:
            raise ValueError("the list is empty; give at least one seed")
        if twice := [seed for seed, times in Counter(seeds).items() if times > 1]:
            raise ValueError(f"{twice[0]} stands twice; give each seed once")
        return seeds

    @field_validator("sweep", mode="before")
    @classmethod
    def _dotted(cls, sweep: Any) -> Any:
        """Nested sections are dotted paths; so ``--set sweep.loss.real_label=[...]`` works."""
        return dict(leaves(sweep)) if isinstance(sweep, dict) else sweep

    @field_validator("loss", "optimizer", mode="before")
    @classmethod
    def _default_name(cls, section: Any, info: ValidationInfo) -> Any:
        """A section with a default may leave out its name: ``optimizer: {learning_rate: 1e-3}``."""
        module = {"loss": "losses", "optimizer": "optimizers"}[str(info.field_name)]
        return {"name": _default(module).name, **section} if isinstance(section, dict) else section

    def base(self) -> dict[str, Any]:
        """The sections that a configuration may override, as plain values."""
        kept = set(TrialSpec.model_fields) - {"job", "config", "seed"}
        return self.model_dump(mode="json", include=kept)


def _default(module: str) -> Any:
    return importlib.import_module(f"gandist.{module}").DEFAULT


def expand(job: JobSpec) -> tuple[TrialSpec, ...]:
    """All trials of ``job``: configurations in the order of the file, seeds within.

    Raises:
        SpecError: a configuration makes no valid trial, two have one name, or there are too many trials.
    """
    counts = (max(1, len(job.configs)), math.prod(map(len, job.sweep.values())), len(job.seeds))
    if math.prod(counts) > MAX_TRIALS:  # before any is made: a grid grows fast
        made = "configs {} x sweep {} x seeds {}".format(*counts)
        raise SpecError([f"{made} make {math.prod(counts)} trials; at most {MAX_TRIALS} are allowed"])
    try:
        configs = configurations(job.base(), job.configs, job.sweep)
    except ValueError as error:
        raise SpecError([str(error)]) from None
    trials: list[TrialSpec] = []
    problems: dict[str, None] = {}  # a set that keeps its order: the points of a grid share their mistakes
    for config in configs:
        values = {**config.sections, "job": job.name, "config": config.name}
        try:
            trials += [TrialSpec.model_validate({**values, "seed": seed}) for seed in job.seeds]
        except ValidationError as error:
            for problem in explain(error, TrialSpec):
                problems[f"{config.where(problem.path)}: {problem.text}"] = None
            if len(problems) >= MAX_PROBLEMS:
                break
    if problems:
        raise SpecError(list(problems))
    return tuple(trials)
