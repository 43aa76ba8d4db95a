"""Running a tiny trial, and what it has left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.data import Dataset
from gandist.sampling.sampler import Sampler
from gandist.spec.trial import TrialSpec
from gandist.training import observer
from gandist.training import trial as trial_module
from gandist.training.trainer import Trainer
from gandist.training.trial import run_trial

SMALL = {
    "training": {"steps": 6, "generator_ema": 0.9},
    "checkpoint": {"every_steps": 2},
    "samples": {"every_steps": 3},
}


@contextmanager
def compiled_once() -> Iterator[list[int]]:
    """What is compiled for a trial serves all attempts at it, with the weights set back: one step a block.

    For tests of what an attempt reads and writes. That an attempt with networks of its own ends with the same
    bits is another matter.

    Yields:
        the step after which the last attempt went on, 0 where it began anew, as a list's one item.
    """
    built: dict[str, tuple[Trainer, dict[str, np.ndarray], Sampler]] = {}
    went_on = [0]

    def key(trial: TrialSpec) -> str:
        return trial.model_dump_json(exclude={"samples", "checkpoint", "evaluation"})

    class Again:
        """A trainer as if it were new, which says where it goes on."""

        def __init__(self, trial: TrialSpec, dataset: Dataset, strategy: Any) -> None:
            name = key(trial)
            if name not in built:
                made = Trainer(trial, dataset, strategy)
                built[name] = made, made.state(), Sampler(trial, made.image_shape)
            self._trainer, start, _ = built[name]
            self._trainer.load_state(start)
            went_on[0] = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._trainer, name)

        def load_state(self, state: dict[str, np.ndarray]) -> None:
            went_on[0] = int(state["step"])
            self._trainer.load_state(state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.backend, "clear_session", lambda: None)
        patch.setattr(trial_module, "MAX_BLOCK", 1)
        patch.setattr(trial_module, "Trainer", Again)
        patch.setattr(observer, "Sampler", lambda trial, *_: built[key(trial)][2])
        yield went_on


def train(
    trial: TrialSpec, root: Path, stop_after: int | None = None, kill_after: int | None = None
) -> TrialDir:
    """Run ``trial``, asking it to stop, or abandoning it, after that many steps."""
    stop = threading.Event()
    for state in run_trial(trial, str(root), None, stop):
        if state.activity:
            continue
        if state.step == stop_after:
            stop.set()
        if state.step == kill_after:
            break
    return JobDir(str(root)).trial(trial.id)


def losses(directory: TrialDir) -> pa.Table:
    parts = [directory.storage.read(path) for _, _, path in directory.losses_parts()]
    return pa.concat_tables([tables.decode_losses(part, "part") for part in parts]).drop(["wall_time"])


def generated(directory: TrialDir) -> list[bytes]:
    return [directory.storage.read(path) for _, path in directory.samples()]


def weights(directory: TrialDir, exported: str = TrialDir.GENERATOR) -> list[bytes]:
    model = keras.models.load_model(directory.storage.where(exported))
    return [w.numpy().tobytes() for w in model.weights]
