"""The list of jobs: how each stands, and that nothing is read twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.serve.drivers import Drivers
from gandist.serve.index import Index
from tests.report.pages import ATTACK
from tests.serve.conftest import Serve
from tests.serve.jobs import TOTAL, TRIALS, advance, drive, make


def test_a_job_has_its_state_progress_and_answer(runs: Path, serve: Serve) -> None:
    job_dir = make(runs)
    for config, seed in TRIALS:
        advance(job_dir, config, seed, TOTAL)
    advance(job_dir, "slow", 1, 100)
    drive(job_dir)
    text = serve(runs)("/").page.text
    assert "3 completed 1 running" in " ".join(text.split())
    assert "81%" in text
    assert "So far (1 trial to go): " in text
    assert "fast" in text
    assert "run by process" in text


def test_a_finished_job_has_its_report_and_no_bar(runs: Path, serve: Serve) -> None:
    job_dir = make(runs, trials=(("slow", 0),))
    advance(job_dir, "slow", 0, TOTAL)
    job_dir.storage.write(JobDir.REPORT, b"<p>all of it</p>")
    served = serve(runs)
    page = served("/").page
    assert "/jobs/demo/report" in [link["href"] for link in page.all("a")]
    assert not page.all("progress")
    report = served("/jobs/demo/report")
    assert report.body == b"<p>all of it</p>"
    assert report.headers["Content-Security-Policy"].startswith("sandbox allow-downloads; default-src 'none'")


def test_those_that_run_come_first(runs: Path) -> None:
    for name in ("a", "b", "c"):
        advance(make(runs, name, (("slow", 0),)), "slow", 0, TOTAL)
    drive(JobDir(str(runs / "c")))
    index = Index(str(runs), Drivers())
    index.refresh()
    assert [row.name for row in index.rows()] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("manifest.json", b"{"),
        ("manifest.json", b"[]"),
        ("trials/slow-seed0/state.json", b"{"),
        ("trials/slow-seed0/metrics.parquet", b"PAR1"),
        ("driver.json", b"\xff"),
    ],
)
def test_a_broken_job_is_a_row_that_says_so(runs: Path, serve: Serve, path: str, content: bytes) -> None:
    broken = make(runs, "broken")
    broken.storage.write(path, content)
    advance(make(runs, "whole"), "slow", 0, TOTAL)
    answer = serve(runs)("/")
    assert answer.status == 200
    assert "1 completed 3 queued" in " ".join(answer.page.text.split())
    if path == "manifest.json":
        assert "manifest.json: " in answer.page.text
    if path.endswith("state.json"):
        assert "1 unreadable" in answer.page.text


def test_names_are_strangers(runs: Path, serve: Serve) -> None:
    name = ATTACK.replace("/", "_")[:120]
    make(runs, name)
    page = serve(runs)("/").page
    assert [script["src"] for script in page.all("script")] == ["/static/index.js"]
    assert not page.all("img")
    assert "<script>alert(1)<_script>" in page.text


def test_a_storage_that_is_gone_is_told(runs: Path, serve: Serve) -> None:
    served = serve(runs)
    runs.rmdir()
    assert "no such directory" in served("/rows").body.decode()


class TestWhatHasNotChangedIsNotReadAgain:
    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The trials whose states are read."""
        found: list[str] = []
        read = TrialDir.read_state
        monkeypatch.setattr(TrialDir, "read_state", lambda trial: found.append(trial.id) or read(trial))
        return found

    def test_of_a_job_that_nobody_runs(self, runs: Path, read: list[str]) -> None:
        job_dir = make(runs)
        for config, seed in TRIALS:
            advance(job_dir, config, seed, TOTAL)
        index = Index(str(runs), Drivers())
        index.refresh()
        assert len(read) == 4
        index.refresh()
        assert len(read) == 4

    def test_of_a_job_that_runs(self, runs: Path, read: list[str]) -> None:
        job_dir = make(runs)
        drive(job_dir)
        advance(job_dir, "slow", 0, TOTAL)
        advance(job_dir, "fast", 0, 100)
        index = Index(str(runs), Drivers())
        index.refresh()
        read.clear()
        advance(job_dir, "fast", 0, TOTAL, before=100)
        index.refresh()
        assert read == ["fast-seed0"]
        assert index.rows()[0].summary.counts == {"completed": 2, "queued": 2}
        assert index.rows()[0].answer.startswith("So far")
