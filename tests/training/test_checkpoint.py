"""Checkpoints: whole or not at all, verified, and never silently another trial's."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.errors import CheckpointError
from gandist.training import checkpoint
from tests.training.conftest import assert_same_bits


def state(step: int) -> dict[str, np.ndarray]:
    return {"generator/0": np.full((2, 3), step, np.float32), "step": np.asarray(step)}


@pytest.fixture
def directory(tmp_path: Path) -> TrialDir:
    """A trial with checkpoints after steps 5 and 10."""
    directory = JobDir(str(tmp_path)).trial("base-seed0")
    for step in (5, 10):
        checkpoint.save(directory, state(step), "me", replicas=2, keep=2)
    return directory


def newest(directory: TrialDir) -> Path:
    return Path(directory.storage.where(directory.checkpoints()[-1][1]))


def test_what_is_saved_is_restored(directory: TrialDir) -> None:
    restored = checkpoint.restore_newest(directory, "me")
    assert_same_bits(restored.state or {}, state(10))
    assert restored.replicas == 2
    assert restored.notes == []


def test_only_the_newest_are_kept(directory: TrialDir) -> None:
    checkpoint.save(directory, state(15), "me", replicas=2, keep=2)
    assert [step for step, _ in directory.checkpoints()] == [10, 15]


def test_an_earlier_attempts_later_checkpoints_do_not_count(directory: TrialDir) -> None:
    """Only what could not be used lies ahead of a resumed trial: it must not push out what can be."""
    (newest(directory) / "manifest.json").unlink()
    for step in (6, 7):
        checkpoint.save(directory, state(step), "me", replicas=2, keep=1)
    assert [step for step, _ in directory.checkpoints()] == [7, 10]
    assert_same_bits(checkpoint.restore_newest(directory, "me").state or {}, state(7))


def test_an_unfinished_checkpoint_goes_with_the_next_one_and_takes_no_place(directory: TrialDir) -> None:
    (newest(directory) / "manifest.json").unlink()
    checkpoint.save(directory, state(15), "me", replicas=2, keep=2)
    assert [step for step, _ in directory.checkpoints()] == [5, 15]


def test_deleting_unfinished_ones_spares_the_good_and_the_later(directory: TrialDir) -> None:
    for step in (3, 12):
        directory.storage.write(f"{directory.checkpoint_path(step)}/state.npz", b"half")
    checkpoint.delete_unfinished(directory, before=10)
    assert [step for step, _ in directory.checkpoints()] == [5, 10, 12]


def times(directory: TrialDir) -> dict[str, int]:
    """When each file was written."""
    root = Path(directory.storage.root)
    return {
        str(path.relative_to(root)): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()
    }


def test_a_finished_checkpoint_is_not_written_again(directory: TrialDir) -> None:
    before = times(directory)
    checkpoint.save(directory, state(10), "me", replicas=2, keep=2)
    assert times(directory) == before


def test_one_that_another_process_has_made_otherwise_is_replaced(directory: TrialDir) -> None:
    checkpoint.save(directory, state(10), "me", replicas=1, keep=2)
    assert checkpoint.restore_newest(directory, "me").replicas == 1


def test_a_damaged_one_takes_no_place_among_those_that_are_kept(directory: TrialDir) -> None:
    (newest(directory) / "state.npz").write_bytes(b"torn")
    restored = checkpoint.restore_newest(directory, "me")
    checkpoint.disown(directory, restored.unusable)
    checkpoint.save(directory, state(12), "me", replicas=2, keep=2)
    assert [step for step, _ in directory.checkpoints()] == [5, 12]


def test_tidying_finishes_what_a_process_that_died_has_begun(directory: TrialDir) -> None:
    checkpoint.tidy(directory, step=10, keep=1)
    assert [step for step, _ in directory.checkpoints()] == [10]


def test_nothing_saved_is_nothing_restored(tmp_path: Path) -> None:
    assert checkpoint.restore_newest(JobDir(str(tmp_path)).trial("x"), "me").state is None


def damage_truncate(path: Path) -> None:
    content = (path / "state.npz").read_bytes()
    (path / "state.npz").write_bytes(content[:-20])


def damage_alter(path: Path) -> None:
    content = bytearray((path / "state.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "state.npz").write_bytes(bytes(content))


def damage_remove(path: Path) -> None:
    (path / "state.npz").unlink()


def damage_manifest(path: Path) -> None:
    (path / "manifest.json").write_text("{")


@pytest.mark.parametrize("damage", [damage_truncate, damage_alter, damage_remove, damage_manifest])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    directory: TrialDir, damage: object
) -> None:
    damage(newest(directory))  # type: ignore[operator]
    restored = checkpoint.restore_newest(directory, "me")
    assert_same_bits(restored.state or {}, state(5))
    assert len(restored.notes) == 1
    assert "step-000000010" in restored.notes[0]


def test_an_unfinished_checkpoint_is_passed_over_in_silence(directory: TrialDir) -> None:
    (newest(directory) / "manifest.json").unlink()
    restored = checkpoint.restore_newest(directory, "me")
    assert int((restored.state or {})["step"]) == 5
    assert restored.notes == []


def test_another_trials_checkpoint_is_not_used(directory: TrialDir) -> None:
    restored = checkpoint.restore_newest(directory, "someone else")
    assert restored.state is None
    assert "other settings" in restored.notes[0]


def test_a_pickle_is_never_opened(directory: TrialDir, tmp_path: Path) -> None:
    """Even where its checksum is right: a checkpoint may come from a stranger."""
    path = newest(directory)
    np.savez(path / "state.npz", evil=np.array([{"a": 1}], dtype=object))
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["sha256"]["state.npz"] = hashlib.sha256((path / "state.npz").read_bytes()).hexdigest()
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load(directory, directory.checkpoints()[-1][1], "me")


def in_the_place_of(name: str, what: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        (path / name).unlink()
        if what == "a pipe":
            os.mkfifo(path / name)
        elif what == "a directory":
            (path / name).mkdir()
        else:
            (path / name).symlink_to({"a link to itself": name}.get(what, "/dev/zero"))

    return damage


@pytest.mark.parametrize("name", ["state.npz", "manifest.json"])
@pytest.mark.parametrize("what", ["a pipe", "a directory", "a link to itself", "a device"])
def test_what_is_no_file_is_a_damaged_checkpoint_and_makes_way_for_the_next(
    directory: TrialDir, name: str, what: str
) -> None:
    in_the_place_of(name, what)(newest(directory))
    restored = checkpoint.restore_newest(directory, "me")
    assert_same_bits(restored.state or {}, state(5))
    assert len(restored.notes) == 1
    assert "step-000000010" in restored.notes[0]
    checkpoint.save(directory, state(10), "me", replicas=2, keep=2)
    assert_same_bits(checkpoint.restore_newest(directory, "me").state or {}, state(10))


@pytest.mark.parametrize("manifest", ['{"replicas": 1e999}', "[1]", '{"sha256": 3}', "[" * 10**5, "9" * 5000])
def test_a_manifest_that_is_none_is_a_damaged_checkpoint(directory: TrialDir, manifest: str) -> None:
    (newest(directory) / "manifest.json").write_text(manifest)
    restored = checkpoint.restore_newest(directory, "me")
    assert (int((restored.state or {})["step"]), len(restored.notes)) == (5, 1)


def test_a_checkpoint_is_not_unpacked_to_any_size(directory: TrialDir) -> None:
    path = newest(directory)
    np.savez_compressed(path / "state.npz", x=np.zeros(10**6))
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["sha256"]["state.npz"] = hashlib.sha256((path / "state.npz").read_bytes()).hexdigest()
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load(directory, directory.checkpoints()[-1][1], "me")
