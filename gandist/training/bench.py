"""How fast one trial trains, without writing anything."""

from __future__ import annotations

import time

from gandist.data import Dataset
from gandist.spec.job import TrialSpec
from gandist.training import hardware
from gandist.training.trainer import Trainer


def bench(trial: TrialSpec, dataset: Dataset, steps: int) -> dict[str, float]:
    """Train ``steps`` steps on ``dataset`` after a warm-up.

    Returns:
        ``images_per_s``: real images shown to the discriminator a second; ``ms_per_step``; ``compile_s``:
        seconds of the first step, tracing and compilation included.
    """
    trainer = Trainer(trial, dataset, hardware.strategy(trial.resources))
    began = time.perf_counter()
    trainer.run(1)
    compile_s = time.perf_counter() - began
    trainer.run(2)
    began = time.perf_counter()
    trainer.run(2 + steps)
    seconds = time.perf_counter() - began
    return {
        "images_per_s": steps * trainer.budget.images_per_step / seconds,
        "ms_per_step": 1000 * seconds / steps,
        "compile_s": compile_s,
    }
