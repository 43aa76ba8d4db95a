"""Job directories: made, continued, never overwritten."""

from __future__ import annotations

import getpass
import json
import subprocess
from pathlib import Path

import pytest

import gandist
from gandist.artifacts.manifest import ListedTrial
from gandist.artifacts.trials import listed_trials
from gandist.errors import UsageError
from gandist.runner.manifest import SCRATCH, SUBMITTED, git_commit, open_job_dir, submitter, write_job
from gandist.spec.job import JobSpec

from .conftest import make_job


def test_a_manifest_names_trials_and_versions(tmp_path: Path) -> None:
    job = make_job(seeds=2)
    job_dir = open_job_dir(str(tmp_path), job)
    write_job(job_dir, job)
    manifest = job_dir.read_manifest()
    assert manifest.job == "fake"
    assert manifest.gandist == gandist.__version__
    assert manifest.trials[1] == ListedTrial(id="base-seed1", config="base", seed=1)
    assert all(manifest.versions.values())
    assert JobSpec.model_validate(job_dir.read_job()) == job.spec


def test_more_seeds_are_added_and_none_is_forgotten(tmp_path: Path) -> None:
    job_dir = open_job_dir(str(tmp_path), make_job())
    for seeds in (2, 3, 1):
        job = make_job(seeds=seeds)
        manifests = [job_dir.read_manifest()] if seeds != 2 else []
        write_job(open_job_dir(str(tmp_path), job), job)
        for before in manifests:
            assert job_dir.read_manifest().created_at == before.created_at
            assert job_dir.read_manifest().spec_hash != before.spec_hash
    assert listed_trials(job_dir) == ["base-seed0", "base-seed1", "base-seed2"]


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    thesis = tmp_path / "fake" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("x")
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        open_job_dir(str(tmp_path), make_job())
    assert [path.name for path in thesis.parent.iterdir()] == ["thesis.tex"]


def test_the_directory_of_another_job_is_refused(tmp_path: Path) -> None:
    job = make_job()
    write_job(open_job_dir(str(tmp_path), job), job)
    (tmp_path / "fake").rename(tmp_path / "other")
    with pytest.raises(UsageError, match="belongs to the job fake"):
        open_job_dir(str(tmp_path), make_job(name="other"))


def test_the_commit_is_that_of_the_package_and_not_of_a_repository_around_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    (tmp_path / "__init__.py").write_text("")
    git("init")
    git("commit", "--allow-empty", "-m", "first")
    assert git_commit(tmp_path) is None
    git("add", "__init__.py")
    git("commit", "-m", "second")
    clean = git_commit(tmp_path)
    assert clean is not None
    assert len(clean) == 40
    (tmp_path / "__init__.py").write_text("changed")
    assert git_commit(tmp_path) == f"{clean}-dirty"


@pytest.mark.parametrize(
    ("named", "submitted", "expected"),
    [
        (None, None, "user"),
        (None, json.dumps({"metadata": {"submitted_by": "alice"}}), "alice"),
        (None, json.dumps({"metadata": {"job_name": "x"}}), "user"),
        (None, "[1]", "user"),
        (None, "{", "user"),
        ("team\x1b[2J", json.dumps({"metadata": {"submitted_by": "alice"}}), r"team\x1b[2J"),
        ("", json.dumps({"metadata": {"submitted_by": "alice"}}), ""),
        (None, json.dumps({"metadata": {"submitted_by": ""}}), ""),
    ],
)
def test_who_has_it_run(
    monkeypatch: pytest.MonkeyPatch, named: str | None, submitted: str | None, expected: str
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "user")
    for variable, value in (("GANDIST_USER", named), (SUBMITTED, submitted)):
        monkeypatch.delenv(variable, raising=False)
        if value is not None:
            monkeypatch.setenv(variable, value)
    assert submitter() == expected


def test_a_user_without_a_name_is_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1000")

    monkeypatch.setattr(getpass, "getuser", nobody)
    job_dir = open_job_dir(str(tmp_path), make_job())
    write_job(job_dir, make_job())
    assert job_dir.read_manifest().submitted_by == ""
    monkeypatch.setenv("GANDIST_USER", "alice")
    write_job(job_dir, make_job())
    assert job_dir.read_manifest().submitted_by == "alice"


def test_the_driver_of_a_submission_keeps_nothing_where_ray_deletes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    monkeypatch.delenv(SUBMITTED, raising=False)
    monkeypatch.chdir(tmp_path)
    open_job_dir("runs", job)
    scratch = tmp_path / SCRATCH / "_ray_pkg_1f"
    scratch.mkdir(parents=True)
    monkeypatch.chdir(scratch)
    for storage in ("runs", str(scratch / "runs"), "../../runs/../working_dir_files"):
        with pytest.raises(UsageError, match="in Ray's working directory, which it deletes; give s3://"):
            open_job_dir(storage, job)
    monkeypatch.chdir(tmp_path)  # a submission without a working directory of its own
    monkeypatch.setenv(SUBMITTED, "{}")
    for storage in ("runs", ".", "../runs"):
        with pytest.raises(UsageError, match=f"^--storage {storage}: relative to what"):
            open_job_dir(storage, job)
    open_job_dir(str(tmp_path / "runs"), job)
