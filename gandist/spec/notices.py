"""What of a job is allowed and probably not meant: a line each, told by whoever is about to run it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized

from gandist import features, metrics
from gandist.data import DataOptions, Dataset
from gandist.metrics import Need
from gandist.spec.advice import advice
from gandist.spec.base import Section
from gandist.spec.budget import Budget
from gandist.spec.job import Job
from gandist.spec.overrides import BUDGETS
from gandist.spec.sections import Cadence
from gandist.spec.trial import TrialSpec

MANY_SEEDS = 100
"""A number that hardly anyone means as a count of seeds."""


def notices(job: Job, trials: Sequence[TrialSpec], found: Mapping[DataOptions, Sized]) -> list[str]:
    """What a person should know of ``job`` before it runs.

    Args:
        job: as validated.
        trials: those of its that will be run.
        found: the data sets, as far as they are known.
    """
    lines: dict[str, None] = {}
    if len(job.spec.seeds) == 1 and 1 < (seed := job.spec.seeds[0]) < MANY_SEEDS:
        lines[f"seeds: one seed, number {seed}; for {seed} seeds write 0..{seed - 1}"] = None
    configs: dict[str, dict[str, None]] = {}
    for trial in trials:
        images = len(found[trial.data]) if trial.data in found else None
        for line in (
            *_beyond_the_end(trial, images),
            *of_data(trial, images),
            *_without_values(trial, found.get(trial.data)),
            *_without_effect(trial),
            *advice(trial, getattr(found.get(trial.data), "image_shape", None), images),
        ):
            configs.setdefault(line, {})[trial.config] = None
    every = len({trial.config for trial in trials})
    for line, having in configs.items():
        first, *others = having
        more = f" and {len(others)} more" if others else ""
        lines[line if len(having) == every else f"{first}{more}: {line}"] = None
    return list(lines)


def of_data(trial: TrialSpec, images: int | None) -> Iterator[str]:
    """What does not fit the number of ``images``."""
    batch = trial.data.batch_size
    if images is not None and batch > images:
        yield f"data.batch_size: {batch:,} is more than the {images:,} images: a step sees some of them twice"


def _without_effect(trial: TrialSpec) -> Iterator[str]:
    """Options that were given and that nothing reads."""
    sections: dict[str, Section | None] = {"model": trial.model, "augmentation": trial.augmentation}
    for name, section in sections.items():
        if section is None:
            continue
        for option, why in section.idle():
            if getattr(section, option) != type(section).model_fields[option].default:
                yield f"{name}.{option} has no effect {why}"


def _without_values(trial: TrialSpec, data: Sized | None) -> Iterator[str]:
    """Metrics that need what the trial has not."""
    if trial.evaluation is None:
        return
    missing = {Need.UNCONDITIONAL if trial.model.conditional else Need.CONDITIONAL}
    if features.chosen(trial.evaluation.features, trial.data).classifies is False:
        missing.add(Need.LOGITS)
    if isinstance(data, Dataset) and not len(data.held_out):
        missing.add(Need.HELD_OUT)
    used = dict.fromkeys(trial.evaluation.metrics, "metrics")
    if trial.evaluation.select:
        used[trial.evaluation.select] = "select"
    for name, field in used.items():
        lacking = [need.value for need in Need if need in missing & metrics.needs(name)]
        if lacking:
            yield f"evaluation.{field}: {name} gives no values without {' and '.join(lacking)}"


def _beyond_the_end(trial: TrialSpec, images: int | None) -> Iterator[str]:
    """Cadences of which nothing comes before the last step."""
    training = trial.training
    unit = next(name for name in BUDGETS if getattr(training, name) is not None)
    end = f"beyond the end of training.{unit}: {getattr(training, unit):g}"
    budget = Budget(training, trial.data.batch_size, images) if images is not None else None

    def is_beyond(number: float, counted: str) -> bool:
        if budget is not None:
            # In images, of which the last step may be shown more than were asked for.
            images = {"steps": budget.images_per_step, "epochs": budget.size, "kimg": 1000}[counted]
            return number * images > budget.images
        return counted == unit and number > getattr(training, unit)

    sections: dict[str, Cadence | None] = {
        "samples": trial.samples,
        "evaluation": trial.evaluation,
        "checkpoint": trial.checkpoint,
    }
    for name, cadence in sections.items():
        if cadence is None:
            continue
        for epoch in cadence.chosen_epochs():
            if is_beyond(epoch, "epochs"):
                yield f"{name}.at_epochs: {epoch:,} is {end}"
        if (every := cadence.interval()) is not None:
            number, counted = every
            if getattr(cadence, f"every_{counted}") is not None and is_beyond(number, counted):
                yield f"{name}.every_{counted}: {number:,} is {end}: only the last step counts"
    stopping = training.early_stopping
    if stopping is not None and is_beyond(stopping.window, "steps"):
        yield f"training.early_stopping.window: {stopping.window:,} steps is {end}: it never applies"
