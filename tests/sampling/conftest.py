"""Trained jobs to sample from, and the command."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from tests.conftest import CommandLine
from tests.strangers import write_documents
from tests.training.conftest import DCGAN, tiny_trial
from tests.training.trials import train


@pytest.fixture(scope="package")
def jobs(devices: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Jobs ``plain`` and ``classes``, a conditional one, in one directory.

    In ``plain`` base-seed0 is still running, seeds 1 and 2 are completed, seed 3 has not begun.
    """
    root = tmp_path_factory.mktemp("jobs")
    steps = {"steps": 2, "generator_ema": 0.9}
    plain = [tiny_trial(seed, training=steps) for seed in range(4)]
    conditional = [tiny_trial(model={**DCGAN, "conditional": True}, training=steps)]
    for name, trials, trained in (("plain", plain, plain[1:3]), ("classes", conditional, conditional)):
        job = JobDir(str(root / name))
        for trial in trained:
            train(trial, root / name)
        write_documents(
            job,
            {"name": name},
            {
                "job": name,
                "trials": [
                    trial.model_dump(include={"id", "config", "seed"}) | {"id": trial.id} for trial in trials
                ],
            },
        )
    JobDir(str(root / "plain")).trial("base-seed0").write_state(
        TrialState(status="running", step=1, total_steps=2)
    )
    return root


@pytest.fixture
def sample(
    jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine
) -> CommandLine:
    """Runs ``gandist sample`` in a directory with copies of the jobs; exit code, stdout, stderr as lines."""
    for name in ("plain", "classes"):
        shutil.copytree(jobs / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)

    return partial(command_line, "sample")


def made(sample: CommandLine, *arguments: str) -> np.ndarray:
    assert sample(*arguments, "--out", "made.npy")[::2] == (0, [])
    array: np.ndarray = np.load("made.npy")
    return array


def rename(names: list[str]) -> None:
    path = Path("classes/trials/base-seed0/dataset.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "class_names": names}))
