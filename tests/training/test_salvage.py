"""Damaged records are told and kept under another name when a trial goes on; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gandist.artifacts.job_dir import TrialDir
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, train

pytestmark = pytest.mark.usefixtures("compiled_once")

EVALUATED = {**SMALL, "evaluation": {"every_steps": 2, "samples": 100}}
FIRST_PART = "losses/part-000000001-000000002.parquet"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("path", "lost"),
    [
        (TrialDir.METRICS, "the evaluations before step 4 are lost"),
        (FIRST_PART, "the losses of steps 1 to 2 are lost"),
        (TrialDir.DATASET, "that the data is still the same could not be checked"),
    ],
)
@pytest.mark.parametrize("damage", [cut, folder])
def test_it_is_noted_and_kept(tmp_path: Path, path: str, lost: str, damage: Callable[[Path], None]) -> None:
    directory = train(tiny_trial(**EVALUATED), tmp_path, stop_after=4)
    target = Path(directory.storage.where(path))
    damage(target)
    left = target.read_bytes() if target.is_file() else None
    train(tiny_trial(**EVALUATED), tmp_path)
    state = directory.read_state()
    assert state.status == "completed"
    assert state.notes == (f"{path} is damaged, kept as {path}.damaged: {lost}",)
    kept = Path(f"{target}.damaged")
    assert (kept.read_bytes() if kept.is_file() else None) == left
    evaluated = [row["step"] for row in directory.read_metrics()]
    assert evaluated == ([4, 6] if path == TrialDir.METRICS else [2, 4, 6])  # 4 is measured again


def test_what_was_kept_before_is_not_overwritten_either(tmp_path: Path) -> None:
    trial = tiny_trial(**EVALUATED)
    directory = train(trial, tmp_path, stop_after=3)
    target = Path(directory.storage.where(TrialDir.METRICS))
    for step in (4, 6):
        cut(target)
        train(trial, tmp_path, stop_after=step)
    assert [path.name for path in sorted(target.parent.glob("metrics*"))] == [
        "metrics.parquet",
        "metrics.parquet.damaged",
        "metrics.parquet.damaged-2",
    ]
    assert len(directory.read_state().notes) == 2


def test_a_part_of_the_losses_behind_the_checkpoint_is_just_made_again(tmp_path: Path) -> None:
    directory = train(tiny_trial(**EVALUATED), tmp_path, kill_after=5)
    later = Path(directory.storage.where("losses/part-000000005-000000006.parquet"))
    later.write_bytes(b"torn")
    state = train(tiny_trial(**EVALUATED), tmp_path).read_state()
    assert (state.status, state.notes) == ("completed", ())
