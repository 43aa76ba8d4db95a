"""TensorBoard's own reader finds every value of the Parquet files."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from PIL import Image

from gandist.artifacts.job_dir import JobDir
from gandist.errors import UsageError
from gandist.export import tensorboard
from gandist.report import merge
from tests.report.conftest import rows, state, write_trial
from tests.report.sweep import BEST, write_metrics

TRIAL = f"{BEST}-seed0"


@pytest.fixture(autouse=True)
def _without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorBoard reads without TensorFlow where this module is, and else loads it."""
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))


def read(run: Path) -> Callable[[str], list[tuple[int, float]]]:
    """The scalars of a run, by tag."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 0})
    found.Reload()
    return lambda tag: [(it.step, it.value) for it in found.Scalars(tag)]


def pairs(rows: pa.Table, column: str) -> list[tuple[int, float]]:
    """As TensorBoard has them: float32."""
    values = rows[column].to_numpy().astype(np.float32).astype(float)
    return list(zip(rows["step"].to_pylist(), values.tolist(), strict=True))


def images(run: Path) -> list[tuple[int, bytes, int, int]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run), size_guidance={"images": 0})
    found.Reload()
    return [
        (it.step, it.encoded_image_string, it.height, it.width) for it in found.Images(tensorboard.SAMPLES)
    ]


@pytest.fixture(scope="module")
def logs(sweep: JobDir, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("logs")
    tensorboard.prepare(sweep, str(root))()
    return root


def test_losses_and_metrics_are_those_of_the_tables(sweep: JobDir, logs: Path) -> None:
    scalars = read(logs / TRIAL)
    losses = merge.merge_losses(sweep)
    losses = losses.filter(pc.equal(losses["trial"], TRIAL))
    for name in ("d_loss", "g_loss", "r1", "kimg", "d_grad_norm"):
        assert scalars(f"losses/{name}") == pairs(losses, name)
    metrics = merge.merge_metrics(sweep)
    metrics = metrics.filter(pc.equal(metrics["trial"], TRIAL)).filter(pc.field("metric") == "frechet")
    assert scalars("metrics/frechet_pixels") == pairs(metrics, "value")
    assert len([it for it in logs.iterdir() if it.is_dir()]) == 16


def test_grids_are_images(sweep: JobDir, logs: Path) -> None:
    directory = sweep.trial(TRIAL)
    written = [(step, directory.storage.read(path)) for step, path in directory.samples()]
    shown = images(logs / TRIAL)
    assert [(step, png) for step, png, _, _ in shown] == written
    picture = Image.open(Path(directory.storage.root) / directory.samples()[0][1])
    assert {(height, width) for _, _, height, width in shown} == {(picture.height, picture.width)}


def test_an_export_of_a_running_trial_goes_on(empty_job: Callable[..., JobDir], tmp_path: Path) -> None:
    job_dir = empty_job(("slow", 0), ("slow", 1))
    directory, run = job_dir.trial("slow-seed0"), tmp_path / "out" / "slow-seed0"
    write_trial(directory, "slow", 0, steps=50, state=state(100, status="running", step=50))
    write_metrics(directory, "slow", 0, 50, 20.0)
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    (first,) = [it for it in run.iterdir() if "tfevents" in it.name]
    before = first.read_bytes()
    directory.write_losses(rows("slow", 0, 51, 100, r1=[None] * 49 + [0.25]))
    write_metrics(directory, "slow", 0, 100, 20.0)
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    assert first.read_bytes() == before
    scalars = read(run)
    assert [step for step, _ in scalars("losses/d_loss")] == list(range(1, 101))
    assert [step for step, _ in scalars("losses/r1")] == [*range(1, 51), 100]
    assert [step for step, _ in scalars("metrics/frechet_pixels")] == [50, 100]
    assert [step for step, *_ in images(run)] == [1, 25, 50]
    count = len(list(run.iterdir()))
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    assert len(list(run.iterdir())) == count  # nothing was new
    assert not (tmp_path / "out" / "slow-seed1").exists()  # it has not begun


def test_a_trial_that_was_trained_anew_is_written_anew(
    empty_job: Callable[..., JobDir], tmp_path: Path
) -> None:
    job_dir = empty_job(("slow", 0))
    directory = job_dir.trial("slow-seed0")
    for started_at, steps in ((1.7e9, 40), (1.8e9, 60)):
        directory.storage.delete("losses")
        directory.storage.delete("samples")
        write_trial(directory, "slow", 0, steps=steps, grids=(1,), state=state(steps, started_at=started_at))
        tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    run = tmp_path / "out" / "slow-seed0"
    assert [step for step, _ in read(run)("losses/g_loss")] == list(range(1, 61))
    assert [it.name for it in run.iterdir() if "tfevents" in it.name] == [
        "events.out.tfevents.0000000002.gandist"
    ]


def test_an_evaluation_of_an_earlier_step_is_put_in_its_place(
    empty_job: Callable[..., JobDir], tmp_path: Path
) -> None:
    job_dir = empty_job(("slow", 0))
    directory = job_dir.trial("slow-seed0")
    write_trial(directory, "slow", 0, steps=100, state=state(100))
    write_metrics(directory, "slow", 0, 100, 20.0, step=np.repeat([80, 100], 2))
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    write_metrics(directory, "slow", 0, 150, 20.0, step=np.repeat([80, 90, 100], 2))
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    shown = read(tmp_path / "out" / "slow-seed0")("metrics/frechet_pixels")
    assert [step for step, _ in shown] == [80, 90, 100]


def test_values_that_are_not_finite_stay_so(empty_job: Callable[..., JobDir], tmp_path: Path) -> None:
    job_dir = empty_job(("slow", 0))
    directory = job_dir.trial("slow-seed0")
    directory.write_losses(rows("slow", 0, 1, 3, d_loss=[1.0, np.inf, np.nan]))
    directory.write_state(state(100, status="diverged", step=3))
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    values = [value for _, value in read(tmp_path / "out" / "slow-seed0")("losses/d_loss")]
    np.testing.assert_array_equal(values, [1.0, np.inf, np.nan])


def test_a_directory_of_somebody_else_is_refused(sweep: JobDir, tmp_path: Path) -> None:
    (tmp_path / TRIAL).mkdir()
    with pytest.raises(UsageError, match=r"is there and was not exported from this job"):
        tensorboard.prepare(sweep, str(tmp_path))


@pytest.mark.parametrize("cursor", ["", "[]", '{"seen": {"losses/d_loss": [1]}}', '{"begun": "x"}'])
def test_a_cursor_that_is_damaged_means_written_anew(
    empty_job: Callable[..., JobDir], tmp_path: Path, cursor: str
) -> None:
    job_dir = empty_job(("slow", 0))
    write_trial(job_dir.trial("slow-seed0"), "slow", 0, steps=20, state=state(20))
    run = tmp_path / "out" / "slow-seed0"
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    (run / "gandist.json").write_text(cursor)
    tensorboard.prepare(job_dir, str(tmp_path / "out"))()
    assert [step for step, _ in read(run)("losses/d_loss")] == list(range(1, 21))
