"""How trials stand, for Prometheus."""

from __future__ import annotations

import math
import re
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.util import metrics

from gandist.artifacts.trial_state import TrialState
from gandist.runner import run
from gandist.runner.events import Alive, Began, Finished, Notice, Progress, Requeued, Started
from gandist.runner.local_backend import LocalBackend
from gandist.runner.ray.metrics import REFRESH_S, TrialMetrics
from gandist.spec.job import Job

from ..conftest import make_job
from ..fakes import FAKE

A, B = "base-seed0", "base-seed1"
SCRAPE_S = 60.0
Series = dict[tuple[str, ...], float]


class Kept:
    """Of Ray's metrics what is there: by name and labels, the job's name left out."""

    def __init__(self) -> None:
        self.found: Series = {}

    def of(self, name: str) -> dict[Any, float]:
        """By trial, or by trial and status."""
        found = {series[1:]: it for series, it in self.found.items() if series[0] == f"gandist_trial_{name}"}
        return {labels[0] if len(labels) == 1 else labels: value for labels, value in found.items()}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()

    class Fake:
        def __init__(self, name: str, description: str, tag_keys: tuple[str, ...]) -> None:
            self.name, self.labels = name, tag_keys

        def set(self, value: float, tags: Mapping[str, str]) -> None:
            assert (tuple(tags), tags["gandist_job"]) == (self.labels, "fake")
            series = (self.name, *(tags[label] for label in self.labels[1:]))
            kept.found.pop(series, None)
            if not math.isnan(value):
                kept.found[series] = value

        def inc(self, value: float, tags: Mapping[str, str]) -> None:
            series = (self.name, tags["trial"])
            self.set(kept.found.get(series, 0.0) + value, tags)

    monkeypatch.setattr(metrics, "Gauge", Fake)
    monkeypatch.setattr(metrics, "Counter", Fake)
    return kept


def running(**fields: Any) -> TrialState:
    return TrialState(status="running", **fields)


def test_before_anything_runs_each_trial_has_its_status_and_step(kept: Kept) -> None:
    TrialMetrics("fake")(Began({A: TrialState(status="completed", step=9), B: running(step=4)}))
    assert kept.of("status") == {(A, "completed"): 1, (B, "queued"): 1}
    assert kept.of("step") == {A: 9, B: 4}
    assert kept.of("images_per_second") == kept.of("failures_total") == {}


def test_a_trial_has_one_status_at_a_time(kept: Kept) -> None:
    told = TrialMetrics("fake")
    seen = []
    for event in (
        Began({A: TrialState()}),
        Started(A),
        Alive(A, "loading TensorFlow"),
        Progress(A, running()),
        Requeued(A, "its process died", 1, 2.0),
        Started(A),
        Progress(A, running()),
        Notice("anything"),
        Finished(A, TrialState(status="completed")),
    ):
        told(event)
        ((trial, status),) = kept.of("status")
        assert trial == A
        seen.append(status)
    assert list(dict.fromkeys(seen)) == ["queued", "starting", "running", "requeued", "completed"]


def test_what_only_a_running_trial_has_goes_with_it(kept: Kept) -> None:
    told = TrialMetrics("fake")
    for ending in (Requeued(A, "lost", 1, 2.0), Finished(A, TrialState(status="completed", step=7))):
        told(Started(A))
        told(Progress(A, running(step=7, images_per_s=450.0, updated_at=30.0, checkpointed_at=10.0)))
        assert (kept.of("images_per_second"), kept.of("step")) == ({A: 450.0}, {A: 7})
        assert A in kept.of("seconds_since_checkpoint")
        told(ending)
        assert kept.of("images_per_second") == kept.of("seconds_since_checkpoint") == {}
        assert kept.of("step") == {A: 7}


def test_lost_attempts_and_failed_trials_are_counted_and_nodes_that_go_are_not(kept: Kept) -> None:
    told = TrialMetrics("fake")
    told(Requeued(A, "its node had to go", 0, 2.0))
    assert kept.of("failures_total") == {}
    told(Requeued(A, "its process died", 1, 2.0))
    told(Finished(A, TrialState(status="failed")))
    told(Finished(B, TrialState(status="diverged")))
    assert kept.of("failures_total") == {A: 2}


