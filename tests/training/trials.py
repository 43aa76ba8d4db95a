"""Running a tiny trial, and what it has left."""

from __future__ import annotations

import threading
from pathlib import Path

import keras
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.spec.job import TrialSpec
from gandist.training.trial import run_trial

SMALL = {
    "training": {"steps": 6, "generator_ema": 0.9},
    "checkpoint": {"every_steps": 2},
    "samples": {"every_steps": 3},
}


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
    return pa.concat_tables([tables.decode(part, tables.LOSSES, "part") for part in parts]).drop(
        ["wall_time"]
    )


def generated(directory: TrialDir) -> list[bytes]:
    return [directory.storage.read(path) for _, path in directory.samples()]


def weights(directory: TrialDir) -> list[bytes]:
    model = keras.models.load_model(directory.storage.where(TrialDir.GENERATOR))
    return [w.numpy().tobytes() for w in model.weights]
