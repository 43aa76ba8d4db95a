"""A synthetic tuning job: eight configurations x two seeds, with every artifact that a trial may leave."""

from __future__ import annotations

import itertools
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from tests.report.conftest import SEEDS, make_job, rows, state, write_trial

SWEEP = {
    "optimizer.learning_rate": [2.0e-4, 1.0e-4],
    "optimizer.beta_1": [0.5, 0.4],
    "model.latent_dim": [100, 128],
}
STEPS = 400
GRIDS = (0, 50, 100, 200, 250, 300, 400)
UNSTABLE = ("learning_rate=0.0002,beta_1=0.5,latent_dim=128", 1)
REASON = "d_loss averaged 0.01, below 0.05, over the 50 steps up to 250"
BEST = "learning_rate=0.0002,beta_1=0.4,latent_dim=100"
PROTOCOL = "10,000 generated images against the 10,000 test images; features of a small classifier of digits"


def points() -> dict[str, dict[str, Any]]:
    """The configurations of ``SWEEP``, as the manifest lists them."""
    grid = [dict(zip(SWEEP, values, strict=True)) for values in itertools.product(*SWEEP.values())]
    return {
        ",".join(f"{path.split('.')[-1]}={value:g}" for path, value in point.items()): point for point in grid
    }


def make_sweep_job(root: Path, *, evaluated: bool = True, **changes: Any) -> JobDir:
    """Of the sixteen trials, ``UNSTABLE`` ended so at step 250, all others completed; ``BEST`` is best."""
    configs = points()
    trials = [(config, seed) for config in configs for seed in SEEDS]
    job = {"name": "tuning", "sweep": SWEEP, "evaluation": {"metrics": ["frechet", "recall"]}}
    made = make_job(root, *trials, job=job, **({"configs": configs} | changes))
    for place, config in enumerate(configs):
        for seed in SEEDS:
            unstable = (config, seed) == UNSTABLE
            steps = 250 if unstable else STEPS
            ended = state(STEPS, status="unstable", reason=REASON, step=250) if unstable else state(STEPS)
            directory = made.trial(f"{config}-seed{seed}")
            point = configs[config]
            sections = {
                "model": {"name": "dcgan", "latent_dim": point["model.latent_dim"]},
                "optimizer": {key: point[f"optimizer.{key}"] for key in ("learning_rate", "beta_1")},
            }
            grids = [step for step in GRIDS if step <= steps]
            write_trial(directory, config, seed, steps=steps, state=ended, grids=grids, **sections)
            if evaluated:
                end = 24.0 + 1.5 * place - 11.0 * (config == BEST) + (0.8 + 0.4 * (place % 3)) * seed
                write_metrics(directory, config, seed, steps, end)
            if not unstable:
                write_outputs(directory, config, seed, STEPS)
                directory.storage.write(TrialDir.ARCHIVE, b"PK")
    return made


def write_metrics(
    directory: TrialDir, config: str, seed: int, steps: int, end: float, **changes: Any
) -> None:
    """Evaluations every fifty steps, of a distance that falls to ``end`` and a recall that rises."""
    at = np.repeat(np.arange(50, steps + 1, 50), 2)
    noise = np.random.default_rng([seed, zlib.crc32(config.encode())]).normal(size=at.size)
    falls = end * (1 + 3 * (np.exp(-at / 90) - np.exp(-STEPS / 90)))
    distance = np.arange(at.size) % 2 == 0
    last = at == STEPS  # exactly ``end`` there
    columns = rows(config, seed, 1, steps)
    made = {
        **{name: np.asarray(columns[name])[at - 1] for name in ("step", "epoch", "kimg", "wall_time")},
        "trial": f"{config}-seed{seed}",
        "config": config,
        "seed": seed,
        "metric": np.where(distance, "frechet", "recall"),
        "value": np.where(distance, falls + 1.5 * noise * ~last, 1 / (1 + falls / 30)),
        "error": None,
        "floor": None,
        "lower_is_better": distance,
        "features": "pixels-0123",
        "split": "held_out",
        "samples": 1000,
        "weights": "live",
        "protocol": PROTOCOL,
    }
    directory.storage.write(TrialDir.METRICS, tables.encode({**made, **changes}, tables.METRICS))


def write_outputs(directory: TrialDir, config: str, seed: int, step: int, **changes: Any) -> None:
    """What a discriminator that is right more often than not says of 1,000 images of each kind."""
    random = np.random.default_rng([seed, zlib.crc32(config.encode())])
    made = {
        "trial": f"{config}-seed{seed}",
        "config": config,
        "seed": seed,
        "step": step,
        "kind": np.repeat(["real", "generated"], 1000),
        "output": np.concatenate([random.beta(4, 2.5, 1000), random.beta(2.2, 4, 1000)]),
    }
    directory.storage.write(TrialDir.OUTPUTS, tables.encode({**made, **changes}, tables.OUTPUTS))
