"""What a backend tells the schedule, and the schedule whoever watches the job."""

from __future__ import annotations

from dataclasses import dataclass

from gandist.artifacts.job_dir import TrialState


@dataclass(frozen=True)
class Started:
    """A trial was given to a process; its first steps follow once TensorFlow and the data are loaded."""

    trial: str


@dataclass(frozen=True)
class Progress:
    """A trial trained on."""

    trial: str
    state: TrialState


@dataclass(frozen=True)
class Finished:
    """A trial ended by itself, or stopped when it was asked to."""

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
    """The traceback, where there is one."""


@dataclass(frozen=True)
class Requeued:
    """A lost trial is attempted again after ``delay_s``."""

    trial: str
    reason: str
    failures: int
    delay_s: float


@dataclass(frozen=True)
class Notice:
    """Something that a person should know about the job as a whole."""

    text: str


BackendEvent = Started | Progress | Finished | Lost
JobEvent = Started | Progress | Finished | Requeued | Notice
