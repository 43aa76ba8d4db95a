"""One trial as a report knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gandist.artifacts.statuses import DIVERGED, MEANINGS, Counts, Meaning
from gandist.artifacts.trial_state import TrialState
from gandist.report.reading import Evaluations
from gandist.report.thinning import Thinned

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Trial:
    """One trial as it lies in storage."""

    id: str
    config: str
    seed: int
    status: str
    """``state.status``, or ``unreadable`` where the state is not one."""
    state: TrialState
    losses: Thinned
    evaluations: Evaluations = field(default_factory=Evaluations)
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What the discriminator says at the end of ``real`` and ``generated`` images, each float64 ``[n]``."""
    warnings: tuple[str, ...] = ()
    stamp: str = ""
    """Changes with what ``losses`` come from; empty where some of that was left out."""

    @property
    def meaning(self) -> Meaning:
        """What its status means."""
        return MEANINGS[self.status]

    @cached_property
    def ended(self) -> Meaning:
        """What its status means; losses that were not finite are a divergence, whatever the status is."""
        return self.meaning if self.meaning.is_outcome or self.losses.finite else DIVERGED

    @property
    def failed(self) -> bool:
        """Whether it ended without the result that it was for: in every ranking such a seed is the worst."""
        return self.ended.counts in (Counts.OUTCOME, Counts.FAILURE) and self.ended.stored
