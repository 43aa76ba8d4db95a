"""Writes job directories as large as one likes, fast: what a training would have left, of random numbers.

    python benchmarks/synthetic_job.py DIR --trials 1000 --steps 10000

Every trial has its losses in parts, evaluations, settings and a state; of pictures it has none.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.trial_state import TrialState

BATCH = 64
SEEDS = 10
FIGURES = ("d_loss_fake", "d_loss_real", "r1")
SCHEMA = tables.losses_schema(FIGURES)
NUMBERS = [field.name for field in SCHEMA if field.type == pa.float32()]
TEMPLATES = 7
"""Different losses: encoding them for every trial would be most of the time."""


def listed(trials: int) -> list[tuple[str, int]]:
    """``(config, seed)`` of each trial."""
    return [(f"learning_rate={1 + i // SEEDS}e-5", i % SEEDS) for i in range(trials)]


def make_job(root: Path, trials: int, steps: int, parts: int = 4) -> JobDir:
    """A job of so many completed trials, each with ``steps`` rows of losses in ``parts`` files."""
    job_dir = JobDir(str(root))
    members = listed(trials)
    points = {config: {"optimizer.learning_rate": float(config.split("=")[1])} for config, _ in members}
    entries = [{"id": f"{c}-seed{s}", "config": c, "seed": s} for c, s in members]
    manifest = Manifest.model_validate({"job": root.name, "configs": points, "trials": entries})
    job_dir.write_job({"name": root.name, "evaluation": {"metrics": ["frechet"]}}, manifest)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(partial(_write_trial, str(root), steps, parts), range(trials), members, chunksize=20))
    return job_dir


def columns(place: int, steps: int) -> pa.Table:
    """The numbers of a trial's losses; ``SCHEMA`` without the trial's name."""
    random = np.random.default_rng(place % TEMPLATES)
    step = np.arange(1, steps + 1)
    made = {"step": step, "epoch": step * BATCH / 60_000, "kimg": step * BATCH / 1000}
    made |= {name: random.normal(0.7, 0.1, steps).astype(np.float32) for name in NUMBERS}
    made |= {"wall_time": 1.7e9 + step * 0.05}
    return pa.table(made, schema=pa.schema(list(SCHEMA)[3:]))


def _write_trial(root: str, steps: int, parts: int, place: int, listed: tuple[str, int]) -> None:
    config, seed = listed
    directory = JobDir(root).trial(f"{config}-seed{seed}")
    folder = Path(root) / "trials" / directory.id
    (folder / "losses").mkdir(parents=True, exist_ok=True)
    rows = _named(columns(place, steps), directory.id, config, seed, SCHEMA)
    edges = np.linspace(0, steps, parts + 1).astype(int)
    for first, last in pairwise(edges):
        pq.write_table(
            rows.slice(first, last - first),
            folder / "losses" / f"part-{first + 1:09d}-{last:09d}.parquet",
            compression="zstd",
        )
    at = np.linspace(steps // 10, steps, 10).astype(int)
    evaluations = pa.table(
        {
            "step": at,
            "epoch": at * BATCH / 60_000,
            "kimg": at * BATCH / 1000,
            "metric": ["frechet"] * 10,
            "value": 30.0 + place % 97 + 100.0 * steps / at,
            "error": [None] * 10,
            "floor": [None] * 10,
            "lower_is_better": [True] * 10,
            "features": ["mnist-0123"] * 10,
            "split": ["held_out"] * 10,
            "samples": [10_000] * 10,
            "weights": ["averaged"] * 10,
            "protocol": ["10,000 generated images against the 10,000 test images"] * 10,
            "wall_time": 1.7e9 + at * 0.05,
        },
        schema=pa.schema(list(tables.METRICS)[3:]),
    )
    pq.write_table(
        _named(evaluations, directory.id, config, seed, tables.METRICS), folder / "metrics.parquet"
    )
    settings = {"config": config, "seed": seed, "data": {"name": "mnist", "batch_size": BATCH}}
    settings |= {"optimizer": {"name": "adam", "learning_rate": float(config.split("=")[1])}}
    (folder / "trial.yaml").write_text(yaml.safe_dump(settings))
    state = TrialState(
        status="completed",
        attempts=1,
        step=steps,
        total_steps=steps,
        kimg=steps * BATCH / 1000,
        train_s=steps * 0.05,
        images_per_s=1280.0,
        device="CPU",
        replicas=1,
        host="node-a",
        figures=FIGURES,
        started_at=1.7e9,
        updated_at=1.7e9 + steps * 0.05,
    )
    (folder / "state.json").write_bytes(state.model_dump_json().encode())


def _named(rows: pa.Table, trial: str, config: str, seed: int, schema: pa.Schema) -> pa.Table:
    names = {"trial": trial, "config": config, "seed": seed}
    own = {
        name: pa.repeat(pa.scalar(value, schema.field(name).type), rows.num_rows)
        for name, value in names.items()
    }
    return pa.table({**own, **{name: rows[name] for name in rows.column_names}}, schema=schema)


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--parts", type=int, default=4)
    given = parser.parse_args()
    print(make_job(given.directory, given.trials, given.steps, given.parts).root)


if __name__ == "__main__":
    main()
