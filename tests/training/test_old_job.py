"""A job that an earlier version has written goes on as if that version had gone on with it.

``old_job/job`` is what gandist at commit a472218 left of three trials of 6 steps; ``expected.npz`` has the
losses of steps 7 to 12 and the weights after them, of the same trials trained to 12 steps at once by that
version; ``expected.json`` a hash of all their state, and the processor on which it was written: elsewhere the
order of additions may be another.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.report.merge import merge_losses
from gandist.runner.plan import make_plan
from gandist.spec.loading import load_job
from gandist.training import checkpoint
from tests.training.trials import train

OLD = Path(__file__).parent / "old_job"
TRIALS = ("plain-seed0", "lazy-seed0", "clipped-seed0")
EXPECTED = json.loads((OLD / "expected.json").read_text())
every_trial = pytest.mark.parametrize("name", TRIALS)


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    with np.load(OLD / "expected.npz", allow_pickle=False) as found:
        return dict(found)


@pytest.fixture(scope="module")
def continued(devices: None, tmp_path_factory: pytest.TempPathFactory) -> JobDir:
    """The old job, continued by the job file of today."""
    root = tmp_path_factory.mktemp("old")
    shutil.copytree(OLD / "job", root, dirs_exist_ok=True)
    for trial in load_job(OLD / "job.yaml").trials:
        train(trial, root)
    return JobDir(str(root))


def same_processor() -> bool:
    """Whether this machine adds in the order of the one that wrote the files."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().partition("\n\n")[0].splitlines() if cpuinfo.is_file() else []
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    here: dict[str, Any] = {name: told.get(name) for name in ("vendor_id", "cpu family", "model")}
    return bool({**here, "avx512f": "avx512f" in told.get("flags", "").split()} == EXPECTED["processor"])


def last_state(directory: TrialDir) -> checkpoint.State:
    """All that a continuation of the trial would need."""
    ((step, path),) = directory.checkpoints()
    assert step == 12
    return checkpoint.load(directory, path, directory.read_state().identity)[0]


def test_nothing_is_refused_and_nothing_begins_anew() -> None:
    plan = make_plan(load_job(OLD / "job.yaml").trials, JobDir(str(OLD / "job")))
    assert [trial.id for trial in plan.todo] == list(TRIALS)
    assert plan.aside == ()
    assert {(state.status, state.step) for state in plan.states.values()} == {("completed", 6)}


@every_trial
def test_a_trial_goes_on_after_its_last_step(continued: JobDir, name: str) -> None:
    directory = continued.trial(name)
    state = directory.read_state()
    assert (state.status, state.step, state.attempts, state.notes) == ("completed", 12, 2, ())
    assert [first for first, _, _ in directory.losses_parts()][:3] == [1, 4, 7]
    for part in (OLD / "job" / "trials" / name / "losses").iterdir():
        assert directory.storage.read(f"losses/{part.name}") == part.read_bytes()


def assert_as_expected(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    """To 1e-5 everywhere, and bit for bit where the processor is the same."""
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, err_msg=what)
    if same_processor():
        np.testing.assert_array_equal(found, expected, err_msg=what)


@every_trial
def test_its_losses_are_those_of_the_earlier_version(
    continued: JobDir, arrays: dict[str, np.ndarray], name: str
) -> None:
    merged = merge_losses(continued)
    rows = merged.filter(pc.equal(merged["trial"], name))
    assert rows["step"].to_pylist() == list(range(1, 13))
    for column, values in zip(EXPECTED["columns"], arrays[f"{name}/losses"], strict=True):
        if column == "penalty":
            continue  # the next test's
        assert_as_expected(rows[column].to_numpy()[6:], values, column)


def test_a_penalty_is_logged_under_its_own_name_from_there_on(
    continued: JobDir, arrays: dict[str, np.ndarray]
) -> None:
    merged = merge_losses(continued)
    assert merged.schema == tables.losses_schema([*tables.FIRST_FIGURES, "r1"])
    rows = merged.filter(pc.equal(merged["trial"], "lazy-seed0"))
    assert [value is None for value in rows["r1"].to_pylist()] == [True] * 6 + [False] * 6
    assert [value is None for value in rows["penalty"].to_pylist()] == [False] * 6 + [True] * 6
    expected = arrays["lazy-seed0/losses"][EXPECTED["columns"].index("penalty")]
    assert_as_expected(rows["r1"].to_numpy()[6:], expected, "r1")
    for name in TRIALS:
        figures = {*tables.FIRST_FIGURES, *(["r1"] if name == "lazy-seed0" else [])}
        assert set(continued.trial(name).read_state().figures) == figures


@every_trial
def test_it_ends_with_the_weights_of_the_earlier_version(
    continued: JobDir, arrays: dict[str, np.ndarray], name: str
) -> None:
    state = last_state(continued.trial(name))
    weights = {key.removeprefix(f"{name}/"): value for key, value in arrays.items() if key.startswith(name)}
    del weights["losses"]
    assert weights.keys() <= state.keys()
    for key, value in weights.items():
        assert_as_expected(state[key], value, key)


@every_trial
@pytest.mark.skipif(not same_processor(), reason="another processor than the one that wrote the files")
def test_it_ends_with_all_the_state_of_the_earlier_version_bit_for_bit(continued: JobDir, name: str) -> None:
    """Moments and averages too."""
    state, digest = last_state(continued.trial(name)), hashlib.sha256()
    for key in sorted(state):
        digest.update(key.encode() + state[key].tobytes())
    assert digest.hexdigest() == EXPECTED["states"][name]
