"""The process of an actor: how it is set up, and how it leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import ray

from gandist import environment
from gandist.runner.events import Finished, Progress, Requeued
from gandist.runner.schedule import PREEMPTED

from ..conftest import TESTS, Jobs, make_job
from ..fakes import script

A = "base-seed0"
RAYS = str(Path(ray.__file__).parent)


def test_a_trial_that_its_node_stops_goes_on_elsewhere_and_has_not_failed(ray_jobs: Jobs) -> None:
    script(ray_jobs.job_dir, {A: ["terminated"]})
    outcome = ray_jobs.run(make_job(seeds=1, schedule={"max_failures": 0}))
    (requeued,) = ray_jobs.of(Requeued)
    assert (requeued.failures, requeued.reason) == (0, PREEMPTED)
    assert [event.state.status for event in ray_jobs.of(Finished)] == ["stopped", "completed"]
    assert [event.state.step for event in ray_jobs.of(Progress)][-2:] == [2, 3]
    stopped, completed = (event.state for event in ray_jobs.of(Finished))
    assert stopped.host != completed.host, "the process that was stopped runs no other trial"
    assert outcome.states[A].attempts == 2


def test_actors_import_what_is_installed_and_have_gandists_environment(
    ray_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    script(ray_jobs.job_dir, {A: ["tell"]})
    told = json.loads(ray_jobs.run(make_job(seeds=1)).states[A].reason)
    # What comes before the standard library: what PYTHONPATH names, and what Ray's own programs need.
    before = told["path"][: told["path"].index(str(Path(os.__file__).parent))]
    assert [entry for entry in before if not (entry.endswith(".zip") or entry.startswith(RAYS))] == [TESTS]
    found = {name: told["variables"].get(name) for name in environment.PINNED}
    assert found == environment.PINNED
