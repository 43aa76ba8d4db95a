"""What a job will cost, before it is run: networks, steps, images."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gandist import data, models
from gandist.data import Dataset
from gandist.spec import TrialSpec


@dataclass(frozen=True)
class Cost:
    """One configuration's, for each of its seeds."""

    config: str
    seeds: int
    generator_parameters: int
    discriminator_parameters: int
    steps: int
    images: int


def costs(trials: Sequence[TrialSpec], data_dir: str | None) -> list[Cost]:
    """Load the data, build the networks of each configuration, and count.

    Raises:
        GandistError: the data is not there, or an architecture does not fit its images.
    """
    from gandist.training.budget import Budget

    @functools.cache
    def dataset(options: data.DataOptions) -> Dataset:
        return data.load(options, Path(data_dir) if data_dir else None)

    @functools.cache
    def parameters(
        options: models.ModelOptions, shape: tuple[int, int, int], class_names: tuple[str, ...]
    ) -> tuple[int, int]:
        classes = models.classes(options, class_names)
        generator = models.build_generator(options, shape, classes)
        discriminator = models.build_discriminator(options, shape, classes)
        return generator.count_params(), discriminator.count_params()

    found = []
    for config in dict.fromkeys(trial.config for trial in trials):
        of_config = [trial for trial in trials if trial.config == config]
        trial = of_config[0]
        images = dataset(trial.data)
        budget = Budget(trial.training, trial.data.batch_size, len(images))
        counts = parameters(trial.model, images.image_shape, images.class_names)
        found.append(Cost(config, len(of_config), *counts, budget.total_steps, budget.images))
    return found
