"""A directory of the user's: what a job exported there is replaced, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.errors import UsageError
from gandist.export.place import RECORD, Place


def test_what_the_job_exported_is_replaced(empty_job: Callable[..., JobDir], tmp_path: Path) -> None:
    job_dir = empty_job(("slow", 0))
    for content in (b"first", b"second"):
        place = Place(str(tmp_path / "out"), job_dir, "--csv")
        place.claim(["a.csv"])
        place.write("a.csv", content)
    assert (tmp_path / "out" / "a.csv").read_bytes() == b"second"


def test_a_file_of_somebody_else_is_refused(empty_job: Callable[..., JobDir], tmp_path: Path) -> None:
    job_dir = empty_job(("slow", 0))
    (tmp_path / "b.csv").write_text("mine")
    place = Place(str(tmp_path), job_dir, "--csv")
    place.claim(["a.csv"])
    with pytest.raises(
        UsageError, match=r"^--csv .*: b.csv is there and was not exported from this job; give another .*$"
    ):
        place.claim(["a.csv", "b.csv"])


def test_exports_of_another_job_are_refused(empty_job: Callable[..., JobDir], tmp_path: Path) -> None:
    place = Place(str(tmp_path / "out"), empty_job(("slow", 0)), "--csv")
    place.claim(["a.csv"])
    place.write("a.csv", b"first")
    other = empty_job(("slow", 0), created_at=1.8e9)
    with pytest.raises(UsageError, match=r"^--csv .*/out: holds exports of another job; give another .*$"):
        Place(str(tmp_path / "out"), other, "--csv")


@pytest.mark.parametrize("record", ["no json", "\xff"])
def test_a_record_that_is_damaged_is_refused(
    empty_job: Callable[..., JobDir], tmp_path: Path, record: str
) -> None:
    (tmp_path / RECORD).write_text(record, encoding="latin-1")
    with pytest.raises(UsageError, match=r"cannot be read; give another directory$"):
        Place(str(tmp_path), empty_job(("slow", 0)), "--csv")
