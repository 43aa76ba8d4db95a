"""Fake trials that write down which GPUs they were given, and wait until others run beside them.

python -m tests.runner.ray.gpu_trials JOB_DIR GPUS SEEDS     runs a job of them on the cluster of RAY_ADDRESS
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.runner.plan import make_plan
from gandist.runner.ray.pool import RayBackend
from gandist.runner.schedule import run_job
from gandist.spec.trial import TrialSpec

from ..conftest import make_job

PATIENCE_S = 120.0
FUNCTION = f"{__name__ if __name__ != '__main__' else 'tests.runner.ray.gpu_trials'}:run_trial"


@dataclass(frozen=True)
class Placement:
    """Where and when a trial ran."""

    gpus: float
    node: str
    visible: tuple[str, ...]
    """In ``CUDA_VISIBLE_DEVICES``."""
    grows: bool
    """Whether TensorFlow may not take a whole GPU's memory at once."""
    began: float
    ended: float
    """Monotonic time: all nodes are on one machine."""


def run_trial(
    trial: TrialSpec, job_root: str, data_dir: str | None, stop: threading.Event
) -> Iterator[TrialState]:
    """A ``TrialFunction``; ``meeting`` beside the job directory: how many must have begun before any ends."""
    import ray

    began = time.monotonic()
    folder = Path(job_root).parent
    (folder / f"begun-{Path(job_root).name}-{trial.id}").touch()
    wanted = int((folder / "meeting").read_text())
    while len(list(folder.glob("begun-*"))) < wanted:
        if stop.wait(0.02) or time.monotonic() - began > PATIENCE_S:
            raise RuntimeError("the others did not come")
        yield TrialState(status="running")
    placement = Placement(
        gpus=trial.resources.gpus or 0,
        node=ray.get_runtime_context().get_node_id(),
        visible=tuple(os.environ["CUDA_VISIBLE_DEVICES"].split(",")),
        grows=os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH") == "true",
        began=began,
        ended=time.monotonic(),
    )
    trial_dir = JobDir(job_root).trial(trial.id)
    trial_dir.storage.write("placement.json", json.dumps(asdict(placement)).encode())
    state = TrialState(status="completed", identity=trial.identity(), budget=trial.budget())
    trial_dir.write_state(state)
    yield state


def placements(job_root: Path) -> list[Placement]:
    """Of the trials of a job that were completed."""
    found = [json.loads(path.read_text()) for path in sorted(job_root.glob("trials/*/placement.json"))]
    return [Placement(**{**one, "visible": tuple(one["visible"])}) for one in found]


def main(job_root: str, gpus: str, seeds: str) -> int:
    """Run a job; its exit code."""
    job = make_job(int(seeds), resources={"cpus": 1, "gpus": float(gpus)})
    job_dir = JobDir(job_root)
    environment = {"PYTHONPATH": os.environ["PYTHONPATH"]}
    with RayBackend(job, job_root, None, FUNCTION, environment) as backend:
        print(*backend.admit(), sep="\n")
        outcome = run_job(job, make_plan(job.trials, job_dir), job_dir, backend, print)
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
