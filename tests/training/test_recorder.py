"""What a trial writes while it trains: in which order, where the storage refuses, where it is abandoned."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest

from gandist.artifacts import retry
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.errors import StorageError
from gandist.training import checkpoint
from gandist.training import trial as trial_module
from gandist.training.trial import run_trial
from tests.artifacts.faulty import Check, local_file_system
from tests.training.conftest import assert_same_bits, tiny_trial
from tests.training.trials import SMALL, generated, losses, train, weights

pytestmark = pytest.mark.usefixtures("compiled_once")

FULL = OSError(errno.ENOSPC, "No space left on device")
KEPT = {**SMALL, "checkpoint": {"every_steps": 2, "keep": 9}}


@pytest.fixture(scope="module")
def undisturbed(compiled_once: None, tmp_path_factory: pytest.TempPathFactory) -> TrialDir:
    """``KEPT`` trained by a storage that never refuses."""
    return train(tiny_trial(**KEPT), tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``faulty(check)``: the storage asks ``check`` first; what it refuses is tried again at once."""
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 1e-3)
    monkeypatch.setattr(retry, "MAX_DELAY_S", 1e-3)

    def install(check: Check) -> None:
        monkeypatch.setattr(pafs, "LocalFileSystem", local_file_system(check))

    yield install
    assert [thread for thread in threading.enumerate() if thread.name == "gandist-writer"] == []


def checkpoints(directory: TrialDir) -> dict[int, checkpoint.State]:
    identity = directory.read_state().identity
    return {step: checkpoint.load(directory, path, identity)[0] for step, path in directory.checkpoints()}


def assert_same_results(one: TrialDir, other: TrialDir) -> None:
    assert losses(one).equals(losses(other))
    assert generated(one) == generated(other)
    assert weights(one) == weights(other)
    saved, other_saved = checkpoints(one), checkpoints(other)
    assert saved.keys() == other_saved.keys()
    for step in saved:
        assert_same_bits(saved[step], other_saved[step])


def test_training_goes_on_while_the_storage_refuses(
    tmp_path: Path, undisturbed: TrialDir, faulty: Any
) -> None:
    accepts = threading.Event()

    def check(operation: str, path: str) -> None:
        if operation == "open_output_stream" and "samples" in path and not accepts.is_set():
            raise FULL

    faulty(check)
    directory = JobDir(str(tmp_path)).trial("base-seed0")
    trained = []
    for state in run_trial(tiny_trial(**KEPT), str(tmp_path), None, threading.Event()):
        if not state.activity:
            trained.append(state.step)
        if state.step == 4 and not accepts.is_set():
            # Behind the grid of step 0 wait a checkpoint, its losses, and the grid of step 3.
            assert (directory.samples(), directory.losses_parts(), directory.checkpoints()) == ([], [], [])
            accepts.set()
    assert trained == [1, 2, 3, 4, 5, 6, 6]
    assert_same_results(directory, undisturbed)


def test_every_operation_may_be_refused_now_and_then(
    tmp_path: Path, undisturbed: TrialDir, faulty: Any
) -> None:
    asked: set[tuple[str, str]] = set()

    def check(operation: str, path: str) -> None:
        place = operation, path.split(".")[0]
        if place not in asked and operation != "open_input_stream":
            asked.add(place)
            raise FULL

    faulty(check)
    assert_same_results(train(tiny_trial(**KEPT), tmp_path), undisturbed)
    assert {operation for operation, _ in asked} >= {"create_dir", "write", "move", "get_file_info"}


