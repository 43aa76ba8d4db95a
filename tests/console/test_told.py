"""What is said of a run, in which order, and of which it is complained."""

from __future__ import annotations

import signal

import pytest

from gandist.artifacts.trial_state import TrialState
from gandist.console.told import Told
from gandist.runner.events import Began, Notice, Outcome, Progress, RunEvent

FAILED = TrialState(status="failed", reason="/data/mnist.npz: no such file")
EVENTS: list[RunEvent] = [
    Notice("small: 1 trial"),
    Notice("seeds: one seed", warning=True),
    Began({"a": TrialState(), "b": TrialState()}),
    Progress("a", TrialState(status="running", step=1, total_steps=3)),
    Notice("stopping at the next checkpoint"),
]


def told(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    complaints: list[str] = []
    with Told(print, complaints.append) as show:
        for event in [*EVENTS, outcome]:
            show(event)
    return capsys.readouterr().out.splitlines(), complaints


def test_a_run_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    states = {"a": TrialState(status="completed"), "b": FAILED}
    said, complaints = told(Outcome(states, "runs/small"), capsys)
    assert [line.split("  ")[0] for line in said] == [
        "small: 1 trial",
        "a",
        "stopping at the next checkpoint",
        "1 completed, 1 failed",
    ]
    assert complaints == [
        "seeds: one seed",
        "b: failed: /data/mnist.npz: no such file",
        "once their cause is gone, the same command with --retry-failed runs them again",
    ]


def test_of_a_run_that_was_stopped_no_failure_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    states = {"a": TrialState(status="stopped"), "b": FAILED}
    said, complaints = told(Outcome(states, "runs/small", signal.SIGINT), capsys)
    assert said[-2:] == [
        "1 stopped, 1 failed",
        "stopped; the same command goes on from here; what there is: gandist report runs/small",
    ]
    assert complaints == ["seeds: one seed"]
