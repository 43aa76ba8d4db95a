"""How a job stands, prepared for drawing: a row a trial, and a summary."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gandist.activity import clock
from gandist.artifacts.statuses import MEANINGS
from gandist.artifacts.trial_state import TrialState
from gandist.console.estimate import Estimate, Part, estimate
from gandist.runner.events import Alive, Finished, JobEvent, Notice, Progress, Requeued, Started

BEFORE = (
    "loading TensorFlow",
    "loading the data",
    "looking for checkpoints",
    "building the networks",
    "compiling",
)
"""Of ``TrialState.seconds``: once an attempt, so they say nothing of a step."""
CLOCKS_S = 60.0
"""By which clocks of machines differ and nobody minds."""


@dataclass(frozen=True)
class Row:
    """One trial."""

    trial: str
    status: str
    """As in its state; ``starting`` and ``requeued``, which a driver knows; ``interrupted`` without one."""
    state: TrialState
    eta_s: float | None = None
    reason: str = ""

    @property
    def steps(self) -> str:
        """As text; empty before it has begun. So are the others."""
        return f"{self.state.step:,}/{self.state.total_steps:,}" if self.state.total_steps else ""

    @property
    def share(self) -> str:
        """Of its steps."""
        state = self.state
        return f"{100 * state.step // state.total_steps}%" if state.total_steps else ""

    @property
    def rate(self) -> str:
        """Images a second."""
        return rate(self.state.images_per_s) if self.state.images_per_s else ""

    @property
    def d_loss(self) -> str:
        """The discriminator's loss."""
        return loss(self.state.d_loss)

    @property
    def g_loss(self) -> str:
        """The generator's loss."""
        return loss(self.state.g_loss)

    @property
    def last(self) -> str:
        """What is left to say."""
        return self.reason or (f"ETA {clock(self.eta_s)}" if self.eta_s is not None else "")

    @property
    def line(self) -> str:
        """As one line of text."""
        named = (
            ("step {}", self.steps),
            ("{} images/s", self.rate),
            ("d_loss {}", self.d_loss),
            ("g_loss {}", self.g_loss),
            ("{}", self.last),
        )
        values = (form.format(value) for form, value in named if value)
        return "  ".join([self.trial, f"{self.status:<9}", *values]).rstrip()


@dataclass(frozen=True)
class Summary:
    """The job as a whole."""

    counts: Mapping[str, int]
    """Trials by status."""
    images_per_s: float
    """Of the running trials together."""
    whole: Estimate | None = None
    """How far all of it is, where that is known and something is left."""

    @property
    def several(self) -> bool:
        """Whether it is more than one trial."""
        return sum(self.counts.values()) > 1

    @property
    def trials(self) -> str:
        """How they stand, as text."""
        counts = ", ".join(f"{n} {s}" for s, n in self.counts.items())
        count = sum(self.counts.values())
        parts = [f"{count} trial{'s'[: count != 1]}: {counts}"]
        return "; ".join(parts + ([f"{rate(self.images_per_s)} images/s"] if self.images_per_s else []))

    def __str__(self) -> str:
        return self.trials if self.whole is None else f"{self.trials}; {self.whole}"


