"""The job directory: its paths, and trials' states."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.manifest import ListedTrial, Manifest
from gandist.artifacts.trial_state import TrialState
from gandist.errors import NotAJobError, StorageError
from tests.artifacts.test_tables import rows


@pytest.fixture
def trial(tmp_path: Path) -> TrialDir:
    return JobDir(str(tmp_path)).trial("base-seed0")


def test_a_trial_without_a_state_is_queued(trial: TrialDir) -> None:
    assert trial.read_state() == TrialState()
    assert not trial.read_state().finished


@pytest.mark.parametrize(
    ("status", "finished"),
    [("running", False), ("stopped", False), ("completed", True), ("diverged", True), ("failed", True)],
)
def test_which_states_are_final(trial: TrialDir, status: str, finished: bool) -> None:
    trial.write_state(TrialState.model_validate({"status": status, "step": 7}))
    assert trial.read_state().step == 7
    assert trial.read_state().finished is finished


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"status": "asleep"}',
        '{"step": "many"}',
        '{"figures": "r1"}',
        '{"figures": ["../x"]}',
        '{"figures": ["a\\nb"]}',
        json.dumps({"figures": [f"x{i}" for i in range(tables.MAX_FIGURES + 1)]}),
    ],
)
def test_a_state_that_is_none_is_named(trial: TrialDir, content: str) -> None:
    trial.storage.write("state.json", content.encode())
    with pytest.raises(StorageError, match=r"state\.json: not a trial's state"):
        trial.read_state()


def test_parts_are_listed_by_step_and_strangers_are_not(trial: TrialDir) -> None:
    for first in (101, 1, 51):
        trial.write_losses({**rows(), "step": np.arange(first, first + 3)})
    trial.storage.write("losses/notes.txt", b"")
    assert [(first, last) for first, last, _ in trial.losses_parts()] == [(1, 3), (51, 53), (101, 103)]


def test_losses_after_a_step_are_dropped(trial: TrialDir) -> None:
    for first in (1, 4, 7):
        trial.write_losses({**rows(), "step": np.arange(first, first + 3)})
    trial.drop_losses_after(3)
    assert [first for first, _, _ in trial.losses_parts()] == [1]


def test_samples_and_checkpoints_are_listed_by_step(trial: TrialDir) -> None:
    for step in (20, 3, 100):
        trial.storage.write(trial.sample_path(step), b"")
        trial.storage.write(f"{trial.checkpoint_path(step)}/manifest.json", b"")
    assert [step for step, _ in trial.samples()] == [3, 20, 100]
    assert [step for step, _ in trial.checkpoints()] == [3, 20, 100]


def test_job_and_manifest_come_back(tmp_path: Path) -> None:
    job_dir = JobDir(str(tmp_path))
    manifest = Manifest(job="naïve 🙂", trials=(ListedTrial(id="a-seed0", config="a", seed=0),))
    job_dir.write_job({"name": "x"}, manifest)
    assert job_dir.read_job() == {"name": "x"}
    assert job_dir.read_manifest() == manifest


@pytest.mark.parametrize("content", [None, b"", b"[1, 2]", b"{", b"\xff\xfe"])
def test_a_directory_without_a_manifest_is_no_job(tmp_path: Path, content: bytes | None) -> None:
    job_dir = JobDir(str(tmp_path))
    if content is not None:
        job_dir.storage.write("manifest.json", content)
    with pytest.raises(NotAJobError) as error:
        job_dir.read_manifest()
    assert str(error.value).startswith(str(tmp_path))
    assert "\n" not in str(error.value)


def test_settings_that_are_too_long_to_be_a_trials_are_none(trial: TrialDir) -> None:
    trial.write_trial({"x": ["y"] * 100_000})
    assert trial.read_trial() == {}


def test_its_json_files_end_with_a_line(trial: TrialDir) -> None:
    trial.write_state(TrialState(status="running"))
    assert trial.storage.read("state.json").endswith(b"\n}\n")
