"""A job that runs, written step by step as its trials would."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from gandist.artifacts import images, tables
from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from tests.report.conftest import BATCH, rows, state
from tests.report.conftest import manifest as listed
from tests.strangers import write_documents

TRIALS = (("slow", 0), ("slow", 1), ("fast", 0), ("fast", 1))
TOTAL = 400


def make(root: Path, name: str = "demo", trials: tuple[tuple[str, int], ...] = TRIALS) -> JobDir:
    """A job of which nothing has begun."""
    job_dir = JobDir(str(root / name))
    write_documents(job_dir, {"name": name, "evaluation": {"metrics": ["frechet"]}}, listed(list(trials)))
    return job_dir


def drive(job_dir: JobDir) -> Holder:
    """This process runs it from now on."""
    holder = Holder.this_process()
    job_dir.storage.write(JobDir.DRIVER, holder.model_dump_json().encode())
    return holder


def advance(
    job_dir: JobDir, config: str, seed: int, step: int, *, before: int = 0, **changes: object
) -> None:
    """A trial goes on from the step ``before`` to ``step``: losses, a grid, an evaluation, its state."""
    directory = job_dir.trial(f"{config}-seed{seed}")
    directory.write_losses(rows(config, seed, before + 1, step))
    grid = images.encode_png(images.grid(_pixels(step), 2, 2))
    directory.storage.write(directory.sample_path(step), grid)
    earlier = directory.read_metrics()
    value = (20.0 if config == "fast" else 30.0) + seed - step / TOTAL
    directory.write_metrics([*earlier, evaluation(config, seed, step, value)])
    status = "completed" if step == TOTAL else "running"
    directory.write_state(
        state(TOTAL, status=status, step=step, kimg=step * BATCH / 1000, updated_at=time.time(), **changes)
    )


def evaluation(config: str, seed: int, step: int, value: float) -> dict[str, object]:
    """A row of ``tables.METRICS``."""
    empty: dict[str, object] = dict.fromkeys(tables.METRICS.names)
    return empty | {
        "trial": f"{config}-seed{seed}",
        "config": config,
        "seed": seed,
        "step": step,
        "epoch": step * BATCH / 60_000,
        "kimg": step * BATCH / 1000,
        "metric": "frechet",
        "value": value,
        "lower_is_better": True,
        "features": "mnist-0123",
        "split": "held_out",
        "samples": 1000,
        "weights": "live",
        "protocol": "1,000 generated against held-out images",
        "wall_time": 1.7e9 + step,
    }


def _pixels(step: int) -> np.ndarray:
    return np.full((4, 8, 8, 1), min(step, 255), np.uint8)
