"""What is drawn, measured and exported of a trial's networks as they stand; training does not notice it."""

from __future__ import annotations

from typing import Any

from gandist import models
from gandist.activity import Activity, Tell
from gandist.data import Dataset
from gandist.metrics.memorization import Pairs
from gandist.sampling.sampler import Sampler
from gandist.spec.trial import TrialSpec
from gandist.training.evaluation import Evaluator
from gandist.training.judge import Discriminator
from gandist.training.outputs import discriminator_outputs
from gandist.training.recorder import Recorder
from gandist.training.trainer import Trainer


class Observer:
    """Copies the networks after the trainer's step, and hands what comes of it to the recorder.

    Args:
        trial: the trial.
        dataset: its images.
        trainer: has the networks.
        recorder: writes.
    """

    def __init__(self, trial: TrialSpec, dataset: Dataset, trainer: Trainer, recorder: Recorder) -> None:
        self._trial, self._dataset, self._trainer, self._recorder = trial, dataset, trainer, recorder
        classes = models.classes(trial.model, dataset.class_names)
        self._sampler = Sampler(trial, dataset.image_shape, classes)
        self._judge = Discriminator(trial, trainer.gan, dataset.image_shape, classes)
        self._evaluator = Evaluator(trial, dataset) if trial.evaluation else None

    def draw(self, tell: Tell) -> None:
        """A grid of the same latents as ever."""
        rows, columns = self._trial.samples.rows, self._trial.samples.columns
        tell(Activity("drawing a grid"))
        self._copy()
        generated = self._sampler.generate(self._sampler.latents(rows * columns))
        self._recorder.write_grid(self._trainer.step, generated)

    def draw_real(self, tell: Tell) -> None:
        """A grid of real images, of the classes that the others ask for."""
        tell(Activity("drawing a grid"))
        rows, columns = self._trial.samples.rows, self._trial.samples.columns
        self._recorder.write_real(self._dataset.some(rows * columns, self._sampler.classes))

    def evaluate(self, tell: Tell) -> list[dict[str, Any]]:
        """The rows of one evaluation, which are not written yet: it may be given up."""
        if self._evaluator is None:
            return []
        self._copy()
        return self._evaluator.evaluate(self._sampler, self._judge, tell)

    @property
    def pairs(self) -> Pairs | None:
        """The generated images closest to training images, where the last evaluation has looked for them."""
        return self._evaluator.pairs if self._evaluator else None

    def judge(self, tell: Tell) -> None:
        """What the discriminator says of images, for a histogram."""
        tell(Activity("judging images"))
        self._copy()
        outputs = discriminator_outputs(self._trial, self._judge, self._dataset, self._sampler)
        self._recorder.write_outputs(self._trainer.step, outputs)

    def export(self, tell: Tell) -> None:
        """The generator, and a film of all grids."""
        tell(Activity("exporting the generator"))
        self._copy()
        self._recorder.finish_artifacts(self._trainer.step, self._sampler.export(), self._sampler.loading)

    def export_best(self, tell: Tell) -> None:
        """The generator as the best one so far."""
        tell(Activity("exporting the best generator"))
        self._copy()
        self._recorder.write_best(self._sampler.export())

    def _copy(self) -> None:
        self._sampler.update(self._trainer.gan, self._trainer.step)
        self._judge.update()
