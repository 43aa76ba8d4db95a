"""One attempt at a trial, as events."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gandist import activity
from gandist.runner.backend import attempt
from gandist.runner.events import Alive, Finished

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
