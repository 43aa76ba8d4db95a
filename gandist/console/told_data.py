"""What the trials of a job found in their data, told once for each data set.

The driver may not have the data: the first trial that has loaded it has written down what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gandist.artifacts.job_dir import JobDir
from gandist.data import DataOptions
from gandist.errors import StorageError
from gandist.runner.events import Finished, JobEvent, Notice, Progress
from gandist.spec.job import TrialSpec


class ToldData:
    """Passes events on, and adds a notice on each data set.

    Args:
        show: takes the events.
        job_dir: whose trials they are of.
        trials: with their data sections.
    """

    def __init__(
        self, show: Callable[[JobEvent], None], job_dir: JobDir, trials: Iterable[TrialSpec]
    ) -> None:
        self._show, self._job_dir = show, job_dir
        self._untold: dict[str, DataOptions] = {trial.id: trial.data for trial in trials}
        self._lines: set[str] = set()

    def __call__(self, event: JobEvent) -> None:
        """Show an event."""
        self._show(event)
        # In its first steps a trial has its data; while it does something else, it may not.
        if isinstance(event, Progress | Finished) and event.state.step and not event.state.activity:
            self._tell(event.trial)

    def _tell(self, trial: str) -> None:
        if (data := self._untold.get(trial)) is None:
            return
        self._untold = {other: options for other, options in self._untold.items() if options != data}
        try:
            found = self._job_dir.trial(trial).read_dataset()
        except StorageError:  # which the trial itself will tell of
            return
        for line in found.lines if found else ():
            if line not in self._lines:
                self._lines.add(line)
                self._show(Notice(f"data: {line}"))
