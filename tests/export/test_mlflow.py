"""MLflow's own client finds the values of the Parquet files, each once."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.errors import RunError, UsageError
from gandist.export import mlflow
from gandist.report import merge
from tests.report.conftest import rows, state, write_trial
from tests.report.sweep import write_metrics


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in mlflow._ENVIRONMENT:
        monkeypatch.setenv(name, "")  # so that it is taken back
        monkeypatch.delenv(name)


@pytest.fixture
def job_dir(empty_job: Callable[..., JobDir]) -> JobDir:
    """A trial that is half through, one that diverged, and one that has not begun."""
    made = empty_job(("slow", 0), ("fast", 0), ("fast", 1))
    running = state(100, status="running", step=50)
    write_trial(made.trial("slow-seed0"), "slow", 0, steps=50, state=running)
    write_metrics(made.trial("slow-seed0"), "slow", 0, 50, 20.0)
    ended = state(100, status="diverged", step=20, reason="g_loss is not finite")
    write_trial(made.trial("fast-seed0"), "fast", 0, steps=20, state=ended)
    return made


class Store:
    """What a file store holds of the job."""

    def __init__(self, root: Path) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=f"file:{root}")
        self.experiment = self._client.get_experiment_by_name("demo")
        self.found = self._client.search_runs([self.experiment.experiment_id])
        self.runs = {run.info.run_name: run for run in self.found}

    def history(self, run: str, name: str) -> list[tuple[int, float]]:
        found = self._client.get_metric_history(self.runs[run].info.run_id, name)
        return [(point.step, point.value) for point in found]


def export(job_dir: JobDir, root: Path) -> Store:
    mlflow.prepare(job_dir, f"file:{root}")()
    return Store(root)


def test_losses_and_metrics_are_those_of_the_tables(job_dir: JobDir, tmp_path: Path) -> None:
    store = export(job_dir, tmp_path / "store")
    losses = merge.merge_losses(job_dir)
    losses = losses.filter(pc.equal(losses["trial"], "slow-seed0"))
    for name in ("d_loss", "g_loss", "kimg", "r1"):
        expected = list(zip(losses["step"].to_pylist(), losses[name].to_pylist(), strict=True))
        assert store.history("slow-seed0", f"losses/{name}") == expected
    metrics = merge.merge_metrics(job_dir)
    metrics = metrics.filter(pc.field("metric") == "recall")
    expected = list(zip(metrics["step"].to_pylist(), metrics["value"].to_pylist(), strict=True))
    assert store.history("slow-seed0", "metrics/recall_pixels") == expected


def test_a_run_has_its_trials_settings_and_how_it_stands(job_dir: JobDir, tmp_path: Path) -> None:
    runs = export(job_dir, tmp_path / "store").runs
    assert set(runs) == {"slow-seed0", "fast-seed0"}  # the third one has not begun
    assert runs["slow-seed0"].data.params["optimizer.learning_rate"] == "0.0001"
    assert runs["slow-seed0"].info.status == "RUNNING"
    assert runs["fast-seed0"].info.status == "FAILED"
    assert runs["fast-seed0"].data.tags["gandist.reason"] == "g_loss is not finite"


def test_a_later_export_adds_what_is_new_to_the_same_runs(job_dir: JobDir, tmp_path: Path) -> None:
    export(job_dir, tmp_path / "store")
    directory = job_dir.trial("slow-seed0")
    directory.write_losses(rows("slow", 0, 51, 100))
    write_metrics(directory, "slow", 0, 100, 20.0)
    directory.write_state(state(100))
    for _ in range(2):
        store = export(job_dir, tmp_path / "store")
    assert len(store.found) == 2
    assert [step for step, _ in store.history("slow-seed0", "losses/g_loss")] == list(range(1, 101))
    assert [step for step, _ in store.history("slow-seed0", "metrics/frechet_pixels")] == [50, 100]
    assert store.runs["slow-seed0"].info.status == "FINISHED"


def test_long_losses_are_thinned_to_the_same_points_in_every_export(
    job_dir: JobDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow, "POINTS", 8)
    first = export(job_dir, tmp_path / "store").history("slow-seed0", "losses/d_loss")
    assert [step for step, _ in first] == [1, 17, 33, 49]
    directory = job_dir.trial("slow-seed0")
    directory.write_losses(rows("slow", 0, 51, 100))
    directory.write_state(state(100))
    later = export(job_dir, tmp_path / "store").history("slow-seed0", "losses/d_loss")
    assert [step for step, _ in later] == [1, 17, 33, 49, 65, 81, 97, 100]
    assert later[:4] == first


def test_a_trial_that_was_trained_anew_is_another_run(job_dir: JobDir, tmp_path: Path) -> None:
    export(job_dir, tmp_path / "store")
    directory = job_dir.trial("fast-seed0")
    directory.write_state(directory.read_state().model_copy(update={"started_at": 1.8e9}))
    found = export(job_dir, tmp_path / "store").found
    assert sorted(run.info.run_name for run in found) == ["fast-seed0", "fast-seed0", "slow-seed0"]


def test_an_experiment_of_another_job_is_refused(
    job_dir: JobDir, empty_job: Callable[..., JobDir], tmp_path: Path
) -> None:
    export(job_dir, tmp_path / "store")
    other = empty_job(("slow", 0), created_at=1.8e9)
    with pytest.raises(UsageError, match=r"^--mlflow file:.*: its experiment demo is not of this job, .*$"):
        mlflow.prepare(other, f"file:{tmp_path / 'store'}")


def test_without_mlflow_it_says_what_to_install(job_dir: JobDir, monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def missing(name: str, *arguments: Any) -> Any:
        if name == "mlflow":
            raise ImportError(name)
        return there(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r"^--mlflow: .* not installed; pip install 'gandist\[mlflow\]'$"):
        mlflow.prepare(job_dir, "file:store")


def test_an_address_that_is_none_is_one_line_without_its_password(job_dir: JobDir) -> None:
    with pytest.raises(RunError, match=r"^--mlflow ftp://host/x: [^\n]+$") as raised:
        mlflow.prepare(job_dir, "ftp://user:secret@host/x")
    assert "secret" not in str(raised.value)
