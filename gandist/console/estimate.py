"""How far a job as a whole is, and when it will be done: from its trials' steps, paces and places."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gandist.activity import clock


@dataclass(frozen=True)
class Part:
    """One trial of a job.

    Attributes:
        step: how far it is.
        total: its steps; 0 = not known yet.
        pace: seconds a step, as seen; None = not yet.
        active: whether it has a place, or is about to have its place back.
        ended: whether nothing is left to train.
    """

    step: int
    total: int
    pace: float | None = None
    active: bool = False
    ended: bool = False


@dataclass(frozen=True)
class Estimate:
    """A job as a whole."""

    share: float
    """Of all steps that are done, from 0 to 1."""
    eta_s: float | None = None
    """None while nothing is known of any pace."""

    def __str__(self) -> str:
        eta = "" if self.eta_s is None else f", ETA {clock(self.eta_s)}"
        return f"{int(100 * self.share)}% done{eta}"


def estimate(parts: Sequence[Part]) -> Estimate | None:
    """The whole of ``parts``, in the order in which they are run; None where nothing is left or known.

    What is not known of a part is taken to be as in the mean of the others.
    """
    if not any(part.total for part in parts) or all(part.ended for part in parts):
        return None
    usual = _mean(part.total for part in parts if part.total)
    totals = [part.step if part.ended else part.total or max(usual, part.step) for part in parts]
    done = sum(min(part.step, total) for part, total in zip(parts, totals, strict=True))
    share = done / total if (total := sum(totals)) else 0.0
    paces = [part.pace for part in parts if part.pace is not None]
    places: list[float] = []
    waiting: list[float] = []
    for part, steps in zip(parts, totals, strict=True):
        if paces and not part.ended:
            pace = _mean(paces) if part.pace is None else part.pace
            (places if part.active else waiting).append(max(0.0, steps - part.step) * pace)
    if not places:
        return Estimate(share)
    heapq.heapify(places)
    for seconds in waiting:  # each takes the place that is free first
        heapq.heapreplace(places, places[0] + seconds)
    return Estimate(share, max(places))


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)
