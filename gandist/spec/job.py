"""What a job file says: ``JobSpec`` as written, and the ``Job`` that holds it with all of its trials."""

from __future__ import annotations

import json
import math
import operator
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from gandist import constraints, losses, optimizers, regularizers
from gandist.augmentations import AnyAugmentation
from gandist.constraints import Constraints
from gandist.data import Data
from gandist.errors import SpecError
from gandist.losses import Loss
from gandist.models import Model
from gandist.optimizers import Optimizer
from gandist.regularizers import Regularizers
from gandist.spec.base import Name, Section, Seed
from gandist.spec.messages import explain
from gandist.spec.overrides import configurations, leaves
from gandist.spec.pruning import Pruning
from gandist.spec.renamed import PENALTY, advice
from gandist.spec.sections import Checkpoint, Evaluation, Resources, Samples, Schedule, Training
from gandist.spec.trial import TrialSpec
from gandist.spec.variants import Plugin

MAX_TRIALS = 10_000
MAX_PROBLEMS = 20
SEED_RANGE = r"^\d{1,10}\.\.\d{1,10}$"


class JobSpec(Section):
    """A job file: configurations x seeds of a GAN."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] = Field("", description="stands in the report")
    data: Data
    model: Model
    loss: Loss = losses.DEFAULT
    regularizers: Regularizers = regularizers.NONE
    constraints: Constraints = constraints.NONE
    augmentation: AnyAugmentation | None = None
    optimizer: Optimizer = optimizers.DEFAULT
    training: Training
    samples: Samples = Samples()
    evaluation: Evaluation | None = None
    pruning: Pruning | None = None
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
    plugins: dict[str, str | None] = Field(
        {},
        exclude_if=operator.not_,
        description="code that the job needs beside gandist, and its version (null: any); it runs only where "
        "--plugin allows it",
    )

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, sections: Any) -> Any:
        if isinstance(sections, dict) and PENALTY in sections:
            raise ValueError(f"{PENALTY}: {advice(sections[PENALTY])}")
        return sections

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
        names = {"loss": losses.DEFAULT.name, "optimizer": optimizers.DEFAULT.name}
        return {"name": names[str(info.field_name)], **section} if isinstance(section, dict) else section

    def base(self) -> dict[str, Any]:
        """The sections that a configuration may override, as plain values."""
        kept = set(TrialSpec.model_fields) - {"job", "config", "seed", "plugins"}
        return self.model_dump(mode="json", include=kept)


@dataclass(frozen=True)
class Job:
    """A valid job, as ``expand`` makes it, once: what its file says, and what that amounts to."""

    spec: JobSpec
    trials: tuple[TrialSpec, ...]
    """Configurations in the order of the file, seeds within."""
    points: dict[str, dict[str, Any]]
    """By configuration: the entry of ``configs`` and the values of ``sweep`` that it was made of."""
    folder: Path | None = field(default=None, compare=False)
    """Where the job file lies, if it is one."""
    plugins: tuple[Plugin, ...] = ()
    """That it may use: those that it was loaded with."""

    def located(self, data_dir: str | None) -> Job:
        """With the place of the user's own data made absolute, where it lies beside the job file or here."""
        folders = [*([self.folder] if self.folder else []), Path()]
        below = Path(data_dir) if data_dir else None

        def located(section: JobSpec | TrialSpec) -> dict[str, Any]:
            return {"data": section.data.located(folders, below)}

        trials = tuple(trial.model_copy(update=located(trial)) for trial in self.trials)
        return replace(self, spec=self.spec.model_copy(update=located(self.spec)), trials=trials)

    def __str__(self) -> str:
        """``mnist_rates: 2 configurations x 4 seeds = 8 trials``."""
        counts = (
            (len(self.points), "configuration"),
            (len(self.spec.seeds), "seed"),
            (len(self.trials), "trial"),
        )
        product = "{} x {} = {}".format(*(f"{count} {noun}{'s'[: count > 1]}" for count, noun in counts))
        return f"{self.spec.name}: {product}"


def expand(job: JobSpec) -> Job:
    """``job`` with all its trials.

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
    if job.pruning and not problems:
        problems |= dict.fromkeys(job.pruning.problems({trial.config: trial.evaluation for trial in trials}))
    if problems:
        raise SpecError(list(problems))
    return Job(job, tuple(trials), {config.name: config.point for config in configs})
