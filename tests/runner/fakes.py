"""A stand-in for training, without TensorFlow: counts steps, writes state.json, and misbehaves on request."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.errors import DataError
from gandist.spec.trial import TrialSpec

FAKE = f"{__name__}:run_trial"
BROKEN = f"{__name__}:there_is_no_such_function"


def run_trial(
    trial: TrialSpec, job_root: str, data_dir: str | None, stop: threading.Event
) -> Iterator[TrialState]:
    """A ``TrialFunction``; ``script.json`` says how each attempt at a trial behaves, else it trains."""
    job_dir = JobDir(job_root)
    trial_dir = job_dir.trial(trial.id)
    try:
        script = json.loads(job_dir.storage.read("script.json"))
    except FileNotFoundError:
        script = {}
    before = trial_dir.read_state()
    state = before.model_copy(
        update={
            "status": "running",
            "attempts": before.attempts + 1,
            "total_steps": trial.training.steps,
            "identity": trial.identity(),
            "budget": trial.budget(),
            "host": str(os.getpid()),
        }
    )
    trial_dir.write_trial(trial.model_dump(mode="json"))
    trial_dir.write_state(state)
    behaviours = script.get(trial.id, [])
    behaviour = behaviours[before.attempts] if before.attempts < len(behaviours) else "train"
    for reached in BEHAVIOURS[behaviour](state, stop):
        trial_dir.write_state(reached)
        yield reached


def train(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    for step in range(state.step + 1, state.total_steps + 1):
        yield state.model_copy(update={"step": step})
        if stop.is_set():
            yield state.model_copy(update={"status": "stopped", "step": step})
            return
    yield state.model_copy(update={"status": "completed", "step": state.total_steps})


def until_stopped(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    while not stop.wait(0.02):
        yield state.model_copy(update={"step": 1})
    yield state.model_copy(update={"status": "stopped", "step": 1})


def terminated(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    """Its process gets SIGTERM: on Ray as from a node that must go, else as from whoever stops the driver."""
    yield state.model_copy(update={"step": state.step + 1})
    os.kill(os.getpid(), signal.SIGTERM)
    yield from until_stopped(state, stop)


def fail(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    yield state.model_copy(update={"step": state.step + 1})
    raise RuntimeError("out of memory while\nallocating")


def no_data(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    raise DataError("/data/mnist.npz: no such file")
    yield state


def diverge(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    yield state.model_copy(update={"status": "diverged", "step": 2, "reason": "d_loss is NaN at step 2"})


def vanish(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    yield state.model_copy(update={"step": state.step + 1})


def kill(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    yield state.model_copy(update={"step": state.step + 1})
    os.kill(os.getpid(), signal.SIGKILL)


def stall(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    yield state.model_copy(update={"step": state.step + 1})
    threading.Event().wait()


def tell(state: TrialState, stop: threading.Event) -> Iterator[TrialState]:
    """Completes, its reason what its process imports from, its variables, and what Ray calls it: JSON."""
    import ray

    task = ray.get_runtime_context().get_task_name()
    told = json.dumps({"path": sys.path, "variables": dict(os.environ), "task": task})
    yield state.model_copy(update={"status": "completed", "step": state.total_steps, "reason": told})


BEHAVIOURS: dict[str, Callable[[TrialState, threading.Event], Iterator[TrialState]]] = {
    behaviour.__name__: behaviour
    for behaviour in (train, until_stopped, terminated, fail, no_data, diverge, vanish, kill, stall, tell)
}


def script(job_dir: JobDir, behaviours: dict[str, list[str]]) -> None:
    """Say how the attempts of trials behave, by their ids."""
    job_dir.storage.write("script.json", json.dumps(behaviours).encode())


def states_on_disk(job_dir: JobDir, ids: list[str]) -> dict[str, TrialState]:
    """What the trials' state.json say."""
    return {trial: TrialDir(job_dir.storage, trial).read_state() for trial in ids}
