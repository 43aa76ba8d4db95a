"""How a training that went its way has ended: what the recorded rows and losses say of it. Pure, so that a
trial that was interrupted ends as one that was not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from operator import itemgetter
from typing import Any

import numpy as np

from gandist.artifacts.selection import Best
from gandist.artifacts.tables import SELECTION
from gandist.losses import LossOptions
from gandist.spec.sections import DiscriminatorWon, Evaluation, ModeCollapse
from gandist.spec.trial import TrialSpec

WINDOWS = 10
"""Into which the steps are cut that a discriminator must have won in a row."""


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Attributes:
        status: one of ``statuses.MEANINGS``.
        reason: what was seen, and since which step.
    """

    status: str
    reason: str


def ends_early(rows: Sequence[Mapping[str, Any]], best: Best | None, evaluation: Evaluation) -> str:
    """Why the training ends after the newest of the recorded evaluations; empty where it goes on.

    Args:
        rows: of ``tables.METRICS``, in the order of steps.
        best: of them.
        evaluation: says what ends it.
    """
    if best is not None and evaluation.patience is not None and best.behind >= evaluation.patience:
        return f"no better {evaluation.select} in {best.behind} evaluations since step {best.step:,}"
    options = evaluation.mode_collapse
    collapsed = mode_collapse(rows, options, at_the_end=False) if options and options.ends else None
    return collapsed.reason if collapsed else ""


def find(
    trial: TrialSpec,
    rows: Sequence[Mapping[str, Any]],
    newest_first: Iterable[tuple[np.ndarray, np.ndarray]],
) -> Outcome | None:
    """What went wrong in a training that has ended; None where nothing did. Arguments as below."""
    collapse = trial.evaluation and trial.evaluation.mode_collapse
    if collapse and (found := mode_collapse(rows, collapse, at_the_end=True)):
        return found
    won = trial.training.discriminator_won
    return discriminator_won(newest_first, trial.loss, won) if won else None


def mode_collapse(
    rows: Sequence[Mapping[str, Any]], options: ModeCollapse, *, at_the_end: bool
) -> Outcome | None:
    """Whether the last evaluations found too few classes, or too little of the real images' variety.

    Args:
        rows: of ``tables.METRICS``, in the order of steps.
        options: what is too little.
        at_the_end: fewer evaluations will do, where there are no more.
    """
    reported = (row for row in rows if row["split"] != SELECTION)
    evaluations = [(step, list(some)) for step, some in groupby(reported, key=itemgetter("step"))]
    found = [(step, _lacks(some, options)) for step, some in reversed(evaluations)]
    collapsed = list(takewhile(itemgetter(1), found))
    needed = min(options.evaluations, len(found)) if at_the_end else options.evaluations
    if not collapsed or len(collapsed) < needed:
        return None
    (last, lacks), (since, _) = collapsed[0], collapsed[-1]
    return Outcome("mode_collapse", f"{lacks} at step {last:,}, too little since step {since:,}")


def _lacks(rows: Iterable[Mapping[str, Any]], options: ModeCollapse) -> str:
    """What one evaluation found too little of; empty where nothing, or where that was not measured."""
    lacks = []
    for row in rows:
        value, perfect = row["value"], row["floor"]
        if row["metric"] == "modes" and perfect and value < options.modes * perfect:
            lacks.append(f"{value:.0f} of {perfect:.0f} classes")
        if row["metric"] == "recall" and value < options.recall:
            lacks.append(f"recall {value:.3f}")
    return ", ".join(lacks)


def discriminator_won(
    newest_first: Iterable[tuple[np.ndarray, np.ndarray]], loss: LossOptions, options: DiscriminatorWon
) -> Outcome | None:
    """Whether the discriminator has told real from generated images almost without a mistake up to the end.

    Its loss is averaged over windows of steps that are counted from the last one.

    Args:
        newest_first: ``(step, d_loss)`` of consecutive steps, in parts from the last one backwards; no more
            of them are taken than are needed.
        loss: that of the trial.
        options: which loss is too low, for how many steps.
    """
    if loss.bounds is None:
        return None
    least, guessing = loss.bounds
    limit = least + options.margin * (guessing - least)
    windows = _windows(newest_first, max(1, options.steps // WINDOWS))
    won = list(takewhile(lambda window: window[1] < limit, windows))
    if len(won) < WINDOWS:
        return None
    (_, d_loss), (since, _) = won[0], won[-1]
    return Outcome(
        "discriminator_won",
        f"d_loss {d_loss:.2g} in the end, where guessing costs {guessing:.2g}: below {limit:.2g} since step "
        f"{since:,}",
    )


def _windows(newest_first: Iterable[tuple[np.ndarray, np.ndarray]], size: int) -> Iterator[tuple[int, float]]:
    """The first step and the average of each window of ``size`` steps, from the last one backwards."""
    steps, losses = np.empty(0, np.int64), np.empty(0)
    for part in newest_first:
        steps, losses = (np.concatenate(pair) for pair in zip(part, (steps, losses), strict=True))
        while len(steps) >= size:
            # fsum: the same sum however the losses were cut into parts.
            yield int(steps[-size]), math.fsum(losses[-size:]) / size
            steps, losses = steps[:-size], losses[:-size]
