"""Which trials of a job have written something since they were last looked at."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.storage import Storage
from gandist.artifacts.trials import READERS

FILES = ("state.json", TrialDir.METRICS, TrialDir.EVALUATED)
"""A trial that runs replaces its state every few seconds, and behind everything else in the end."""
AT_ONCE = 120
"""Files that are asked for together: one by one in an object store, in no time on a disk."""

Stamps = tuple[str | None, ...]
"""Of each of ``FILES``; None for one that is not there."""


class Changes:
    """Remembers the stamps of the trials of one job."""

    def __init__(self) -> None:
        self._stamps: dict[str, Stamps] = {}

    def look(self, storage: Storage, trials: Sequence[str]) -> dict[str, Stamps]:
        """Those of ``trials`` that have changed since the last look, the first time all of them.

        Raises:
            StorageError: the storage refused.
        """
        paths = [f"trials/{trial}/{name}" for trial in trials for name in FILES]
        groups = [paths[first : first + AT_ONCE] for first in range(0, len(paths), AT_ONCE)]
        found: dict[str, str] = {}
        with ThreadPoolExecutor(READERS) as readers:
            for stamps in readers.map(storage.file_stamps, groups):
                found |= stamps
        now = {trial: tuple(found.get(f"trials/{trial}/{name}") for name in FILES) for trial in trials}
        changed = {trial: stamps for trial, stamps in now.items() if self._stamps.get(trial) != stamps}
        self._stamps = now
        return changed
