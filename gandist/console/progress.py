"""How a job stands, prepared for drawing: a row a trial, and a summary."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gandist.activity import clock
from gandist.artifacts.trial_state import TrialState
from gandist.runner.events import Alive, Finished, JobEvent, Notice, Progress, Requeued, Started

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
    def cells(self) -> tuple[str, ...]:
        """As text: trial, status, steps, images/s, d_loss, g_loss, what is left to say."""
        state = self.state
        return (
            self.trial,
            self.status,
            f"{state.step:,}/{state.total_steps:,}" if state.total_steps else "",
            rate(state.images_per_s) if state.images_per_s else "",
            loss(state.d_loss),
            loss(state.g_loss),
            self.reason or (f"ETA {clock(self.eta_s)}" if self.eta_s is not None else ""),
        )

    @property
    def line(self) -> str:
        """As one line of text."""
        trial, status, steps, images_per_s, d_loss, g_loss, last = self.cells
        named = (
            ("step {}", steps),
            ("{} images/s", images_per_s),
            ("d_loss {}", d_loss),
            ("g_loss {}", g_loss),
            ("{}", last),
        )
        return "  ".join(
            [trial, f"{status:<9}", *(form.format(value) for form, value in named if value)]
        ).rstrip()


@dataclass(frozen=True)
class Summary:
    """The job as a whole."""

    counts: Mapping[str, int]
    """Trials by status."""
    images_per_s: float
    """Of the running trials together."""

    def __str__(self) -> str:
        parts = [
            f"{sum(self.counts.values())} trials: " + ", ".join(f"{n} {s}" for s, n in self.counts.items())
        ]
        return "; ".join(parts + ([f"{rate(self.images_per_s)} images/s"] if self.images_per_s else []))


class Board:
    """Follows the events of a job.

    Args:
        states: every trial's, in the order to show them in.
        now: the clock, in seconds.
    """

    def __init__(self, states: Mapping[str, TrialState], now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._rows = {
            trial: Row(trial, _at_rest(state), state, reason=state.reason) for trial, state in states.items()
        }
        self._began: dict[str, tuple[float, int]] = {}
        """When an attempt was first heard of, and at which step."""

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
        return _summary(self.rows())

    def _eta_s(self, trial: str, state: TrialState) -> float | None:
        """From the pace of this attempt as seen from here: compiling, evaluating and writing included."""
        began, first = self._began.setdefault(trial, (self._now(), state.step))
        passed = self._now() - began
        if state.step <= first or passed <= 0 or not state.total_steps:
            return None
        return (state.total_steps - state.step) * passed / (state.step - first)


def recorded(states: Mapping[str, TrialState], now: float, driven: bool = True) -> tuple[list[Row], Summary]:
    """The rows of what lies in storage. A trial that is recorded as running may have lost its process since.

    Args:
        states: every trial's.
        now: Unix time.
        driven: whether a driver is alive; without one nothing runs, whatever is recorded.
    """
    rows = [_recorded(trial, state, now - state.updated_at, driven) for trial, state in states.items()]
    return rows, _summary(rows)


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
