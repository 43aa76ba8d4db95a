"""The process of an actor: how it is set up, and how it leaves."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import ray

from gandist import environment
from gandist.runner.events import Finished, JobEvent, Progress, Requeued
from gandist.runner.schedule import PREEMPTED
from gandist.spec.loading import load_job
from gandist.spec.plugins import use
from tests.plugins import write_example

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


def test_a_plugin_travels_with_the_trial(ray_jobs: Jobs, tmp_path: Path) -> None:
    """Actors have neither its file nor the classes that the driver has made of it."""
    job_file, file = write_example(tmp_path / "own")
    job = load_job(job_file, ["seeds=0"], [file])
    file.unlink()
    try:
        ray_jobs.run(job)
    finally:
        use(())
    trained = ray_jobs.job_dir.trial(A).read_trial()  # as the trial itself has written it
    assert (trained["loss"]["name"], trained["loss"]["margin"]) == ("squared_hinge", 0.5)
    assert trained["plugins"] == job.spec.plugins


def test_ray_knows_actors_by_job_and_what_they_do_by_trial(ray_jobs: Jobs) -> None:
    """Of three trials one actor runs two at least: what names the trial follows it."""
    trials = [A, "base-seed1", "base-seed2"]
    script(ray_jobs.job_dir, {trial: ["tell"] for trial in trials})
    actors: set[str] = set()

    def look(event: JobEvent) -> None:
        actors.update(one["name"] for one in ray.util.list_named_actors(all_namespaces=True))

    states = ray_jobs.run(make_job(seeds=3, schedule={"max_concurrent": 1}), on_event=look).states
    assert [json.loads(states[trial].reason)["task"] for trial in trials] == [
        f"TrialActor:fake/{trial}" for trial in trials
    ]
    (actor,) = actors
    assert re.fullmatch(r"fake/\d+", actor)
