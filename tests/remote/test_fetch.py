"""Copying results out of a storage, a stranger's as well."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest
from artifacts.faulty import Check, Clock, Times, local_file_system

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.retry import Retry
from gandist.errors import NotAJobError, StorageError, UsageError
from gandist.remote.fetch import Fetch, Fetched, RemoteFile
from tests.strangers import write_documents

TRIAL = "trials/base-seed0"
RESULTS = {
    "job.yaml",
    "manifest.json",
    "report.html",
    "losses.parquet",
    f"{TRIAL}/state.json",
    f"{TRIAL}/generator.keras",
    f"{TRIAL}/progress.gif",
    f"{TRIAL}/samples/step-000000003.png",
}
WORK = {
    f"{TRIAL}/samples.zip",
    f"{TRIAL}/losses/part-000000001-000000003.parquet",
    f"{TRIAL}/checkpoints/step-000000003/weights",
    "aside/base-seed0-1/state.json",
}
NEVER = {"driver.json", f"{TRIAL}/state.json.{'0' * 32}.tmp", "trials/unlisted/state.json"}


def make(root: str) -> JobDir:
    """Of one trial."""
    job_dir = JobDir(root)
    for path in RESULTS | WORK | NEVER:
        job_dir.storage.write(path, f"content of {path}".encode())
    trials = [{"id": "base-seed0", "config": "base", "seed": 0}]
    write_documents(
        job_dir, {"name": "small"}, {"job": "small", "created_at": "2026-01-01T00:00:00Z", "trials": trials}
    )
    return job_dir


@pytest.fixture(params=["path", "uri"])
def job_dir(request: pytest.FixtureRequest, tmp_path: Path) -> JobDir:
    """A local path, or reached by URI like an object storage."""
    folder = tmp_path / "runs" / "small"
    return make(str(folder) if request.param == "path" else folder.as_uri())


@pytest.fixture
def local(tmp_path: Path) -> JobDir:
    """A local path, whose file system a test may replace."""
    return make(str(tmp_path / "runs" / "small"))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "here"


def fetch(job_dir: JobDir, here: Path, **options: Any) -> Fetched:
    return Fetch(job_dir, here, **options).run()


def names(here: Path) -> set[str]:
    return {str(path.relative_to(here)) for path in here.rglob("*") if not path.is_dir()}


def behind(monkeypatch: pytest.MonkeyPatch, check: Check, **methods: Any) -> None:
    """Put the storage behind ``check``, and let ``methods`` answer in place of its own."""
    fake = type("Fake", (local_file_system(check),), methods)
    monkeypatch.setattr(pafs, "LocalFileSystem", fake)


def test_results_are_copied_and_what_training_needs_is_not(job_dir: JobDir, here: Path) -> None:
    fetched = fetch(job_dir, here)
    assert names(here) == RESULTS
    assert (here / "report.html").read_bytes() == b"content of report.html"
    assert (fetched.found, fetched.copied, fetched.there) == (len(RESULTS), len(RESULTS), 0)
    assert JobDir(str(here)).read_manifest().job == "small"


def test_all_is_all_but_the_lease(job_dir: JobDir, here: Path) -> None:
    fetch(job_dir, here)
    assert fetch(job_dir, here, everything=True).copied == len(WORK)
    assert names(here) == RESULTS | WORK


def test_again_it_copies_what_is_new(job_dir: JobDir, here: Path) -> None:
    fetch(job_dir, here)
    job_dir.storage.write("report.html", b"CONTENT OF report.html")  # of the same size
    os.utime(here.parents[1] / "runs" / "small" / "report.html", ns=(1, 1))
    job_dir.storage.write("metrics.parquet", b"new")
    fetched = fetch(job_dir, here)
    assert (fetched.copied, fetched.there) == (2, len(RESULTS) - 1)
    assert (here / "report.html").read_bytes() == b"CONTENT OF report.html"


def test_a_copy_that_was_broken_off_is_gone_on_with(
    local: JobDir, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(operation: str, path: str) -> None:
        if operation == "open_input_stream" and path.endswith("progress.gif"):
            raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        behind(broken, breaks)
        with pytest.raises(KeyboardInterrupt):
            fetch(local, here)
    assert "manifest.json" in names(here) < RESULTS
    left = here / TRIAL / f"fetch.{'a' * 32}.tmp"  # by a process that was killed
    left.parent.mkdir(exist_ok=True, parents=True)
    left.write_bytes(b"half")
    fetch(local, here)
    assert names(here) == RESULTS


def test_a_strangers_names_do_not_leave_the_directory(
    local: JobDir, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = pafs.LocalFileSystem
    strange = ("..", ".", "", "../../esc", "a\\..\\b", "C:x", "a\x1b[31mb", "line\nbreak", "\u202egpj")

    def listed(self: Any, paths: Any) -> Any:
        infos = real.get_file_info(self, paths)
        if isinstance(paths, str) or not paths.base_dir.startswith(local.root):
            return infos
        files = [pafs.FileInfo(f"{paths.base_dir}/{name}", pafs.FileType.File, size=1) for name in strange]
        return [*infos, *files, pafs.FileInfo(f"{paths.base_dir}/..", pafs.FileType.Directory)]

    def open_(self: Any, path: str) -> Any:
        opened.append(path)
        return real.open_input_stream(self, path)

    behind(monkeypatch, lambda *_: None, get_file_info=listed, open_input_stream=open_)
    fetched = fetch(local, here, everything=True)
    assert names(here) == RESULTS | WORK
    assert fetched.refused >= len(strange)
    assert f"{fetched.refused} left out as unsafe here" in str(fetched)
    assert not [path for path in opened if any(path.endswith(f"/{name}") for name in strange)]
    assert sorted(path.name for path in here.parents[1].iterdir()) == ["deep", "runs"]


def test_trials_of_strange_names_are_refused(job_dir: JobDir, here: Path) -> None:
    write_documents(job_dir, {}, {"job": "small", "trials": [{"id": "../../etc", "config": "a", "seed": 0}]})
    with pytest.raises(NotAJobError):
        fetch(job_dir, here)
    assert not here.exists()


def test_a_link_in_the_directory_is_not_followed_out_of_it(job_dir: JobDir, here: Path) -> None:
    outside = here.parents[1] / "outside"
    outside.mkdir()
    fetch(job_dir, here)
    job_dir.storage.write("report.html", b"new content")
    (here / "report.html").unlink()
    (here / "report.html").symlink_to(outside / "report.html")
    with pytest.raises(StorageError, match="a link leads out of"):
        fetch(job_dir, here)
    assert list(outside.iterdir()) == []


def test_a_link_that_leads_back_has_an_end(job_dir: JobDir, here: Path) -> None:
    samples = here.parents[1] / "runs" / "small" / TRIAL / "samples"
    (samples / "again").symlink_to(samples)
    assert fetch(job_dir, here).found < 3 * len(RESULTS)


def test_another_jobs_directory_is_left_alone(job_dir: JobDir, here: Path) -> None:
    here.mkdir(parents=True)
    (here / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="holds something else"):
        fetch(job_dir, here)
    (here / "thesis.tex").unlink()
    write_documents(
        JobDir(str(here)), {}, {"job": "small", "created_at": "2026-01-01T00:00:01Z", "trials": []}
    )
    with pytest.raises(UsageError, match="holds something else"):
        fetch(job_dir, here)
    assert names(here) == {"job.yaml", "manifest.json"}
    with pytest.raises(UsageError, match="a file; give a directory"):
        fetch(job_dir, here / "job.yaml")


def test_a_directory_is_not_copied_into_itself(tmp_path: Path) -> None:
    job_dir = JobDir(str(tmp_path / "small"))
    write_documents(job_dir, {}, {"job": "small", "trials": []})
    for into in (tmp_path / "small", tmp_path / "small" / "copy"):
        with pytest.raises(UsageError, match="which is to be copied"):
            fetch(job_dir, into)


def test_what_is_no_job_is_refused(tmp_path: Path, here: Path) -> None:
    with pytest.raises(NotAJobError):
        fetch(JobDir(str(tmp_path)), here)
    assert not here.exists()


def test_a_storage_that_refuses_for_a_while_is_asked_again(
    local: JobDir, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    check = Times(2, OSError(errno.EIO, "gone"), "open_input_stream")
    behind(monkeypatch, check)
    fetch(local, here, retry=Retry(clock=clock, sleep=clock.sleep))
    assert names(here) == RESULTS
    check = Times(float("inf"), OSError(errno.EIO, "gone"), "open_input_stream")
    behind(monkeypatch, check)
    with pytest.raises(StorageError, match=r"cannot be read: .*gone"):
        fetch(local, here.with_name("other"), retry=Retry(clock=clock, sleep=clock.sleep))
    assert names(here.with_name("other")) == set()


def test_a_local_disk_that_refuses_is_not_taken_for_the_storage(job_dir: JobDir, here: Path) -> None:
    fetch(job_dir, here)
    (here / "report.html").unlink()
    (here / "report.html").mkdir()
    with pytest.raises(StorageError, match=r"report.html: cannot be written: Is a directory"):
        fetch(job_dir, here)
    assert names(here) == RESULTS - {"report.html"}


def test_what_the_running_job_has_deleted_since_is_left_out(job_dir: JobDir, here: Path) -> None:
    class Late(Fetch):
        def _copy(self, file: RemoteFile) -> Any:
            if file.path.endswith(".gif"):
                job_dir.storage.delete(file.path)
            return super()._copy(file)

    fetched = Late(job_dir, here).run()
    assert names(here) == RESULTS - {f"{TRIAL}/progress.gif"}
    assert (fetched.found, fetched.copied) == (len(RESULTS), len(RESULTS) - 1)
