"""What a backend tells the schedule, and the schedule whoever watches the job."""

from __future__ import annotations

from dataclasses import dataclass

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


BackendEvent = Started | Alive | Progress | Finished | Lost | Notice
JobEvent = Started | Alive | Progress | Finished | Requeued | Notice
