"""What a backend tells the schedule, and a run whoever watches it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gandist.artifacts.statuses import Counts
from gandist.artifacts.trial_state import TrialState


@dataclass(frozen=True)
class Started:
    """A trial was given to a process; its first steps follow once TensorFlow and the data are loaded."""

    trial: str


@dataclass(frozen=True)
class Alive:
    """A sign of life of a trial whose state cannot be read yet."""

    trial: str
    activity: str


@dataclass(frozen=True)
class Progress:
    """A trial trained on, or does something else that takes long: ``state.activity``."""

    trial: str
    state: TrialState


@dataclass(frozen=True)
class Finished:
    """A trial ended by itself, or stopped when it was asked to: by this driver, or by its node."""

    trial: str
    state: TrialState


@dataclass(frozen=True)
class Lost:
    """An attempt ended without a result."""

    trial: str
    reason: str
    """One line."""
    retry: bool = True
    """Whether another attempt could end better."""
    detail: str = ""
    """The traceback, or all that Ray knows of the process' end."""
    preempted: bool = False
    """Whether its node was told to go: no failure of the trial's."""


@dataclass(frozen=True)
class Requeued:
    """A trial is attempted again after ``delay_s``."""

    trial: str
    reason: str
    failures: int
    """So far, this one included; 0 where nothing has failed: its node had to go."""
    delay_s: float


@dataclass(frozen=True)
class Notice:
    """Something that a person should know about the job as a whole."""

    text: str
    warning: bool = False
    """Whether it is probably not meant, or takes patience."""


@dataclass(frozen=True)
class Began:
    """All is ready, and trials are about to be started."""

    states: Mapping[str, TrialState]
    """Of every trial of the job."""
    steps: Mapping[str, int] = field(default_factory=dict)
    """How many a trial will have in the end, as far as that is known before it begins."""


@dataclass(frozen=True)
class Outcome:
    """How the trials of a job stand after a run, finished earlier or now; the last event."""

    states: Mapping[str, TrialState]
    root: str
    """The job directory."""
    signal: int | None = None
    """The number of the one that stopped it at a checkpoint."""

    @property
    def counts(self) -> dict[str, int]:
        """Trials by status."""
        return dict(Counter(state.status for state in self.states.values()))

    @property
    def exit_code(self) -> int:
        """What the command line ends with. Divergence and instability are results; a failed trial is not."""
        if self.signal is not None:
            return 128 + self.signal
        meanings = [state.meaning for state in self.states.values()]
        return 0 if all(it.final and it.counts is not Counts.FAILURE for it in meanings) else 1


BackendEvent = Started | Alive | Progress | Finished | Lost | Notice
JobEvent = Started | Alive | Progress | Finished | Requeued | Notice
RunEvent = Began | JobEvent | Outcome
