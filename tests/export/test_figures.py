"""Figures for paper show what the report shows, and name it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from gandist.artifacts.images import decode_png, encode_png
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.errors import UsageError
from gandist.export import panels
from gandist.export.figures import NAMES, figure, figures
from gandist.report import read_content
from gandist.report.sections import losses
from tests.export.conftest import make_evaluated_job
from tests.report.conftest import state, write_trial
from tests.report.sweep import BEST, SEEDS, STEPS, UNSTABLE


@pytest.fixture(scope="module")
def drawn(sweep: JobDir) -> dict[str, Figure]:
    return dict(figures(read_content(sweep)))


def test_there_is_one_of_each_plot_and_of_each_metric(drawn: dict[str, Figure]) -> None:
    assert set(drawn) == {*NAMES, "frechet", "recall"}


@pytest.mark.parametrize("name", sorted({*NAMES, "frechet", "recall"} - {"samples"}))
def test_each_has_a_title_labelled_axes_and_a_legend(drawn: dict[str, Figure], name: str) -> None:
    sheet = drawn[name]
    assert sheet.get_suptitle().startswith("tuning: ")
    assert sheet.axes
    for axes in sheet.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel() or [it.get_text() for it in axes.get_yticklabels()]
    assert all(part.legends for part in sheet.subfigs or [sheet])


def test_losses_are_the_reports_curves(sweep: JobDir, drawn: dict[str, Figure]) -> None:
    prepared = [plot for row in losses.plots(read_content(sweep)) for plot in row]
    for axes, plot in zip(drawn["losses"].axes, prepared, strict=True):
        shown = [line.get_ydata() for line in axes.lines if line.get_linestyle() == "-"]
        for line, curve in zip(shown, plot.curves, strict=True):
            np.testing.assert_array_equal(line, curve.full)
    assert len(prepared) == 4


def test_the_answer_has_a_dot_for_every_seed_and_a_cross_for_one_that_failed(
    sweep: JobDir, drawn: dict[str, Figure]
) -> None:
    (axes,) = drawn["answer"].axes
    names = [it.get_text().replace("\n", "") for it in axes.get_yticklabels()]
    dots = {names[int(it.get_ydata()[0])]: it.get_xdata() for it in axes.lines if it.get_marker() == "o"}
    written = {
        seed: [
            row["value"] for row in sweep.trial(f"{BEST}-seed{seed}").read_metrics() if row["step"] == STEPS
        ]
        for seed in SEEDS
    }
    assert names[0] == BEST
    assert sorted(dots[BEST]) == sorted(values[0] for values in written.values())
    (failed,) = [it for it in axes.lines if it.get_marker() == "x"]
    assert names[int(failed.get_ydata()[0])] == UNSTABLE[0]


def test_samples_are_the_last_grids_beside_real_images(empty_job: Callable[..., JobDir]) -> None:
    job_dir = empty_job(("slow", 0), ("slow", 1), ("fast", 0))
    write_trial(job_dir.trial("slow-seed1"), "slow", 1, steps=20, state=state(20))
    directory = job_dir.trial("slow-seed1")
    real = np.full((12, 8, 3), 200, np.uint8)
    directory.storage.write(TrialDir.REAL, encode_png(real))
    job_dir.trial("fast-seed0").storage.write("samples/step-000000009.png", b"\x89PNG no")
    axes = figure(job_dir, "samples").axes
    assert [it.get_title() for it in axes] == ["real images", "slow (seed 1, step 20)"]
    np.testing.assert_array_equal(axes[0].images[0].get_array(), real)
    last = decode_png(directory.storage.read(directory.sample_path(20)))
    np.testing.assert_array_equal(axes[1].images[0].get_array(), last)


def test_a_metric_is_drawn_with_what_real_images_have(tmp_path: Path) -> None:
    job_dir = make_evaluated_job(tmp_path, floor=2.5)
    (axes,) = figure(job_dir, "frechet").axes
    (line,) = [it for it in axes.lines if list(it.get_ydata()) == [2.5, 2.5]]
    low, high = axes.get_ylim()
    assert low < 2.5 < high
    assert line.get_linestyle() == "--"


@pytest.mark.parametrize(("extension", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_a_figure_is_a_file_of_the_format_that_was_asked_for(
    drawn: dict[str, Figure], extension: str, begins: bytes
) -> None:
    assert panels.encode(drawn["recall"], extension).startswith(begins)


@pytest.mark.parametrize("name", [r"a $\frac$ b $\x$", "\u6570\u5b57 \U0001f47e"])
def test_a_name_that_is_no_formula_and_has_odd_signs_is_drawn_in_silence(tmp_path: Path, name: str) -> None:
    sheet = figure(make_evaluated_job(tmp_path, job={"name": name}), "frechet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panels.encode(sheet, "png")  # what was read as mathematics would not parse


def test_a_metric_with_a_strangers_name_has_a_name_fit_for_a_file(tmp_path: Path) -> None:
    job_dir = make_evaluated_job(tmp_path, metric="../../Losses")
    assert [name for name, _ in figures(read_content(job_dir))] == ["answer", "cost", "losses_2"]


def test_a_figure_that_is_unknown_or_empty_is_refused(empty_job: Callable[..., JobDir]) -> None:
    job_dir = empty_job(("slow", 0))
    with pytest.raises(
        UsageError, match=r"^figure loses: unknown; choose one of answer, samples, losses, .*$"
    ):
        figure(job_dir, "loses")
    with pytest.raises(UsageError, match=r"^figure losses: .* has nothing to draw in it yet$"):
        figure(job_dir, "losses")
