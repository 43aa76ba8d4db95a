"""Whatever lies in a job directory, every command ends in a table or a line, which no terminal obeys."""

from __future__ import annotations

import contextlib
import io
import shutil
import signal
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from gandist import cli
from gandist.artifacts import driver, tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import DatasetDescription, TrialState
from gandist.errors import CheckpointError, GandistError
from gandist.runner import lease
from gandist.runner.manifest import write_job
from gandist.spec.trial import TrialSpec
from gandist.training import checkpoint
from tests.faults.mutations import mutate
from tests.report.conftest import rows, state, write_trial
from tests.report.sweep import write_metrics, write_outputs

JOB = """
name: small
data: {name: digits, batch_size: 64}
model: {name: mlp}
training: {steps: 400}
sweep: {optimizer.learning_rate: [1.0e-3, 2.0e-3]}
resources: {cpus: 1}
schedule: {max_failures: 0}
"""
STOPPED = 1
"""Of the two trials, the one that is not finished."""
LIMIT_S = 300
"""For all commands together: they take about one, on a quiet machine."""
DRAWN = ("parquet", "state.json", "manifest.json")
"""What curves are drawn from: where it is as it was, drawing it once more shows nothing."""
unexpected: list[BaseException] = []
"""What a trial raised that is no line for a person."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``runs`` with a job of a completed and a stopped trial, and every file that a job can have."""
    from gandist.spec.loading import load_job

    folder = tmp_path_factory.mktemp("whole")
    (folder / "job.yaml").write_text(JOB)
    job = load_job(folder / "job.yaml")
    trials = job.trials
    job_dir = JobDir(str(folder / "runs/small"))
    write_job(job_dir, job)
    for place, trial in enumerate(trials):
        directory = job_dir.trial(trial.id)
        steps, status = (200, "stopped") if place == STOPPED else (400, "completed")
        said = {"notes": ("a note",), "reason": "", "identity": trial.identity(), "budget": trial.budget()}
        ended = state(400, status=status, step=steps, **said)
        write_trial(directory, trial.config, trial.seed, steps=steps, state=ended)
        directory.write_trial(trial.model_dump(mode="json"))
        write_metrics(directory, trial.config, trial.seed, steps, 20.0)
        write_outputs(directory, trial.config, trial.seed, steps)
        described = {"image_shape": (8, 8, 1), "class_names": tuple("0123456789"), "images": 1797}
        directory.write_dataset(DatasetDescription.model_validate({**described, "fingerprint": "x"}))
        directory.storage.write(TrialDir.GENERATOR, b"PK weights")
        directory.storage.write(TrialDir.ARCHIVE, b"PK")
        for step in (steps // 2, steps):
            values = {"generator/0": np.ones(5, np.float32), "step": np.asarray(step)}
            checkpoint.save(directory, values, trial.identity(), 1, keep=2)
    (folder / "runs/small/driver.json").write_text(driver.Holder(host="elsewhere", pid=7).model_dump_json())
    return folder


def train(
    trial: TrialSpec, job_root: str, data_dir: str | None, stop: threading.Event
) -> Iterator[TrialState]:
    """Reads all that a real trial reads of an earlier attempt, and writes the same, without networks."""
    try:
        directory = JobDir(job_root).trial(trial.id)
        before = directory.read_state()
        directory.read_dataset()
        restored = checkpoint.restore_newest(directory, trial.identity())
        step = int((restored.state or {"step": np.asarray(0)})["step"])
        directory.storage.delete_unfinished()
        checkpoint.delete_unfinished(directory, before=step)
        directory.drop_losses_after(step)
        directory.read_metrics()
        directory.samples()
        directory.write_trial(trial.model_dump(mode="json"))
        if step < 400:
            directory.write_losses(rows(trial.config, trial.seed, step + 1, 400))
        values = {"generator/0": np.ones(5, np.float32), "step": np.asarray(400)}
        checkpoint.save(directory, values, trial.identity(), 1, keep=2)
        ended = before.model_copy(
            update={"status": "completed", "step": 400, "notes": (*before.notes, *restored.notes)}
        )
        directory.write_state(ended)
        yield ended
    except GandistError:
        raise
    except Exception as error:
        unexpected.append(error)
        raise


def no_generator(*_: object) -> None:
    raise CheckpointError("weights: not read in this test")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[str]]:
    """Runs every command on a folder with ``job.yaml`` and ``runs/small``; what was wrong."""
    monkeypatch.setitem(sys.modules, "gandist.training.trial", types.SimpleNamespace(run_trial=train))
    monkeypatch.setitem(
        sys.modules, "gandist.sampling.generate", types.SimpleNamespace(open_generator=no_generator)
    )
    monkeypatch.setattr("gandist.sampling.generate", sys.modules["gandist.sampling.generate"], raising=False)
    monkeypatch.setattr(driver, "WATCH_S", 0.02)
    monkeypatch.setattr(lease, "LOOK_S", 0.02)
    monkeypatch.setattr(driver, "RENEW_S", 0.05)

    def run(folder: Path) -> list[str]:
        small = str(folder / "runs/small")
        wrong: list[str] = []
        for arguments in (
            ["status", small],
            ["jobs", str(folder / "runs")],
            ["report", small],
            ["sample", small, "--out", str(folder / "x.png")],
            ["fetch", small, str(folder / "copy"), "--all"],
            ["run", str(folder / "job.yaml"), "--storage", str(folder / "runs"), "--local"],
            ["status", small],
        ):
            with pytest.MonkeyPatch.context() as patch:
                if arguments[0] == "run":  # it ends with the report that was written before
                    without_drawing(patch)
                wrong += [f"{arguments[0]}: {problem}" for problem in _run(patch, arguments)]
        return wrong

    return run


