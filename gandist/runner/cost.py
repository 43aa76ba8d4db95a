"""What a job will cost, before it is run: networks, steps, images."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandist import data, models
from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset
from gandist.spec.budget import Budget
from gandist.spec.job import TrialSpec

Datasets = Mapping[DataOptions, Dataset]


@dataclass(frozen=True)
class Cost:
    """One configuration's, for each of its seeds."""

    config: str
    seeds: int
    generator_parameters: int
    discriminator_parameters: int
    steps: int
    images: int


def datasets(trials: Sequence[TrialSpec], data_dir: str | None, tell: Tell = silent) -> Datasets:
    """What each ``trial.data`` names: found or missing before anything slow, such as TensorFlow, is loaded.

    Raises:
        DataError: a data set is missing, or not what its name says.
    """
    loaded: dict[DataOptions, Dataset] = {}  # by what makes the images: a sweep over batch sizes shares them
    found: dict[DataOptions, Dataset] = {}
    for options in dict.fromkeys(trial.data for trial in trials):
        images = options.model_copy(update={"batch_size": 1})
        if images not in loaded:
            loaded[images] = data.load(options, Path(data_dir) if data_dir else None, tell)
        found[options] = loaded[images]
    return found


def data_lines(found: Datasets) -> list[str]:
    """What the data sets hold, and what was left out of them, each once."""
    return list(dict.fromkeys(f"data: {line}" for dataset in found.values() for line in dataset.lines))


def costs(trials: Sequence[TrialSpec], found: Datasets) -> list[Cost]:
    """Build the networks of each configuration for its images, ``found``, and count.

    Raises:
        GandistError: an architecture does not fit its images.
    """
    from gandist import tensorflow_start  # noqa: F401 - without what it writes while it starts

    @functools.cache
    def parameters(
        options: models.ModelOptions, shape: tuple[int, int, int], class_names: tuple[str, ...]
    ) -> tuple[int, int]:
        classes = models.classes(options, class_names)
        generator = models.build_generator(options, shape, classes)
        discriminator = models.build_discriminator(options, shape, classes)
        return generator.count_params(), discriminator.count_params()

    made = []
    for config in dict.fromkeys(trial.config for trial in trials):
        of_config = [trial for trial in trials if trial.config == config]
        trial = of_config[0]
        images = found[trial.data]
        budget = Budget(trial.training, trial.data.batch_size, len(images))
        counts = parameters(trial.model, images.image_shape, images.class_names)
        made.append(Cost(config, len(of_config), *counts, budget.total_steps, budget.images))
    return made
