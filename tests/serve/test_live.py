"""A job as its page gets it: what has changed, and nothing that has not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.report.losses import read_piece
from gandist.report.merge import merge_job
from gandist.report.plots import loss
from gandist.report.statistics import band
from gandist.serve import live
from gandist.serve.drivers import Drivers
from gandist.serve.live import Follower
from tests.report.conftest import rows
from tests.report.pages import ATTACK, Page
from tests.serve.conftest import Serve, Served
from tests.serve.jobs import TOTAL, advance, drive, make


@pytest.fixture
def job_dir(runs: Path) -> JobDir:
    """Two of four trials have begun."""
    made = make(runs)
    drive(made)
    advance(made, "slow", 0, 200)
    advance(made, "fast", 0, 200)
    return made


@pytest.fixture
def served(runs: Path, job_dir: JobDir, serve: Serve) -> Served:
    return serve(runs)


def look(served: Served, since: int = 0) -> Any:
    return served(f"/jobs/demo/live?since={since}").json


def test_the_first_look_has_everything(served: Served) -> None:
    answer = look(served)
    assert [panel["title"] for panel in answer["panels"]][:3] == [
        "frechet (mnist)",
        "Discriminator loss",
        "Generator loss",
    ]
    assert answer["series"]["configs"].keys() == {"slow", "fast"}
    assert len(answer["series"]["trials"]) == 4
    assert answer["runs"]
    head = Page(answer["head"])
    assert "2 running 2 queued" in " ".join(head.text.split())
    assert "25%" in head.text
    assert "slow-seed0, step 200" in Page(answer["grids"]).text
    log = Page(answer["log"]).text
    assert "step 200: frechet 19.5" in log
    assert "started: NVIDIA H100 on node-a" in log
    assert "running" in Page(answer["sections"]["trials"]["body"]).text


def test_curves_are_the_reports(served: Served, job_dir: JobDir) -> None:
    (trial,) = (trial for trial in merge_job(job_dir).members if trial.id == "fast-seed0")
    expected = band([loss("g_loss")(trial)])
    series = look(served)["series"]["trials"]["fast-seed0"]
    curve = series["curves"]["g_loss"]
    np.testing.assert_allclose(series["axes"][curve["x"]], expected.x, rtol=1e-6)
    np.testing.assert_allclose(curve["y"], expected.mean, rtol=1e-4)
    assert series["steps"] * expected.x[-1] == pytest.approx(200)


def test_time_counts_from_the_first_step(served: Served) -> None:
    kimg, seconds = look(served)["series"]["trials"]["fast-seed0"]["clock"]
    assert (kimg[0], seconds[0]) == (0.064, 0)
    assert seconds[-1] == pytest.approx(199 * 0.05)


def test_seeds_make_a_mean_and_a_range(served: Served, job_dir: JobDir) -> None:
    advance(job_dir, "fast", 1, 200)
    curve = look(served)["series"]["configs"]["fast"]["curves"]["d_loss"]
    assert len(curve["low"]) == len(curve["y"])
    assert all(
        low <= mean <= high for low, mean, high in zip(curve["low"], curve["y"], curve["high"], strict=True)
    )


def test_without_a_change_there_is_the_head_only(served: Served) -> None:
    first = look(served)
    assert look(served, first["revision"]).keys() == {"revision", "runs", "head"}


def test_of_what_goes_on_only_that_is_sent(served: Served, job_dir: JobDir) -> None:
    first = look(served)
    advance(job_dir, "slow", 0, TOTAL, before=200)
    later = look(served, first["revision"])
    assert later["revision"] > first["revision"]
    assert list(later["series"]["trials"]) == ["slow-seed0"]
    assert list(later["series"]["configs"]) == ["slow"]
    assert later["series"]["trials"]["slow-seed0"]["axes"][0][-1] == pytest.approx(25.6)
    assert look(served)["series"]["trials"].keys() == first["series"]["trials"].keys()


def test_a_page_of_an_earlier_process_gets_everything(served: Served) -> None:
    assert len(look(served, 10**15)["series"]["trials"]) == 4


class TestLosses:
    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The first steps of the parts that are read."""
        found: list[int] = []

        def noted(directory, piece):
            found.extend(part.first for part in piece)
            return read_piece(directory, piece)

        monkeypatch.setattr(live, "read_piece", noted)
        return found

    def test_of_those_that_were_read_nothing_is_read_again(self, job_dir: JobDir, read: list[int]) -> None:
        follower = Follower(job_dir, Drivers())
        follower.refresh()
        assert read == [1, 1]
        advance(job_dir, "slow", 0, TOTAL, before=200)
        found = follower.refresh().trials["slow-seed0"].trial.losses
        assert read == [1, 1, 201]
        whole = merge_job(job_dir).members[0].losses
        assert found.finals == whole.finals
        np.testing.assert_array_equal(found.curves["g_loss"].values, whole.curves["g_loss"].values)

    def test_those_that_are_taken_back_are_forgotten(self, job_dir: JobDir, read: list[int]) -> None:
        follower = Follower(job_dir, Drivers())
        follower.refresh()
        directory = job_dir.trial("slow-seed0")
        directory.drop_losses_after(0)
        directory.write_losses(rows("slow", 0, 1, 50))
        directory.write_state(directory.read_state().model_copy(update={"step": 50}))
        found = follower.refresh().trials["slow-seed0"].trial.losses
        assert (found.rows, found.last) == (50, 50)
        assert found.curves["d_loss"].last[0] == pytest.approx(3.2)


