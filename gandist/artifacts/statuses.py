"""What a trial's status means, in one table: whatever depends on a status asks its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal


class Counts(Enum):
    """What a status is for the job."""

    SUCCESS = "success"
    OUTCOME = "outcome"
    """A result, though not the one hoped for: the training itself ended the trial."""
    FAILURE = "failure"
    PRUNED = "pruned"
    """Not worth training on, by the job's own rule: neither a result of its training nor a failure."""
    UNFINISHED = "unfinished"


class Tone(Enum):
    """How a status looks, in a report and in a terminal."""

    GOOD = "good"
    GOING = "going"
    IDLE = "idle"
    CARE = "care"
    ODD = "odd"
    BAD = "bad"


@dataclass(frozen=True)
class Meaning:
    """One status.

    Attributes:
        name: as in ``state.json``.
        counts: what it is for the job.
        tone: how it looks.
        stored: whether a trial's state can say so; the others are found out by who looks at it.
        exported: whether the trial was trained to its end, and has a generator: more steps go on from there.
        active: whether a process has the trial, or is about to.
        mark: in a plot, at the end of the trial's curves: a marker of matplotlib.
        because: what that end says, for a legend.
    """

    name: str
    counts: Counts
    tone: Tone
    stored: bool = True
    active: bool = False
    exported: bool = False
    mark: str = ""
    because: str = ""

    @property
    def final(self) -> bool:
        """Whether there is nothing left to train."""
        return self.counts is not Counts.UNFINISHED

    @property
    def is_success(self) -> bool:
        """Whether the trial has done all that was asked for."""
        return self.counts is Counts.SUCCESS

    @property
    def is_outcome(self) -> bool:
        """Whether its training has ended the trial."""
        return self.counts is Counts.OUTCOME

    @property
    def usual(self) -> bool:
        """Whether nobody needs to look."""
        return self.tone in (Tone.GOOD, Tone.GOING, Tone.IDLE)


DIVERGED = Meaning("diverged", Counts.OUTCOME, Tone.BAD, mark="x", because="its losses were no longer finite")
STOPPED = Meaning("stopped", Counts.UNFINISHED, Tone.CARE)
PAUSED = Meaning("paused", Counts.UNFINISHED, Tone.IDLE)
"""At a rung, where it waits for the other configurations."""
PRUNED = Meaning("pruned", Counts.PRUNED, Tone.CARE)
MEANINGS: Mapping[str, Meaning] = {
    status.name: status
    for status in (
        Meaning("completed", Counts.SUCCESS, Tone.GOOD, exported=True),
        Meaning("running", Counts.UNFINISHED, Tone.GOING, active=True),
        Meaning("queued", Counts.UNFINISHED, Tone.IDLE),
        PAUSED,
        STOPPED,
        PRUNED,
        DIVERGED,
        Meaning(
            "unstable",
            Counts.OUTCOME,
            Tone.ODD,
            mark="+",
            because="early stopping found its losses out of bounds",
        ),
        Meaning(
            "mode_collapse",
            Counts.OUTCOME,
            Tone.ODD,
            exported=True,
            mark="d",
            because="the last evaluations found too few classes, or too little variety",
        ),
        Meaning(
            "discriminator_won",
            Counts.OUTCOME,
            Tone.ODD,
            exported=True,
            mark="v",
            because="the discriminator told all images apart, up to the end",
        ),
        Meaning("failed", Counts.FAILURE, Tone.BAD),
        Meaning("unreadable", Counts.FAILURE, Tone.BAD, stored=False),
        Meaning("starting", Counts.UNFINISHED, Tone.IDLE, stored=False, active=True),
        Meaning("requeued", Counts.UNFINISHED, Tone.IDLE, stored=False, active=True),
        Meaning("interrupted", Counts.UNFINISHED, Tone.BAD, stored=False),
    )
}
"""By name, the best ones first."""

FORMER = {"collapsed": "unstable"}
"""Names in states that earlier versions wrote, and today's."""

if TYPE_CHECKING:
    Status = str
else:
    Status = Literal[tuple(status.name for status in MEANINGS.values() if status.stored)]
