"""What a job will compute and, where steps of it are tried, how long that takes here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gandist.data import DataOptions, Dataset
from gandist.spec.budget import Budget
from gandist.spec.job import Job
from gandist.spec.sections import Resources
from gandist.spec.trial import TrialSpec
from gandist.training import hardware
from gandist.training.bench import bench, sizes
from gandist.training.trainer import Trainer


@dataclass(frozen=True)
class Forecast:
    """One configuration's, for each of its seeds.

    Attributes:
        figures: ``sizes``, and those of ``bench`` where steps were tried.
    """

    config: str
    seeds: int
    steps: int
    images: int
    figures: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Of training, without evaluations; 0 where no steps were tried."""
        return self.steps * self.figures.get("ms_per_step", 0.0) / 1000


def forecasts(job: Job, found: Mapping[DataOptions, Dataset], tried: int = 0) -> Iterator[Forecast]:
    """One after the other for each configuration of ``job``.

    Args:
        job: as validated.
        found: its data sets.
        tried: steps to train of each, on the devices that it asks for.

    Raises:
        UsageError: an architecture does not fit its images.
        RunError: a trial's devices are not there.
        ProcessError: configurations to try differ in what a process computes with.
    """
    known: dict[str, dict[str, float]] = {}  # a sweep over rates need not be counted point by point
    for config in job.points:
        of_config = [trial for trial in job.trials if trial.config == config]
        trial, dataset = of_config[0], found[of_config[0].data]
        budget = Budget(trial.training, trial.data.batch_size, len(dataset))
        key = trial.model_dump_json(exclude={"config", "seed", "optimizer", "samples", "evaluation"})
        if key not in known:
            known[key] = bench(trial, dataset, tried) if tried else _sizes_alone(trial, dataset)
        yield Forecast(config, len(of_config), budget.total_steps, budget.images, known[key])


def _sizes_alone(trial: TrialSpec, dataset: Dataset) -> dict[str, float]:
    """``sizes`` of the whole batch, whatever devices it is meant for."""
    alone = trial.model_copy(update={"resources": Resources(gpus=0, cpus=1)})
    return sizes(Trainer(alone, dataset, hardware.strategy(alone.resources)))
