"""What is left to do of a job: each trial's state against what the job file asks for now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gandist.artifacts.job_dir import JobDir, TrialState
from gandist.errors import UsageError
from gandist.spec import TrialSpec

READERS = 16
"""States read at a time: each costs a round trip to the storage."""


@dataclass(frozen=True)
class Plan:
    """The trials to run, and how every trial of the job stands."""

    todo: tuple[TrialSpec, ...]
    states: dict[str, TrialState]


def read_states(job_dir: JobDir, trials: Iterable[str]) -> dict[str, TrialState]:
    """The state of each trial, by its id, in the order given."""
    ids = list(trials)
    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip(ids, readers.map(lambda trial: job_dir.trial(trial).read_state(), ids), strict=True))


def make_plan(trials: Sequence[TrialSpec], job_dir: JobDir, *, retry_failed: bool = False) -> Plan:
    """Find out which of ``trials`` must be run, or run further. Writes nothing.

    Args:
        trials: all of the job's.
        job_dir: where their states lie, if they have any.
        retry_failed: run those that ended as ``failed`` once more.

    Raises:
        UsageError: a trial was trained with settings that the job file no longer has.
    """
    states = read_states(job_dir, (trial.id for trial in trials))
    for trial in trials:
        _refuse_another(trial, states[trial.id], job_dir)
    return Plan(tuple(t for t in trials if _is_unfinished(t, states[t.id], retry_failed)), states)


def _refuse_another(trial: TrialSpec, state: TrialState, job_dir: JobDir) -> None:
    # Before its first step a trial has no past that other settings could contradict.
    if state.step > 0 and state.identity not in ("", trial.identity()):
        raise UsageError(
            f"trial {trial.id} was trained for {state.step} steps with other settings than the job has now: "
            f"give the job another name, or move {job_dir.trial(trial.id).storage.root} away"
        )


def _is_unfinished(trial: TrialSpec, state: TrialState, retry_failed: bool) -> bool:
    if state.status == "completed":
        return _grew(state.budget, trial.budget())
    if state.status == "failed":
        return retry_failed
    return not state.finished


def _grew(trained: str, asked: str) -> bool:
    """Whether the budget ``asked`` for exceeds the one ``trained`` for.

    Between two units only the data set's size could tell; then the trial itself finds out.
    """
    if trained in ("", asked):
        return False
    before, now = json.loads(trained), json.loads(asked)
    return before.keys() != now.keys() or any(now[unit] > before[unit] for unit in now)
