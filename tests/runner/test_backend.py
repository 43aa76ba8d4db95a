"""One attempt at a trial, as events."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from gandist import activity
from gandist.runner.backend import attempt
from gandist.runner.events import Alive, Finished
from gandist.runner.local_backend import LocalBackend

from .conftest import make_job

seen = threading.Event()


def test_loading_what_trains_is_a_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a slow disk TensorFlow takes a minute, and a stall timeout may be shorter."""
    monkeypatch.setattr(activity, "EVERY_S", 0.005)
    module = tmp_path / "slow_to_import.py"
    module.write_text(
        f"import {__name__} as test\ntest.seen.wait(30)\nfrom tests.runner.fakes import run_trial\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    trial = make_job(seeds=1).trials[0]
    events = []
    for event in attempt("slow_to_import:run_trial", trial, str(tmp_path), None, threading.Event()):
        events.append(event)
        seen.set()
    assert events[0] == Alive("base-seed0", "loading TensorFlow")
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("before", [None, "0,1"])
def test_gpus_are_hidden_while_a_job_without_them_runs_in_this_process_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if before is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
    with LocalBackend(make_job(resources={"gpus": 0}), str(tmp_path), None) as backend:
        backend.admit()
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == before
