"""The trials of a job, as its directory lists them, and how each stands."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.trial_state import TrialState
from gandist.errors import NotAJobError

READERS = 16
"""States read at a time: each costs a round trip to the storage."""


def read_manifest(job_dir: JobDir) -> Manifest:
    """The job's manifest, every entry of which is a trial.

    Raises:
        NotAJobError: there is no job in that directory.
    """
    found = job_dir.read_manifest()
    if found.problems:
        raise NotAJobError(
            f"{job_dir.storage.where('manifest.json')}: its trials are no list of ids, configs and seeds "
            f"({found.problems[0].partition(':')[0]}); delete the entry, or give the job another name"
        )
    return found


def listed_trials(job_dir: JobDir) -> list[str]:
    """The ids of all trials that the job has had. Raises like ``read_manifest``."""
    return [trial.id for trial in read_manifest(job_dir).trials]


def read_states(job_dir: JobDir, trials: Iterable[str]) -> dict[str, TrialState]:
    """The state of each trial, by its id, in the order given."""
    ids = list(trials)
    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip(ids, readers.map(lambda trial: job_dir.trial(trial).read_state(), ids), strict=True))