class TestStrangers:
    def test_nothing_of_a_job_becomes_markup(self, runs: Path, serve: Serve) -> None:
        job_dir = make(runs)
        job_dir.storage.write("job.yaml", b"name: x\ndescription: '<script>alert(1)</script>'\n")
        directory = job_dir.trial("slow-seed0")
        advance(job_dir, "slow", 0, 100, reason=ATTACK, host=ATTACK, device=ATTACK, notes=(ATTACK,))
        directory.write_metrics([{**directory.read_metrics()[0], "metric": ATTACK, "wall_time": 1.7e9}])
        answer = look(serve(runs))
        for html in (
            answer["head"],
            answer["log"],
            answer["grids"],
            *(section["body"] for section in answer["sections"].values()),
        ):
            page = Page(html)
            assert not page.all("script")
            assert all(image["src"].startswith("/jobs/demo/grids/") for image in page.all("img"))
        assert "alert(1)" in Page(answer["log"]).text

    @pytest.mark.parametrize("time", [float("nan"), float("inf"), -1.0, 1e300])
    def test_a_time_that_is_none_is_left_out(self, runs: Path, serve: Serve, time: float) -> None:
        job_dir = make(runs)
        advance(job_dir, "slow", 0, 100)
        directory = job_dir.trial("slow-seed0")
        directory.write_metrics([{**directory.read_metrics()[0], "wall_time": time}])
        assert "frechet" not in Page(look(serve(runs))["log"]).text

    @pytest.mark.parametrize(
        "path",
        [
            "/jobs/nothing",
            "/jobs/nothing/live",
            "/jobs/..",
            "/jobs/%2e%2e/report",
            "/jobs/%2e%2e%2fsecret/report",
            "/jobs/demo%2Ftrials/live",
            "/jobs/demo/grids/..%2F..%2Fsecret/1.png",
            "/jobs/demo/grids/slow-seed0/..%2Fstate.png",
            "/jobs/demo/grids/slow-seed0/7.png",
            "/jobs/demo/report",
            "/static/..%2f..%2fversion.py",
            "/static/live.py",
            "/compare?jobs=demo,nothing",
        ],
    )
    def test_what_a_storage_does_not_list_is_not_there(self, served: Served, runs: Path, path: str) -> None:
        make(runs.parent, "secret").storage.write(JobDir.REPORT, b"hidden")
        answer = served(path)
        assert answer.status == 404
        assert b"hidden" not in answer.body

    def test_a_report_that_is_a_link_out_of_the_job_is_not_read(self, served: Served, runs: Path) -> None:
        (runs.parent / "secret").write_text("secret")
        (runs / "demo/report.html").symlink_to(runs.parent / "secret")
        assert served("/jobs/demo/report").status == 404

    def test_a_grid_is_a_whole_png(self, served: Served, job_dir: JobDir) -> None:
        assert look(served)["grids"]
        whole = served("/jobs/demo/grids/slow-seed0/200.png")
        assert (whole.status, whole.headers["Content-Type"]) == (200, "image/png")
        job_dir.trial("slow-seed0").storage.write("samples/step-000000200.png", b"<script>alert(1)</script>")
        assert served("/jobs/demo/grids/slow-seed0/200.png").status == 404

    def test_a_state_that_is_none_is_counted_as_such(self, served: Served, job_dir: JobDir) -> None:
        job_dir.trial("slow-seed0").storage.write("state.json", b"{")
        assert "1 running 2 queued 1 unreadable" in " ".join(Page(look(served)["head"]).text.split())

    def test_a_job_that_vanishes_is_told(self, served: Served, job_dir: JobDir) -> None:
        look(served)
        job_dir.storage.delete("manifest.json")
        answer = served("/jobs/demo/live")
        assert answer.status == 404
        assert "manifest.json: no such file" in answer.page.text

    def test_torn_losses_are_told_once_and_the_rest_is_shown(self, served: Served, job_dir: JobDir) -> None:
        job_dir.trial("slow-seed0").storage.write("losses/part-000000001-000000200.parquet", b"PAR1")
        answer = look(served)
        assert "left out" in Page(answer["sections"]["warnings"]["body"]).text
        assert "d_loss" not in answer["series"]["trials"]["slow-seed0"]["curves"]
        assert "d_loss" in answer["series"]["trials"]["fast-seed0"]["curves"]


def test_jobs_stand_side_by_side(served: Served, runs: Path) -> None:
    make(runs, "other")
    page = served("/compare?jobs=demo,other&jobs=demo").page
    assert [part["data-job"] for part in page.all("section") if "data-url" in part] == ["demo", "other"]


def test_the_first_trials_of_very_many_are_followed(
    runs: Path, job_dir: JobDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_TRIALS", 3)
    seen = Follower(job_dir, Drivers()).refresh()
    assert (len(seen.trials), seen.more) == (3, 1)
