"""What is to be said of a job that asks for less than was trained."""

from __future__ import annotations

from typing import Any

import pytest

from gandist.artifacts.trial_state import TrialState
from gandist.runner.plan import shortened

from .conftest import make_job

LONG, SHORT = {"epochs": 50}, {"epochs": 20}


@pytest.mark.parametrize(
    ("trained", "asked", "step", "status", "says"),
    [
        (LONG, SHORT, 100, "completed", "1 finished, which stay as they are"),
        (LONG, SHORT, 60, "stopped", "1 that end where they stand"),
        (LONG, SHORT, 30, "stopped", None),
        (LONG, LONG, 100, "completed", None),
        (SHORT, LONG, 100, "completed", None),
        ({"steps": 9}, {"steps": 6}, 7, "running", "1 that end where they stand"),
        ({"steps": 9}, {"steps": 6}, 6, "running", None),
        ({"steps": 90}, {"kimg": 2.0}, 90, "completed", "1 finished"),
        ({"kimg": 9.0}, {"steps": 90}, 90, "completed", None),
    ],
)
def test_a_length_that_shrank_is_told_with_what_becomes_of_the_trials(
    trained: dict[str, float], asked: dict[str, float], step: int, status: Any, says: str | None
) -> None:
    (before,), (now,) = (make_job(seeds=1, training=budget).trials for budget in (trained, asked))
    state = TrialState(status=status, step=step, total_steps=100, kimg=step / 10, budget=before.budget())
    line = shortened([now], {now.id: state})
    if says is None:
        assert line is None
    else:
        assert line is not None
        assert line.startswith("base-seed0: trained further than training.")
        assert says in line