def test_a_checkpoint_ages_without_any_event(kept: Kept) -> None:
    now = [1000.0]
    told = TrialMetrics("fake", clock=lambda: now[0])

    def age() -> float:
        return kept.of("seconds_since_checkpoint")[A]

    told(Started(A))
    now[0] += 7
    told(Progress(A, running(updated_at=5e8)))
    assert age() == 7, "none yet: since the attempt began"
    told(Progress(A, running(updated_at=5e8, checkpointed_at=5e8 - 3)))
    assert age() == 3, "whatever this machine's clock says"
    told.refresh()
    now[0] += REFRESH_S
    told.refresh()
    assert age() == 3 + REFRESH_S
    told(Started(A))
    told(Progress(A, running(updated_at=6e8, checkpointed_at=5e8)))
    assert age() == 0, "an earlier attempt's: nothing of this one is lost yet"


def test_what_ray_would_forget_is_told_again(kept: Kept) -> None:
    now = [1000.0]
    told = TrialMetrics("fake", clock=lambda: now[0])
    told(Began({A: TrialState(), B: TrialState(status="completed", step=9)}))
    told(Started(A))
    told(Progress(A, running(step=4, images_per_s=450.0)))
    there = dict(kept.found)
    kept.found.clear()
    now[0] += REFRESH_S
    told.refresh()
    assert kept.found == there | {("gandist_trial_seconds_since_checkpoint", A): REFRESH_S}
    told(Requeued(A, "lost", 0, 2.0))
    kept.found.clear()
    now[0] += REFRESH_S
    told.refresh()
    assert kept.of("status") == {(A, "requeued"): 1, (B, "completed"): 1}
    assert kept.of("images_per_second") == kept.of("seconds_since_checkpoint") == {}


def test_a_run_that_is_not_local_keeps_them_up_to_date(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backend(job: Job, root: str, data_dir: None, tell: object = None) -> LocalBackend:
        return LocalBackend(job, root, data_dir, FAKE)

    refreshed: list[object] = []
    for either in ("LocalBackend", "RayBackend"):
        monkeypatch.setattr(run, either, backend)
    monkeypatch.setattr(TrialMetrics, "refresh", lambda self: refreshed.append(self))
    for local in (True, False):
        options = {"data_dir": None, "local": local, "retry_failed": False, "fresh": False}
        run.run(make_job(seeds=1), f"{tmp_path}/{local}", **options, on_event=lambda _: None)
        assert bool(kept.found) == bool(refreshed) == (not local)
    assert (kept.of("status"), kept.of("step")) == ({(A, "completed"): 1}, {A: 3})


def test_prometheus_finds_them_at_ray(ray_cluster: object) -> None:
    told = TrialMetrics("scraped")
    told(Started(A))
    told(Requeued(A, "lost", 1, 0.0))
    told(Started(A))
    told(Progress(A, running(step=7, images_per_s=450.0)))
    wanted = {
        "images_per_second": 450.0,
        "step": 7.0,
        "status": 1.0,
        "failures_total": 1.0,
        "seconds_since_checkpoint": pytest.approx(0.0, abs=1.0),
    }
    give_up, found = time.monotonic() + SCRAPE_S, {}
    while found != wanted and time.monotonic() < give_up:
        found = scraped("scraped")
    assert found == wanted


def scraped(job: str) -> dict[str, float]:
    """The values of a job's series at this node, by name."""
    port = ray.nodes()[0]["MetricsExportPort"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    of_job = (line for line in lines if f'gandist_job="{job}"' in line)
    found = (re.fullmatch(r"ray_gandist_trial_(\w+)\{(.*)\} (\S+)", line) for line in of_job)
    return {m[1]: float(m[3]) for m in found if m and f'trial="{A}"' in m[2]}
