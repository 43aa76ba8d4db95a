"""What is left to do of a job: each trial's state against what the job file asks for now."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.statuses import PRUNED, Counts
from gandist.artifacts.trial_state import TrialState
from gandist.artifacts.trials import READERS, read_states
from gandist.errors import UsageError
from gandist.spec.continuation import continues, differences
from gandist.spec.trial import TrialSpec

MAX_LINES = 20
"""Of a refusal."""


@dataclass(frozen=True)
class Plan:
    """The trials to run, and how every trial of the job stands."""

    todo: tuple[TrialSpec, ...]
    states: dict[str, TrialState]
    aside: tuple[str, ...] = ()
    """The trials whose directories must make way first; ``states`` has them as new."""


def make_plan(
    trials: Sequence[TrialSpec], job_dir: JobDir, *, retry_failed: bool = False, fresh: bool = False
) -> Plan:
    """Find out which of ``trials`` must be run, or run further. Writes nothing.

    Args:
        trials: all of the job's.
        job_dir: where their states lie, if they have any.
        retry_failed: run those that ended as ``failed`` once more.
        fresh: train those anew that were trained with other settings.

    Raises:
        UsageError: a trial was trained with settings that the job file no longer has, and not ``fresh``.
    """
    states = read_states(job_dir, (trial.id for trial in trials))
    with ThreadPoolExecutor(READERS) as readers:
        another = readers.map(lambda trial: _is_another(trial, states[trial.id], job_dir), trials)
        changed = [trial for trial, is_another in zip(trials, another, strict=True) if is_another]
    if changed and not fresh:
        raise UsageError(refusal(changed, job_dir))
    states |= {trial.id: TrialState() for trial in changed}
    todo = tuple(trial for trial in trials if _is_unfinished(trial, states[trial.id], retry_failed))
    return Plan(todo, states, tuple(trial.id for trial in changed))


def refusal(changed: Sequence[TrialSpec], job_dir: JobDir) -> str:
    """Why the ``changed`` trials cannot be continued, and what to do; lines.

    Raises:
        StorageError: the storage refused.
    """
    lines: list[str] = []
    first_of_each_config = {trial.config: trial for trial in reversed(changed)}
    for trial in reversed(first_of_each_config.values()):  # its other seeds differ alike
        if len(lines) > MAX_LINES:
            break
        before = job_dir.trial(trial.id).read_trial()
        found = differences(before, trial) if before else []
        lines += [f"  {trial.id}: {line}" for line in found or ["its trial.yaml does not say which"]]
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = ["  ..."]
    others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return "\n".join(
        [
            f"{changed[0].id}{others}: trained with other settings than the job has now:",
            *lines,
            f"give the job another name, or train anew with --fresh (which keeps what there is in "
            f"{job_dir.root}/{JobDir.ASIDE}/)",
        ]
    )


def _is_another(trial: TrialSpec, state: TrialState, job_dir: JobDir) -> bool:
    # Before its first step a trial has no past that other settings could contradict.
    return state.step > 0 and not continues(trial, state, job_dir.trial(trial.id))


def _is_unfinished(trial: TrialSpec, state: TrialState, retry_failed: bool) -> bool:
    if state.meaning.exported:
        return _grew(state.budget, trial.budget())
    if state.meaning.counts is Counts.FAILURE:
        return retry_failed
    return not state.finished or state.meaning is PRUNED  # which is decided anew


def _grew(trained: str, asked: str) -> bool:
    """Whether the budget ``asked`` for exceeds the one ``trained`` for.

    Between two units only the data set's size could tell; then the trial itself finds out.
    """
    if trained in ("", asked):
        return False
    before, now = json.loads(trained), json.loads(asked)  # a state with another text than JSON is not read
    return before.keys() != now.keys() or any(now[unit] > before[unit] for unit in now)


def shortened(trials: Sequence[TrialSpec], states: Mapping[str, TrialState]) -> str | None:
    """Which of ``trials`` have trained further than the job file asks for now, and what becomes of them."""
    ahead = [trial.id for trial in trials if _is_ahead(trial, states[trial.id])]
    if not ahead:
        return None
    finished = sum(states[trial].finished for trial in ahead)
    ends = [f"{finished} finished, which stay as they are"] * bool(finished)
    ends += [f"{len(ahead) - finished} that end where they stand"] * (finished < len(ahead))
    others = f" and {len(ahead) - 1} more" if len(ahead) > 1 else ""
    asked = next(trial for trial in trials if trial.id == ahead[0]).budget().strip("{}").replace('"', "")
    return (
        f"{ahead[0]}{others}: trained further than training.{asked.replace(':', ': ')} asks for now "
        f"({', '.join(ends)}); to train all for equally long, give the job another name"
    )


def _is_ahead(trial: TrialSpec, state: TrialState) -> bool:
    if not state.step or state.budget in ("", trial.budget()):
        return False
    [(unit, asked)] = json.loads(trial.budget()).items()
    epochs = re.fullmatch(r'\{"epochs":(\d{1,9})\}', state.budget)
    passed = int(epochs[1]) * state.step / max(1, state.total_steps) if epochs else 0.0
    done: float = {"steps": state.step, "kimg": state.kimg, "epochs": passed}[unit]
    return bool(done - asked >= done / state.step)  # a whole step: lengths are rounded up to steps
