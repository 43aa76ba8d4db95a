"""What takes long besides training is told, can be stopped, and is made up for by the next attempt."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gandist import activity, data
from gandist.activity import Activity, Tell, silent
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.training import standing
from gandist.training.evaluation import Evaluator
from gandist.training.trial import run_trial
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, generated, losses, train, weights

pytestmark = pytest.mark.usefixtures("compiled_once")

EVALUATED = {**SMALL, "evaluation": {"every_steps": 3, "samples": 100}, "checkpoint": {"every_steps": 100}}


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "EVERY_S", 0.005)
    monkeypatch.setattr(standing, "STATE_S", 0.0)


def slow(work: Callable[..., Any], what: str, seen: threading.Event) -> Callable[..., Any]:
    """``work``, which first tells ``what`` until it was seen."""

    def slowed(*args: Any) -> Any:
        tell: Tell = args[-1]
        for done in itertools.count():
            tell(Activity(what, done, 10**6))
            if seen.wait(0.001):
                break
        return work(*args)

    return slowed


def states(root: Path, stop: threading.Event, **sections: Any) -> Iterator[TrialState]:
    return run_trial(tiny_trial(**sections), str(root), None, stop)


def directory(root: Path) -> TrialDir:
    return JobDir(str(root)).trial("base-seed0")


def metrics(found: TrialDir) -> list[tuple[int, float]]:
    return [(row["step"], row["value"]) for row in found.read_metrics()]


def test_loading_data_is_told_shown_in_storage_and_gone_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = threading.Event()
    monkeypatch.setattr(data, "load", slow(data.load, "decoding pictures", seen))
    told, written = [], []
    for state in states(tmp_path, threading.Event(), **SMALL):
        assert state.status in ("running", "completed")
        told.append(state.activity)
        written.append(directory(tmp_path).read_state().activity)
        if any(text.endswith("left") for text in written):
            seen.set()
    assert any(re.fullmatch(r"decoding pictures [\d,]+/1,000,000, .* left", text) for text in told)
    assert "building the networks" in told
    assert (told[-1], written[-1], directory(tmp_path).read_state().activity) == ("", "", "")


def test_a_trial_stopped_while_it_loads_leaves_at_once_and_can_begin_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(data, "load", slow(data.load, "decoding pictures", threading.Event()))
        for state in states(tmp_path, stop, **SMALL):
            assert state.status == "stopped" or not stop.is_set()
            stop.set()
    assert (state.status, state.step, state.reason) == ("stopped", 0, "asked to stop")
    assert directory(tmp_path).read_state() == state
    assert train(tiny_trial(**SMALL), tmp_path).read_state().status == "completed"


def test_an_evaluation_is_told_image_by_image(tmp_path: Path) -> None:
    told: list[Activity] = []
    original = Evaluator.evaluate

    def evaluate(self: Evaluator, sampler: Any, judge: Any, tell: Tell = silent) -> Any:
        return original(self, sampler, judge, lambda one: (told.append(one), tell(one)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluator, "evaluate", evaluate)
        train(tiny_trial(**EVALUATED), tmp_path)
    steps = [Activity("generating images", 0, 100), Activity("computing metrics", 0, 1)]
    assert [one for one in told if one in steps] == 2 * steps


def test_a_stop_does_not_wait_for_an_evaluation_which_the_next_attempt_makes_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(tiny_trial(**EVALUATED), tmp_path / "whole")
    stop = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, "evaluate", slow(Evaluator.evaluate, "generating", threading.Event()))
        for state in states(tmp_path / "stopped", stop, **EVALUATED):
            if state.activity.startswith("generating"):
                stop.set()
    assert (state.status, state.step) == ("stopped", 3)
    assert metrics(directory(tmp_path / "stopped")) == []
    resumed = train(tiny_trial(**EVALUATED), tmp_path / "stopped")
    assert metrics(resumed) == metrics(whole)
    assert [step for step, _ in metrics(whole)] == [3, 6]
    assert losses(resumed).equals(losses(whole))
    assert (generated(resumed), weights(resumed)) == (generated(whole), weights(whole))


def test_a_storage_that_takes_its_time_is_told_while_the_trial_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = threading.Event()
    write = TrialDir.write_losses

    def slowly(self: TrialDir, rows: Any) -> None:
        for _ in range(2000):
            if seen.wait(0.005):
                break
            self.storage._retry.sleep(0.0)  # as where it refuses
        write(self, rows)

    monkeypatch.setattr(TrialDir, "write_losses", slowly)
    told = []
    for state in states(tmp_path, threading.Event(), **SMALL):
        told.append(state.activity)
        if "waiting for the storage, which refuses" in told:
            seen.set()
    assert seen.is_set()
    assert state.status == "completed"
