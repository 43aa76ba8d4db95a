"""The data of a job, found before anything slow is begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gandist import data, models
from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset
from gandist.spec.budget import Budget
from gandist.spec.trial import TrialSpec

Datasets = Mapping[DataOptions, Dataset]


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


def lengths(trials: Sequence[TrialSpec], found: Datasets) -> dict[str, int]:
    """The steps of each trial by its id, as far as they are known: epochs are as long as their data set."""
    return {
        trial.id: Budget(trial.training, trial.data.batch_size, size or 1).total_steps
        for trial in trials
        if (size := len(found.get(trial.data, ()))) or trial.training.epochs is None
    }


def check_models(trials: Sequence[TrialSpec], found: Datasets) -> None:
    """Refuse networks that do not fit their data, before TensorFlow is loaded to find out.

    Raises:
        UsageError: a trial's cannot be built, for the images' sides or for want of classes.
    """
    for trial in trials:
        if (dataset := found.get(trial.data)) is not None:
            models.classes(trial.model, dataset.class_names)
            trial.model.check(dataset.image_shape)