def without_drawing(patch: pytest.MonkeyPatch) -> None:
    """Reports without their curves, which take most of the time."""
    patch.setattr("gandist.report.drawing.draw", lambda *_: "")
    patch.setattr("gandist.report.sections.discriminator.draw_histogram", lambda *_: "")


def _run(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["gandist", *arguments])
    unexpected.clear()
    out, err, wrong = io.StringIO(), io.StringIO(), []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as left:
            if left.code not in (None, 0, 1, 2):
                wrong.append(f"exit code {left.code}")
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            wrong.append(_described(error))
    wrong += map(_described, unexpected)
    said = out.getvalue() + err.getvalue()
    if "Traceback" in said:
        wrong.append(f"a traceback: {said[:500]!r}")
    if odd := {c for c in said if c != "\n" and not c.isprintable()}:
        wrong.append(f"unprintable {odd}: {said[:500]!r}")
    if max(map(len, said.split("\n"))) > 20_000:
        wrong.append("a line of more than 20,000 characters")
    return wrong


def _described(error: BaseException) -> str:
    at = traceback.extract_tb(error.__traceback__)
    ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in at if "/gandist/" in frame.filename]
    return f"{type(error).__name__}: {str(error)[:200]!r} at {' '.join(ours[-4:])}"


def _too_long(*_: Any) -> None:
    raise TimeoutError(f"more than {LIMIT_S} s")


def trouble(whole: Path, folder: Path, commands: Callable[[Path], list[str]], seed: int) -> list[str]:
    """What goes wrong with the mutation of that seed."""
    random = Random(seed)  # noqa: S311
    shutil.copytree(whole, folder)
    done = mutate(random, folder / "runs", times=random.choice((1, 1, 1, 2, 3)))
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LIMIT_S)
    try:
        with pytest.MonkeyPatch.context() as patch:
            if not any(name in line for line in done for name in DRAWN):
                without_drawing(patch)
            wrong = commands(folder)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        shutil.rmtree(folder)
    return [f"seed {seed} ({', '.join(done)}): {line}" for line in wrong]


def test_a_job_that_nobody_touched_gives_no_trouble(
    whole: Path, tmp_path: Path, commands: Callable[[Path], list[str]]
) -> None:
    shutil.copytree(whole, tmp_path / "job")
    assert commands(tmp_path / "job") == []
    assert (tmp_path / "job/copy/report.html").is_file()
    job_dir = JobDir(str(tmp_path / "job/runs/small"))
    assert {row["status"] for row in tables_of(job_dir)} == {"completed"}


def tables_of(job_dir: JobDir) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tables.decode(
        job_dir.storage.read(JobDir.TRIALS), tables.TRIALS, JobDir.TRIALS
    ).to_pylist()
    return found


@pytest.mark.parametrize("first", [0])
def test_random_mutations(
    whole: Path, tmp_path: Path, commands: Callable[[Path], list[str]], first: int
) -> None:
    wrong = [
        line for seed in range(first, first + 12) for line in trouble(whole, tmp_path / "job", commands, seed)
    ]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(1000, 3000, 250))
def test_two_thousand_random_mutations(
    whole: Path, tmp_path: Path, commands: Callable[[Path], list[str]], first: int
) -> None:
    began = time.monotonic()
    wrong = [
        line
        for seed in range(first, first + 250)
        for line in trouble(whole, tmp_path / "job", commands, seed)
    ]
    print(f"250 mutations in {time.monotonic() - began:.0f} s")
    assert wrong == []
