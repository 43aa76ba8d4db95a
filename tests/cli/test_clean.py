"""``gandist clean``: what goes, what stays, and that it only goes when told to."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from tests.conftest import CommandLine
from tests.strangers import write_documents

STEPS = (2, 4, 6, 8)
KILOBYTE = bytes(1000)


def checkpoint(job_dir: JobDir, trial: str, step: int, *, finished: bool = True) -> None:
    directory = job_dir.trial(trial)
    directory.storage.write(f"{directory.checkpoint_path(step)}/state.npz", KILOBYTE)
    if finished:
        directory.storage.write(f"{directory.checkpoint_path(step)}/manifest.json", b"{}")


@pytest.fixture
def job_dir(tmp_path: Path) -> JobDir:
    """Trials of every kind with four checkpoints each, the best after step 4; and one that was set aside."""
    job_dir = JobDir(str(tmp_path / "runs" / "small"))
    kinds = ("completed", "diverged", "pruned", "failed", "stopped", "running")
    listed = [{"id": kind, "config": "c", "seed": 0} for kind in kinds]
    write_documents(job_dir, {}, {"job": "small", "trials": listed})
    for kind in kinds:
        job_dir.trial(kind).write_state(TrialState(status=kind, best_step=4, step=8))
        job_dir.trial(kind).storage.write("generator.keras", KILOBYTE)
        for step in STEPS:
            checkpoint(job_dir, kind, step)
    job_dir.storage.write("aside/completed-1/checkpoints/step-000000002/state.npz", 3 * KILOBYTE)
    return job_dir


def steps(job_dir: JobDir) -> dict[str, list[int]]:
    return {
        trial: [step for step, _ in job_dir.trial(trial).checkpoints()]
        for trial in job_dir.storage.list("trials")
    }


def everything(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_without_yes_it_only_tells(command_line: CommandLine, job_dir: JobDir, tmp_path: Path) -> None:
    before = everything(tmp_path)
    code, out, err = command_line("clean", job_dir.root)
    assert (code, err) == (0, [])
    assert out == [
        f"{job_dir.root}/aside/completed-1, 3 kB",
        f"{job_dir.root}/trials/completed: checkpoints of steps 2, 6, 2 kB",
        f"{job_dir.root}/trials/diverged: checkpoints of steps 2, 6, 2 kB",
        f"{job_dir.root}/trials/pruned: checkpoints of steps 2, 6, 2 kB",
        "9.01 kB would go; --yes deletes it",
    ]
    assert everything(tmp_path) == before


def test_what_resuming_and_evaluating_need_stays(command_line: CommandLine, job_dir: JobDir) -> None:
    code, out, _ = command_line("clean", job_dir.root, "--yes")
    assert (code, out[-1]) == (0, "9.01 kB deleted")
    needed, all_ = [4, 8], list(STEPS)
    assert steps(job_dir) == {
        "completed": needed,
        "diverged": needed,
        "pruned": needed,
        "failed": all_,
        "stopped": all_,
        "running": all_,
    }
    assert job_dir.storage.list("aside") == []
    assert job_dir.trial("completed").storage.exists("generator.keras")
    assert not job_dir.storage.exists(JobDir.DRIVER)
    assert command_line("clean", job_dir.root, "--yes")[1] == ["0 bytes deleted"]


def test_one_that_was_never_finished_does_not_count_as_the_newest(
    command_line: CommandLine, job_dir: JobDir
) -> None:
    checkpoint(job_dir, "completed", 10, finished=False)
    command_line("clean", job_dir.root, "--yes")
    assert steps(job_dir)["completed"] == [4, 8]


def test_all_checkpoints_of_finished_trials_go_when_asked_for(
    command_line: CommandLine, job_dir: JobDir
) -> None:
    command_line("clean", job_dir.root, "--yes", "--all-checkpoints")
    found = steps(job_dir)
    assert (found["completed"], found["pruned"], found["failed"]) == ([], [], list(STEPS))
    assert job_dir.trial("completed").storage.exists("generator.keras")


def test_a_job_that_somebody_runs_is_left_alone_and_the_others_are_cleared(
    command_line: CommandLine, job_dir: JobDir, tmp_path: Path
) -> None:
    other = JobDir(str(tmp_path / "runs" / "other"))
    write_documents(other, {}, {"job": "other", "trials": []})
    other.storage.write("aside/x-1/state.json", KILOBYTE)
    job_dir.storage.write(JobDir.DRIVER, Holder.this_process().model_dump_json().encode())
    before = everything(Path(job_dir.root))
    code, out, err = command_line("clean", str(tmp_path / "runs"), "--yes")
    assert (code, out) == (1, [f"{other.root}/aside/x-1, 1 kB", "1 kB deleted"])
    assert "this job is being run by" in err[0]
    assert everything(Path(job_dir.root)) == before


def test_what_a_link_leads_to_stays(command_line: CommandLine, job_dir: JobDir, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "state.npz").write_bytes(KILOBYTE)
    root = Path(job_dir.root)
    for link in ("aside/linked\x1b[2J", "aside/completed-1/inside", "trials/completed/checkpoints/step-1"):
        (root / link).symlink_to(precious)
    code, out, _ = command_line("clean", job_dir.root, "--yes", "--all-checkpoints")
    assert (code, all(line.isprintable() for line in out)) == (0, True)
    assert (precious / "state.npz").read_bytes() == KILOBYTE
    assert (job_dir.storage.list("aside"), steps(job_dir)["completed"]) == ([], [])


@pytest.mark.parametrize("damage", ["state", "manifest"])
def test_a_job_that_cannot_be_read_is_told_and_nothing_of_it_goes(
    command_line: CommandLine, job_dir: JobDir, tmp_path: Path, damage: str
) -> None:
    path = {"state": "trials/diverged/state.json", "manifest": "manifest.json"}[damage]
    job_dir.storage.write(path, b"{")
    before = everything(tmp_path)
    code, _, err = command_line("clean", job_dir.root, "--yes")
    assert (code, len(err)) == (1, 1)
    assert everything(tmp_path) == before
