"""Several jobs in one page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.errors import NotAJobError, UsageError
from gandist.report import compare, write_comparison
from tests.report.conftest import make_job, state, write_trial
from tests.report.pages import ATTACK, Page
from tests.report.sweep import STEPS, write_metrics
from tests.strangers import write_documents


def job(root: Path, name: str, ends: dict[str, list[float]], **changes) -> JobDir:
    """Configurations that ended at ``ends``, seed by seed."""
    trials = [(config, seed) for config, values in ends.items() for seed in range(len(values))]
    job_dir = make_job(root / root.name / name, *trials, job={"name": name})
    for config, seed in trials:
        trial = job_dir.trial(f"{config}-seed{seed}")
        write_trial(trial, config, seed, steps=STEPS, state=state(STEPS), grids=(STEPS,))
        write_metrics(trial, config, seed, STEPS, end=ends[config][seed], **changes)
    return job_dir


def compared(root: Path, *job_dirs: JobDir) -> Page:
    out = root / "compare.html"
    assert write_comparison(job_dirs, str(out)).where == str(out)
    return Page(out.read_text())


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Page:
    root = tmp_path_factory.mktemp("compared")
    monday = job(root, "monday", {"slow": [20.0, 21.0, 22.0, 23.0], "fast": [30.0, 31.0, 32.0, 33.0]})
    tuesday = job(root, "tuesday", {"slow": [10.0, 11.0, 12.0, 13.0]})
    monday.trial("slow-seed0").storage.write(TrialDir.ARCHIVE, b"PK")
    return compared(root, monday, tuesday)


def test_configurations_of_all_jobs_are_ranked_together_behind_each_jobs_own_answer(page):
    own, together = page.text.split(" Answer ", 2)[1:]

    assert "slow is better than fast" in own
    assert "slow: frechet (pixels) 11.5 [10.0, 13.0]" in own
    assert (
        "The best median is that of tuesday (frechet (pixels) 11.5 against 21.5 to 31.5, medians)."
        in together
    )


def test_samples_and_curves_of_all_jobs_stand_side_by_side(page):
    assert len(page.images("still")) == 12
    assert page.sections[:2] == ["jobs", "answer"]
    assert {"samples", "settings", "losses"} < set(page.sections)
    assert "monday: slow 4 of 4 seeds" in page.text
    assert not [link for link in page.all("a") if not re.match("#|data:image/svg", link["href"])]


@pytest.fixture
def answers_only(monkeypatch):
    """Drawing is another matter."""
    monkeypatch.setattr(compare, "SECTIONS", ("answer",))


@pytest.mark.usefixtures("answers_only")
def test_a_job_of_another_protocol_is_not_ranked_and_the_page_says_why(tmp_path):
    page = compared(
        tmp_path,
        job(tmp_path, "a", {"slow": [20.0]}),
        job(tmp_path, "b", {"slow": [1.0]}, protocol="other images"),
    )

    assert "Not in the ranking below: measured by another protocol (other images)" in page.text
    assert "a: frechet (pixels) (protocol 1) 20, of a single seed." in page.text


@pytest.mark.usefixtures("answers_only")
def test_jobs_of_the_same_name_are_told_apart_and_stay_as_they_are(tmp_path):
    same = [job(tmp_path / side, "same", {"slow": [20.0]}) for side in ("left", "right")]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    page = compared(tmp_path, *same)

    assert "same (2)" in page.text
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {path for path in tmp_path.rglob("*") if path.is_file()} - {*before} == {tmp_path / "compare.html"}
    compared(tmp_path, *same)  # an earlier page is replaced


@pytest.mark.usefixtures("answers_only")
def test_nothing_that_a_stranger_writes_becomes_markup(tmp_path):
    jobs = [job(tmp_path / side, "x", {"slow": [1.0]}, protocol=ATTACK + side) for side in "ab"]
    write_documents(jobs[0], {"name": ATTACK}, jobs[0].read_manifest().model_dump(mode="json"))

    page = compared(tmp_path, *jobs)

    assert not page.all("script")
    assert page.open == []
    assert page.text.count("alert(2)") >= 3


@pytest.mark.parametrize("out", ["kept.html", "directory", "directory/"])
def test_what_is_no_page_of_gandist_is_not_overwritten(tmp_path, out):
    (tmp_path / "directory").mkdir()
    (tmp_path / "kept.html").write_text("<p>mine")
    jobs = [make_job(tmp_path / side) for side in "ab"]

    with pytest.raises(UsageError, match=r"--out .*; give the path of another HTML file"):
        write_comparison(jobs, f"{tmp_path}/{out}")

    assert (tmp_path / "kept.html").read_text() == "<p>mine"


def test_a_job_is_given_once_and_is_one(tmp_path):
    first, out = make_job(tmp_path), tmp_path / "compare.html"
    with pytest.raises(UsageError, match="given twice"):
        write_comparison([first, JobDir(f"{first.root}/")], str(out))
    with pytest.raises(NotAJobError):
        write_comparison([first, JobDir(str(tmp_path / "none"))], str(out))
    assert not out.exists()
