"""What the outcome of a run amounts to."""

from __future__ import annotations

import signal

import pytest

from gandist.artifacts.trial_state import TrialState
from gandist.runner.events import Outcome


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (("completed", "diverged", "unstable"), 0),
        (("completed", "failed"), 1),
        (("completed", "stopped"), 1),
    ],
)
def test_exit_code(statuses: tuple[str, ...], code: int) -> None:
    states = {str(i): TrialState.model_validate({"status": status}) for i, status in enumerate(statuses)}
    assert Outcome(states, "a").exit_code == code
    assert Outcome(states, "a", signal.SIGTERM).exit_code == 143
