"""Seconds of an evaluation with all metrics: the tutorials' DCGAN on MNIST, 10,000 samples, untrained.

The first one also looks at real images, unless their features are in GANDIST_CACHE_DIR, and computes floors.
Usage: evaluation_time.py DIR [CPUS], with mnist.npz in DIR.
"""

from __future__ import annotations

import gandist.tensorflow_start  # isort: skip  # noqa: F401

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gandist import data, metrics, models
from gandist.sampling.sampler import Sampler
from gandist.spec.job import JobSpec, expand
from gandist.training import distribution
from gandist.training.evaluation import Evaluator

EVERY = ["frechet", "kid", "prdc", "modes", "memorization", "discriminator_gap"]
JOB = {
    "name": "evaluation-time",
    "data": {"name": "mnist"},
    "model": {"name": "dcgan"},
    "training": {"epochs": 1},
    "evaluation": {"samples": 10_000, "metrics": EVERY},
}


def timed(name: str, work: Callable[..., Any], took: dict[str, float]) -> Callable[..., Any]:
    """``work``, whose seconds are added up."""

    def run(*arguments: Any, **named: Any) -> Any:
        began = time.monotonic()
        try:
            return work(*arguments, **named)
        finally:
            label = str(arguments[0]) if name == "metric" else name
            took[label] = took.get(label, 0.0) + time.monotonic() - began

    return run


def main() -> None:
    """Evaluate three times: with nothing kept, with real features on disk, and again in the same process."""
    distribution.configure(distribution.Threads(int((sys.argv[2:] or ["2"])[0])), gpus=0, replicas=1)
    (trial,) = expand(JobSpec.model_validate(JOB)).trials
    dataset = data.load(trial.data, Path(sys.argv[1]))
    discriminator = models.build_discriminator(trial.model, dataset.image_shape, 0)

    def judge(images: np.ndarray, _: np.ndarray) -> np.ndarray:
        parts = [images[start : start + 256] for start in range(0, len(images), 256)]
        scores = [discriminator(part.astype(np.float32) / 127.5 - 1.0, training=False) for part in parts]
        return np.concatenate([np.ravel(part) for part in scores]).astype(np.float64)

    took: dict[str, float] = {}
    sampler, evaluator = Sampler(trial, dataset.image_shape), Evaluator(trial, dataset)
    sampler.generate = timed("generating", sampler.generate, took)  # type: ignore[method-assign]
    metrics.measure = timed("metric", metrics.measure, took)
    for what, with_it in (
        ("first", evaluator),
        ("another trial's first", Evaluator(trial, dataset)),
        ("later", evaluator),
    ):
        took.clear()
        began = time.monotonic()
        rows = with_it.evaluate(sampler, judge)
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in took.items())
        print(f"{what}: {time.monotonic() - began:.1f} s, {len(rows)} values ({parts})", flush=True)


if __name__ == "__main__":
    main()
