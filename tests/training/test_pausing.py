"""A trial that waits at a rung for others, and goes on as if it had not waited."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, losses, train

pytestmark = pytest.mark.usefixtures("compiled_once")

EVALUATED = {**SMALL, "evaluation": {"every_steps": 4, "samples": 100, "features": {"name": "pixels"}}}


def test_it_is_evaluated_waits_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    trial = tiny_trial(**EVALUATED)
    whole = train(trial, tmp_path / "whole")
    paused = trial.model_copy(update={"pause_kimg": 0.024})
    directory = train(paused, tmp_path / "paused")
    state = directory.read_state()
    assert (state.status, state.step, state.total_steps) == ("paused", 3, 6)
    assert state.reason == "waits at 0.024 kimg for the other configurations"
    assert [row["step"] for row in directory.read_metrics()] == [3]
    assert "pause_kimg" not in directory.parse_trial()
    train(paused, tmp_path / "paused")
    assert directory.read_state().step == 3
    train(trial, tmp_path / "paused")
    assert directory.read_state().status == "completed"
    assert losses(directory).equals(losses(whole))
    assert [row["step"] for row in directory.read_metrics()] == [3, 4, 6]
    assert directory.read_metrics()[1]["value"] == whole.read_metrics()[0]["value"]


def test_one_that_was_trained_further_before_is_evaluated_where_it_stands(tmp_path: Path) -> None:
    trial = tiny_trial(**SMALL)
    train(trial, tmp_path, stop_after=5)
    paused = tiny_trial(**EVALUATED).model_copy(update={"pause_kimg": 0.024})
    directory = train(paused, tmp_path)
    assert (directory.read_state().status, directory.read_state().step) == ("paused", 5)
    assert [row["step"] for row in directory.read_metrics()] == [5]