class Board:
    """Follows the events of a job.

    Args:
        states: every trial's, in the order to show them in.
        now: the clock, in seconds.
        steps: how many a trial will have in the end, where that is known before it says so.
    """

    def __init__(
        self,
        states: Mapping[str, TrialState],
        now: Callable[[], float] = time.monotonic,
        steps: Mapping[str, int] | None = None,
    ) -> None:
        self._now = now
        self._steps = steps or {}
        self._rows = {
            trial: Row(trial, _at_rest(state), state, reason=state.reason) for trial, state in states.items()
        }
        self._began: dict[str, tuple[float, int]] = {}
        """When an attempt was first heard of, and at which step."""
        self._paces: dict[str, float] = {}
        """Seconds a step of each trial, as last seen."""

    def update(self, event: JobEvent) -> Row | None:
        """Take in an event; the row that it changed."""
        if isinstance(event, Notice):
            return None
        state = event.state if isinstance(event, Progress | Finished) else self._rows[event.trial].state
        match event:
            case Started():
                self._began.pop(event.trial, None)
                row = Row(event.trial, "starting", state)
            case Alive():
                row = Row(event.trial, "starting", state, reason=event.activity)
            case Progress() if state.activity:
                row = Row(event.trial, "running", state, reason=state.activity)
            case Progress():
                row = Row(event.trial, "running", state, self._eta_s(event.trial, state))
            case Finished():
                if event.trial in self._began:
                    self._eta_s(event.trial, state)  # the pace of a short trial is known by its end only
                row = Row(event.trial, state.status, state, reason=state.reason)
            case Requeued():
                lost = f"lost ({event.failures}): " if event.failures else ""
                again = f"{lost}{event.reason}; again in {event.delay_s:.0f} s"
                row = Row(event.trial, "requeued", state, reason=again)
        self._rows[event.trial] = row
        return row

    def rows(self) -> list[Row]:
        """Every trial."""
        return list(self._rows.values())

    def summary(self) -> Summary:
        """All trials together."""
        rows = self.rows()
        parts = [_part(row, self._total(row), self._paces.get(row.trial)) for row in rows]
        return replace(_summary(rows), whole=estimate(parts))

    def _total(self, row: Row) -> int:
        """Its steps: a trial that goes on for longer than it was to says so once it runs."""
        total = row.state.total_steps
        return total if total and row.status == "running" else self._steps.get(row.trial, total)

    def _eta_s(self, trial: str, state: TrialState) -> float | None:
        """From the pace of this attempt as seen from here: compiling, evaluating and writing included."""
        began, first = self._began.setdefault(trial, (self._now(), state.step))
        passed = self._now() - began
        if state.step <= first or passed <= 0 or not state.total_steps:
            return None
        pace = self._paces[trial] = passed / (state.step - first)
        return (state.total_steps - state.step) * pace


def recorded(states: Mapping[str, TrialState], now: float, driven: bool = True) -> tuple[list[Row], Summary]:
    """The rows of what lies in storage. A trial that is recorded as running may have lost its process since.

    Args:
        states: every trial's.
        now: Unix time.
        driven: whether a driver is alive; without one nothing runs, whatever is recorded.
    """
    rows = [_recorded(trial, state, now - state.updated_at, driven) for trial, state in states.items()]
    parts = [_part(row, row.state.total_steps, _pace(row.state)) for row in rows]
    return rows, replace(_summary(rows), whole=estimate(parts))


def _part(row: Row, total: int, pace: float | None) -> Part:
    meaning = MEANINGS[row.status]
    return Part(row.state.step, total, pace, active=meaning.active, ended=meaning.final)


def _pace(state: TrialState) -> float | None:
    """Seconds a step of what is recorded, over all attempts, without what came before their first steps."""
    seconds = sum(spent for what, spent in state.seconds.items() if what not in BEFORE) or state.train_s
    return seconds / state.step if state.step and seconds else None


def _recorded(trial: str, state: TrialState, age_s: float, driven: bool) -> Row:
    if not state.meaning.active:
        return Row(trial, state.status, state, reason=state.reason)
    if not driven:
        return Row(trial, "interrupted", state, reason=_age(age_s))
    return Row(trial, "running", state, reason="; ".join(filter(None, (state.activity, _age(age_s)))))


def _age(seconds: float) -> str:
    """Of what another machine may have written, whose clock is its own."""
    if seconds < -CLOCKS_S:
        return f"written by a clock that is {clock(-seconds)} ahead"
    return f"written {clock(max(0.0, seconds))} ago"


def _summary(rows: list[Row]) -> Summary:
    running = (row.state.images_per_s for row in rows if row.status == "running")
    return Summary(dict(Counter(row.status for row in rows)), sum(running))


def _at_rest(state: TrialState) -> str:
    """Nothing runs before the schedule says so, whatever a driver that was killed has left behind."""
    return "queued" if state.meaning.active else state.status


def rate(value: float) -> str:
    """``3.1k`` for 3100."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def loss(value: float | None) -> str:
    """Two decimals; nothing where there is no number."""
    return "" if value is None or math.isnan(value) else f"{value:.2f}"