def test_a_storage_that_refuses_for_ever_ends_the_attempt_and_what_it_took_is_good(
    tmp_path: Path, undisturbed: TrialDir, faulty: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(operation: str, path: str) -> None:
        if operation == "write" and "step-000000004/state.npz" in path:
            raise FULL

    faulty(check)
    monkeypatch.setattr(trial_module, "Retry", partial(retry.Retry, write_s=0.01))
    with pytest.raises(
        StorageError, match=r"step-000000004/state\.npz: cannot be written: .*No space"
    ) as raised:
        train(tiny_trial(**KEPT), tmp_path)
    assert "\n" not in str(raised.value)
    directory = JobDir(str(tmp_path)).trial("base-seed0")
    assert losses(directory)["step"].to_pylist() == [1, 2, 3, 4]
    restored = checkpoint.restore_newest(directory, directory.read_state().identity)
    assert int((restored.state or {})["step"]) == 2
    faulty(lambda *_: None)
    assert_same_results(train(tiny_trial(**KEPT), tmp_path), undisturbed)


def test_a_trial_abandoned_while_the_storage_refuses_leaves_at_once_and_nothing_half(
    tmp_path: Path, undisturbed: TrialDir, faulty: Any
) -> None:
    begun = threading.Event()

    def check(operation: str, path: str) -> None:
        if operation == "write" and "step-000000002/state.npz" in path:
            begun.set()
            raise FULL

    faulty(check)
    states = run_trial(tiny_trial(**KEPT), str(tmp_path), None, threading.Event())
    assert next(state.step for state in states if state.step == 3 and not state.activity) == 3
    assert begun.wait(30)
    states.close()  # type: ignore[attr-defined]
    directory = JobDir(str(tmp_path)).trial("base-seed0")
    assert losses(directory)["step"].to_pylist() == [1, 2]
    assert list(tmp_path.rglob("state.npz*")) == []
    faulty(lambda *_: None)
    assert_same_results(train(tiny_trial(**KEPT), tmp_path), undisturbed)


def test_a_checkpoint_shows_after_the_losses_up_to_it_and_the_end_after_everything(
    tmp_path: Path, faulty: Any
) -> None:
    shown: list[str] = []

    def check(operation: str, path: str) -> None:
        if operation == "move":
            shown.append(Path(path).name if path.count("step-") == 0 else "/".join(Path(path).parts[-2:]))

    faulty(check)
    train(tiny_trial(**SMALL), tmp_path)
    for step in (2, 4, 6):
        part = f"part-{step - 1:09d}-{step:09d}.parquet"
        assert shown.index(part) < shown.index(f"step-{step:09d}/manifest.json")
    last = ["outputs.parquet", "generator.keras", "progress.gif", "state.json"]
    assert shown[-5:] == ["step-000000006/manifest.json", *last]


def test_a_resumed_trial_clears_away_what_interrupted_writes_have_left(tmp_path: Path) -> None:
    directory = train(tiny_trial(**KEPT), tmp_path, stop_after=4)
    root = Path(directory.storage.root)
    (root / "checkpoints/step-000000003").mkdir()
    (root / "checkpoints/step-000000003/state.npz").write_bytes(b"half")
    leftovers = [root / f"{path}.{'0a' * 16}.tmp" for path in ("state.json", "checkpoints/step-000000002/x")]
    for leftover in leftovers:
        leftover.write_bytes(b"half")
    (root / "my-own.tmp").write_bytes(b"kept")
    train(tiny_trial(**KEPT), tmp_path)
    assert [step for step, _ in directory.checkpoints()] == [2, 4, 6]
    assert [path.name for path in root.rglob("*.tmp")] == ["my-own.tmp"]


@pytest.mark.parametrize(("minutes", "saved"), [(1e-9, [1, 2, 3, 4, 5, 6]), (1e9, [6])])
def test_checkpoints_by_the_clock_change_no_number(
    tmp_path: Path, undisturbed: TrialDir, minutes: float, saved: list[int]
) -> None:
    directory = train(tiny_trial(**{**SMALL, "checkpoint": {"every_minutes": minutes, "keep": 9}}), tmp_path)
    assert [step for step, _ in directory.checkpoints()] == saved
    assert losses(directory).equals(losses(undisturbed))
    assert weights(directory) == weights(undisturbed)


@pytest.mark.parametrize(
    "cadence", [{"every_steps": 2}, {"every_steps": 2, "keep": 1}, {"every_minutes": 1e-9}]
)
def test_a_stop_at_a_checkpoint_touches_it_no_more(
    tmp_path: Path, faulty: Any, cadence: dict[str, float]
) -> None:
    """Neither the stop, nor the attempt that goes on there, nor one that finds the training finished."""
    touched: list[str] = []

    def check(operation: str, path: str) -> None:
        if operation in ("write", "delete_file", "delete_dir") and "checkpoints" in path:
            touched.append(f"{operation} {path.rpartition('checkpoints/step-')[2][:9]}")

    faulty(check)
    trial = tiny_trial(**{**SMALL, "checkpoint": cadence})
    for step in (4, 4, 6, 6):
        train(trial, tmp_path, stop_after=step)
        directory = JobDir(str(tmp_path)).trial(trial.id)
        if step == 6:  # as if it had died before it could say that it has ended
            directory.write_state(directory.read_state().model_copy(update={"status": "running"}))
    for step in (4, 6):
        assert touched.count(f"write {step:09d}") == 2, "its arrays and its manifest, once each"
