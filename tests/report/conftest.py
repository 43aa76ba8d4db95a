"""A synthetic job: two configurations x two seeds, with losses, grids and GIFs as a training leaves them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandist.artifacts import tables
from gandist.artifacts.images import encode_gif, encode_png, grid
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import TrialState
from tests.strangers import write_documents

BATCH = 64
CONFIGS = {"slow": 1.0e-4, "fast": 4.0e-4}
SEEDS = (0, 1)
FIGURES = ("d_loss_fake", "d_loss_real", "r1")
"""What the trials log besides ``tables.LOSSES``."""
SCHEMA = tables.losses_schema(FIGURES)


def rows(config: str, seed: int, first: int, last: int, **columns: Any) -> tables.Rows:
    """Losses of the steps ``first`` to ``last`` of a trial, like a DCGAN's; ``columns`` replace some."""
    steps = np.arange(first, last + 1)
    own = zlib.crc32(config.encode())
    noise = np.random.default_rng([seed, own, first]).normal(size=(len(steps), 4))
    settled = 1 - np.exp(-steps / 150)
    slope = 1.0 + 0.25 * seed + 0.1 * (own % 9)
    d_loss = 1.35 - 0.25 * slope * settled + 0.05 * noise[:, 0]
    made = {
        "trial": f"{config}-seed{seed}",
        "config": config,
        "seed": seed,
        "step": steps,
        "epoch": steps * BATCH / 60_000,
        "kimg": steps * BATCH / 1000,
        "d_loss": d_loss,
        "d_loss_real": d_loss / 2,
        "d_loss_fake": d_loss / 2,
        "g_loss": 0.7 + 0.3 * slope * settled + 0.08 * noise[:, 1],
        "d_real": 0.5 + 0.12 * slope * settled + 0.02 * noise[:, 2],
        "d_fake": 0.5 - 0.12 * slope * settled + 0.02 * noise[:, 3],
        "r1": 0.0,
        "d_grad_norm": np.abs(noise[:, 0]),
        "g_grad_norm": np.abs(noise[:, 1]),
        "wall_time": 1.7e9 + steps * 0.05,
    }
    return {**made, **columns}


def write_trial(
    directory: TrialDir,
    config: str,
    seed: int,
    *,
    steps: int,
    state: TrialState,
    grids: Sequence[int] = (),
    **sections: Any,
) -> None:
    """What every trial leaves: settings, two parts of losses, grids (three by default), a GIF, its state."""
    directory.write_trial(
        {
            "job": "demo",
            "config": config,
            "seed": seed,
            "data": {"name": "mnist", "batch_size": BATCH},
            "model": {"name": "dcgan", "latent_dim": 100},
            "augmentation": None,
            "optimizer": {"name": "adam", "learning_rate": CONFIGS.get(config, 1e-3), "beta_1": 0.5},
        }
        | sections
    )
    half = steps // 2
    directory.write_losses(rows(config, seed, 1, half))
    directory.write_losses(rows(config, seed, half + 1, steps))
    drawn = grids or (1, half, steps)
    frames = [_digits(seed, step / steps) for step in drawn]
    for step, frame in zip(drawn, frames, strict=True):
        directory.storage.write(directory.sample_path(step), encode_png(frame))
    directory.storage.write(TrialDir.GIF, encode_gif(frames))
    directory.write_state(state)


def _digits(seed: int, progress: float) -> np.ndarray:
    """A 4x4 grid of blobs that come out of noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:28, :28]
    centres = random.uniform(9, 19, (16, 2))
    ring = np.hypot(y - centres[:, :1, None], x - centres[:, 1:, None])
    shapes = np.exp(-((ring - random.uniform(3, 7, (16, 1, 1))) ** 2) / 3)
    images = progress * shapes + (1 - progress) * random.uniform(size=shapes.shape)
    return grid((255 * np.clip(images, 0, 1)).astype(np.uint8)[..., None], 4, 4)


def state(steps: int, **changes: Any) -> TrialState:
    """A completed trial's state; ``changes`` replace some of it."""
    made = TrialState(
        status="completed",
        attempts=1,
        step=steps,
        total_steps=steps,
        kimg=steps * BATCH / 1000,
        train_s=steps * 0.05,
        images_per_s=1280.0,
        compile_s=7.5,
        device="NVIDIA H100",
        replicas=1,
        host="node-a",
        figures=FIGURES,
        started_at=1.7e9,
        updated_at=1.7e9 + 95,
    )
    return made.model_copy(update=changes)


def manifest(listed: list[tuple[str, int]], **changes: Any) -> dict[str, Any]:
    """What the runner writes about a job of these ``(config, seed)``."""
    return {
        "job": "demo",
        "created_at": 1.7e9,
        "gandist": "0.1.0",
        "versions": {"python": "3.11.9", "tensorflow": "2.21.0", "keras": "3.15.0", "ray": "2.60.0"},
        "git_commit": "0123456789abcdef",
        "trials": [{"id": f"{c}-seed{s}", "config": c, "seed": s} for c, s in listed],
        "spec_hash": "feedc0de",
    } | changes


def make_job(
    root: Path, *trials: tuple[str, int], job: dict[str, Any] | None = None, **changes: Any
) -> JobDir:
    """A job directory whose trials have left nothing yet."""
    job_dir = JobDir(str(root / "demo"))
    write_documents(job_dir, {"name": "demo"} if job is None else job, manifest(list(trials), **changes))
    return job_dir


def make_finished_job(root: Path) -> JobDir:
    """Two configurations x two seeds, of which ``fast-seed1`` diverged at step 300 of 400."""
    trials = [(config, seed) for config in CONFIGS for seed in SEEDS]
    made = make_job(root, *trials, job={"name": "demo", "description": "Two learning rates.\nSynthetic."})
    for config, seed in trials:
        steps = 400
        ended = state(steps, images_per_s=1280.0 + 40 * seed)
        if (config, seed) == ("fast", 1):
            steps = 300
            reason = "g_loss is not finite at step 300"
            ended = state(400, status="diverged", reason=reason, step=300, kimg=19.2)
        write_trial(made.trial(f"{config}-seed{seed}"), config, seed, steps=steps, state=ended)
    diverged = made.trial("fast-seed1")
    diverged.write_losses(rows("fast", 1, 300, 300, g_loss=[np.nan], d_loss=[np.inf]))
    return made


@pytest.fixture
def empty_job(tmp_path: Path) -> Callable[..., JobDir]:
    """``make_job`` in a directory of the test's own."""
    return partial(make_job, tmp_path)


@pytest.fixture
def job_dir(tmp_path: Path) -> JobDir:
    """``make_finished_job`` in a directory of the test's own."""
    return make_finished_job(tmp_path)
