"""What a job file says: ``JobSpec`` as written, ``TrialSpec`` for each of its configurations x seeds.

Sections that have a choice of names (data, model, loss, penalty, optimizer) are assembled from the files of
those packages, so a new architecture or data set is known here as soon as its file exists.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from gandist import data, losses, models, optimizers, penalties
from gandist.errors import SpecError
from gandist.spec.base import MAY_CHANGE, Name, Section, Seed, choice, fixed, modules, subclasses
from gandist.spec.messages import explain
from gandist.spec.overrides import configurations, leaves
from gandist.spec.sections import Checkpoint, Evaluation, Resources, Samples, Schedule, Training

if TYPE_CHECKING:
    from gandist.data import DataOptions as Data
    from gandist.losses import LossOptions as Loss
    from gandist.models import ModelOptions as Model
    from gandist.optimizers import OptimizerOptions as Optimizer
    from gandist.penalties import PenaltyOptions as Penalty
else:
    Data = choice([module.Options for module in modules(data)])
    Model = choice([module.Options for module in modules(models)])
    Loss = choice(subclasses(losses.LossOptions))
    Penalty = choice(subclasses(penalties.PenaltyOptions))
    Optimizer = choice(subclasses(optimizers.OptimizerOptions))

MAX_TRIALS = 10_000
MAX_PROBLEMS = 20
SEED_RANGE = r"^\d{1,10}\.\.\d{1,10}$"


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
    samples: Annotated[Samples, MAY_CHANGE]
    evaluation: Annotated[Evaluation | None, MAY_CHANGE]
    checkpoint: Annotated[Checkpoint, MAY_CHANGE]
    resources: Annotated[Resources, MAY_CHANGE]

    @property
    def id(self) -> str:
        """``<config>-seed<k>``: the name of the trial and of its directory."""
        return f"{self.config}-seed{self.seed}"

    @model_validator(mode="after")
    def _fits_together(self) -> TrialSpec:
        replicas = self.resources.replicas or max(1, int(self.resources.gpus or 1))
        halves = 2 if self.training.update == "half_batches" else 1
        if self.data.batch_size % (halves * replicas):
            part = "half of " if halves == 2 else ""
            raise ValueError(
                f"data.batch_size: {part}{self.data.batch_size} does not divide among {replicas} replicas"
            )
        for reason in self._contradictions():
            raise ValueError(reason)
        return self

    def _contradictions(self) -> Iterator[str]:
        """What makes no sense together, and why."""
        penalty, model = self.penalty, self.model
        if penalty is not None and penalty.of_gradients:
            if model.discriminator_has_batch_norm:
                yield (
                    f"penalty: {penalty.name} is a gradient per sample: "
                    f"it needs a discriminator without batch norm, which {model.name} has"
                )
            if self.training.update == "half_batches":
                yield (
                    f"penalty: {penalty.name} needs real and generated images in one update, which "
                    "training.update: half_batches has not; give simultaneous or alternating"
                )
        bounded = model.spectral_norm or (penalty is not None and penalty.bounds_the_slope)
        if self.loss.needs_a_lipschitz_critic and not bounded:
            yield (
                f"loss: {self.loss.name} is unbounded without a limit to the critic's slope; give penalty: "
                "gradient_penalty or weight_clipping, or model.spectral_norm: true"
            )

    def identity(self) -> str:
        """A hash of all that is not marked with ``MAY_CHANGE``. Equal hashes: a continuation.

        Of two that differ, ``continuation.differences`` tells: one may be of an earlier version.
        """
        return hashlib.sha256(json.dumps(fixed(self), sort_keys=True).encode()).hexdigest()[:16]

    def budget(self) -> str:
        """The length as the job file gives it: ``{"epochs":50}``, or ``steps``, or ``kimg``."""
        return self.training.model_dump_json(include={"epochs", "steps", "kimg"}, exclude_none=True)


class JobSpec(Section):
    """A job file: configurations x seeds of a GAN."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    data: Data
    model: Model
    loss: Loss = Field(default_factory=lambda: losses.DEFAULT, validate_default=True)
    penalty: Penalty | None = None
    optimizer: Optimizer = Field(default_factory=lambda: optimizers.DEFAULT, validate_default=True)
    training: Training
    samples: Samples = Samples()
    evaluation: Evaluation | None = None
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
        default: Any = {"loss": losses.DEFAULT, "optimizer": optimizers.DEFAULT}[str(info.field_name)]
        return {"name": default.name, **section} if isinstance(section, dict) else section

    def base(self) -> dict[str, Any]:
        """The sections that a configuration may override, as plain values."""
        kept = set(TrialSpec.model_fields) - {"job", "config", "seed"}
        return self.model_dump(mode="json", include=kept)


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
