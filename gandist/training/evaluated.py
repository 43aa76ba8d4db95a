"""Evaluations of what was trained before, from the checkpoints that are kept."""

from __future__ import annotations

from gandist import tensorflow_start  # isort: skip  # noqa: F401 - before whatever loads TensorFlow

from collections.abc import Iterator
from typing import Any

import keras

from gandist import models
from gandist.activity import Tell, silent
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.tables import SELECTION
from gandist.data import Dataset
from gandist.errors import CheckpointError
from gandist.sampling.kept import Kept
from gandist.sampling.sampler import Sampler
from gandist.training import checkpoint, hardware
from gandist.training.evaluation import Evaluator
from gandist.training.judge import Discriminator
from gandist.training.recorder import rows_of
from gandist.training.start import describe, insist, load
from gandist.training.trainer import Trainer

Row = dict[str, Any]


def evaluate(
    trials: list[Kept], data_dir: str | None, tell: Tell = silent
) -> Iterator[tuple[str, int, list[Row]]]:
    """Measure the kept checkpoints, and write the rows that are not there yet into ``TrialDir.EVALUATED``.

    The values are those that the trial itself has measured, or would have, to the last bit on the same
    machine. What is measured to choose by is left to the trial.

    Args:
        trials: as ``kept.find`` gave them.
        data_dir: where data files lie.
        tell: told of what takes long.

    Yields:
        trial, step and the new rows of each checkpoint, once they are written.

    Raises:
        DataError: the data cannot be loaded, or is not what was trained on.
        CheckpointError: a checkpoint cannot be used.
        StorageError: the storage refused.
    """
    dataset, of = None, None
    for kept in trials:
        options = kept.trial.data.model_copy(update={"batch_size": 1})  # a sweep over batch sizes shares it
        if dataset is None or options != of:
            dataset, of = load(kept.trial, data_dir, tell), options
        insist(kept.trial, kept.dataset, describe(dataset))
        for step, found in _measured(kept, dataset, tell):
            yield kept.trial.id, step, _add(kept.directory, found)


def _measured(kept: Kept, dataset: Dataset, tell: Tell) -> Iterator[tuple[int, list[Row]]]:
    # One device does, whatever the training had: images are made and looked at outside its strategy.
    own = kept.trial.resources
    resources = own.model_copy(update={"gpus": None if own.gpus else own.gpus, "replicas": None})
    trial = kept.trial.model_copy(update={"resources": resources})
    keras.backend.clear_session()
    trainer = Trainer(trial, dataset, hardware.strategy(resources))
    classes = models.classes(trial.model, dataset.class_names)
    sampler = Sampler(trial, dataset.image_shape, classes)
    judge = Discriminator(trial, trainer.gan, dataset.image_shape, classes)
    evaluator = Evaluator(trial, dataset)
    for step, path in kept.checkpoints:
        try:
            state, _ = checkpoint.load(kept.directory, path, kept.state.identity or trial.identity())
        except FileNotFoundError:
            raise CheckpointError(f"{kept.directory.storage.where(path)}: was never finished") from None
        trainer.load_state(state)
        sampler.update(trainer.gan, step)
        judge.update()
        yield step, rows_of(trial, trainer.budget, step, evaluator.evaluate(sampler, judge, tell))


def _add(directory: TrialDir, found: list[Row]) -> list[Row]:
    """The rows of ``found`` that were not there, and are now."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in ("step", "metric", "split", "protocol"))

    before = directory.read_metrics(TrialDir.EVALUATED)
    known = {key(row) for row in (*directory.read_metrics(), *before)}
    new = [row for row in found if row["split"] != SELECTION and key(row) not in known]
    if new:
        directory.write_metrics(sorted([*before, *new], key=lambda row: row["step"]), TrialDir.EVALUATED)
    return new
