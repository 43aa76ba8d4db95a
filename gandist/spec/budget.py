"""How steps, epochs and kimg relate in one trial: plain arithmetic, no TensorFlow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gandist.spec.sections import Cadence, Training

ROUNDING = 1e-9
"""Of numbers of steps and intervals: 0.1 kimg three times are 0.3."""


@dataclass(frozen=True)
class Budget:
    """The length of a trial.

    The data set is read as one endless row of epochs, each in an order of its own, and each step takes the
    next ``images_per_step`` images: every image is seen once an epoch, and none is dropped at its end.
    """

    training: Training
    batch_size: int
    size: int
    """Images in the data set."""

    @property
    def images_per_step(self) -> int:
        """Real images shown to the discriminator in one step."""
        return self.training.real_batch(self.batch_size) * self.training.n_critic

    @property
    def total_steps(self) -> int:
        """Steps of the whole trial."""
        if self.training.steps is not None:
            return self.training.steps
        if self.training.kimg is not None:
            return self.step_of_kimg(self.training.kimg)
        return self.step_of_epoch(self.training.epochs or 0)

    @property
    def images(self) -> int:
        """Real images shown to the discriminator in the whole trial."""
        return self.total_steps * self.images_per_step

    def kimg(self, step: int | np.ndarray) -> float | np.ndarray:
        """Thousand real images shown after ``step``."""
        return step * self.images_per_step / 1000

    def epoch(self, step: int | np.ndarray) -> float | np.ndarray:
        """Passes over the data set after ``step``."""
        return step * self.images_per_step / self.size

    def step_of_epoch(self, epoch: int) -> int:
        """The first step after which ``epoch`` passes are complete."""
        return math.ceil(epoch * self.size / self.images_per_step)

    def step_of_kimg(self, kimg: float) -> int:
        """The first step after which ``kimg`` thousand real images were shown."""
        return math.ceil(1000 * kimg / self.images_per_step)

    def next_stop(self, step: int, cadence: Cadence) -> int:
        """The first step after ``step`` at which ``cadence`` is due; the last step always is."""
        if (every := cadence.interval()) is None:
            later = (self.step_of_epoch(epoch) for epoch in cadence.chosen_epochs())
            return min((due for due in later if step < due < self.total_steps), default=self.total_steps)
        interval, unit = every
        images = {"steps": self.images_per_step, "epochs": self.size, "kimg": 1000}[unit] * interval
        passed = math.floor(step * self.images_per_step / images + ROUNDING)
        due = math.ceil((passed + 1) * images / self.images_per_step - ROUNDING)
        return min(due, self.total_steps) if due > step else self.total_steps

    def is_due(self, step: int, cadence: Cadence) -> bool:
        """Whether ``cadence`` is due after ``step``."""
        return step > 0 and self.next_stop(step - 1, cadence) == step
