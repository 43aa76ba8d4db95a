"""The section on training health: what steps log besides losses and outputs."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.report import kept, write_report
from gandist.report.merge import merge_job
from gandist.report.plots import PER_PLOT, loss, prepare
from gandist.report.sections import health
from gandist.report.thinning import MAX_FIGURES
from tests.report.conftest import rows, state
from tests.report.pages import report

ALWAYS = [
    "Gradient norm, discriminator",
    "Gradient norm, generator",
    "Discriminator loss on real images",
    "Discriminator loss on generated images",
]


def lazily(every: int, steps: int, value: float = 5.0) -> np.ma.MaskedArray:
    """``value`` at each of ``every`` steps, null in between."""
    return np.ma.masked_array(np.full(steps, value), np.arange(1, steps + 1) % every != 0)


def write(job_dir: JobDir, config: str, first: int = 1, last: int = 40, **columns) -> None:
    """A trial of seed 0; of a column that is None there is none."""
    made = rows(config, 0, first, last, **columns)
    trial = job_dir.trial(f"{config}-seed0")
    trial.write_losses({name: column for name, column in made.items() if column is not None})
    figures = {"d_loss_fake", "d_loss_real", "r1"} | columns.keys()
    trial.write_state(state(last, figures=tuple(sorted(figures))))


def section(job_dir: JobDir) -> str:
    write_report(job_dir)
    page = job_dir.storage.read(JobDir.REPORT).decode()
    page = re.sub('href="data:image/svg[^"]*"', "", page)
    return page[page.index('<section id="health"') : page.index('<section id="trials"')]


def titles(html: str) -> list[str]:
    return [title.strip() for title in re.findall(r"<h3>(?:<abbr[^>]*>)?([^<]*)", html)]


def curve(job_dir: JobDir, column: str):
    [[plot]] = prepare(merge_job(job_dir), {column: loss(column)})
    return plot.curves[0].band


def test_each_figure_is_a_plot_and_what_belongs_together_stands_first(empty_job):
    job_dir = empty_job(("slow", 0))
    write(job_dir, "slow", path_length=0.1, ada_p=0.01)

    assert titles(section(job_dir)) == [*ALWAYS, "ada_p", "path_length", "r1"]


def test_steps_that_do_not_compute_a_figure_are_left_out_and_no_zero_stands_for_them(empty_job):
    job_dir = empty_job(("slow", 0))
    write(job_dir, "slow", last=2000, r1=lazily(4, 2000), r2=lazily(600, 2000, 7.0))

    for column, value, points in (("r1", 5.0, 250), ("r2", 7.0, 3)):
        found = curve(job_dir, column)
        assert set(found.mean) == {value}
        assert found.x.size == points


def test_a_figure_begins_where_older_parts_have_no_such_column(empty_job):
    job_dir = empty_job(("slow", 0))
    write(job_dir, "slow", last=20, r1=None)
    write(job_dir, "slow", first=21, last=40, r1=3.0)

    found = curve(job_dir, "r1")

    assert set(found.mean) == {3.0}
    np.testing.assert_allclose(found.x, np.arange(21, 41) * 64 / 1000)


def test_a_figure_ends_with_the_losses(empty_job):
    job_dir = empty_job(("slow", 0))
    write(job_dir, "slow", d_loss=np.where(np.arange(40) < 30, 0.5, np.nan))

    assert curve(job_dir, "r1").x.size == 30


def plots(job_dir: JobDir, last: int, **columns):
    write(job_dir, "slow", last=last, **columns)
    measures = {column: loss(column) for column in columns}
    [row] = prepare(merge_job(job_dir), measures, may_be_logarithmic=True)
    return row


def test_an_axis_is_logarithmic_where_positive_values_span_decades(empty_job):
    wide, around = np.geomspace(1e-4, 10, 200), np.geomspace(0.5, 10, 200)
    with_a_zero = np.where(np.arange(200) == 50, 0, wide)
    found = plots(empty_job(("slow", 0)), last=200, r1=wide, r2=around, ada_p=with_a_zero)

    assert [plot.logarithmic for plot in found] == [True, False, False]
    assert 1e-5 < found[0].limits[0] < 1e-4 < 10 < found[0].limits[1] < 100


def test_both_networks_gradient_norms_have_one_axis(empty_job):
    job_dir = empty_job(("slow", 0))
    write(job_dir, "slow", d_grad_norm=np.geomspace(1, 1e4, 40), g_grad_norm=0.5)
    html = section(job_dir)
    norms = re.findall(r"<h3>Gradient norm.*?</svg>", html, re.DOTALL)

    ticks = [re.findall(r"mathdefault\{10\^\{(.*?)\}\}|<tspan[^>]*>(.*?)</tspan>", svg) for svg in norms]
    assert len(norms) == 2
    assert html.count("<small>logarithmic</small>") == 2
    assert ticks[0]
    assert ticks[0] == ticks[1]


def test_a_configuration_without_a_figure_has_no_curve_there_and_its_seeds_in_the_legend(empty_job):
    job_dir = empty_job(("plain", 0), ("slow", 0))
    write(job_dir, "plain", r1=None, d_grad_norm=np.ma.masked_all(40))
    write(job_dir, "slow")
    html = section(job_dir)

    assert html.count("1 of 1 seed") == 2
    assert "no data" not in html
    r1 = html[html.index(">r1</abbr>") :]
    r1 = r1[: r1.index("</svg>")]
    assert "--series-2" in r1
    assert "--series-1" not in r1


def test_many_figures_fold_and_those_beyond_what_is_kept_are_counted(empty_job):
    job_dir = empty_job(("slow", 0))
    more = {f"figure_{i:02}": 1.0 for i in range(MAX_FIGURES)}
    write(job_dir, "slow", **more)
    html = section(job_dir)
    seen, folded = html[: html.index("<details>")], html[html.index("<details>") :]

    assert len(titles(seen)) == health.OPEN
    assert len(titles(html)) == 2 + MAX_FIGURES
    assert f"{len(titles(folded))} further figures" in html
    assert "3 further columns not drawn" in html
    assert len(merge_job(job_dir).members[0].losses.curves) == 4 + 2 + MAX_FIGURES


def test_the_figures_of_most_trials_are_those_that_are_kept(empty_job):
    job_dir = empty_job(("slow", 0), ("fast", 0), ("odd", 0))
    write(job_dir, "odd", **{f"a_{i:02}": 1.0 for i in range(MAX_FIGURES)})
    for config in ("slow", "fast"):
        write(job_dir, config, z=1.0)

    assert merge_job(job_dir).logged[:4] == ("d_loss_fake", "d_loss_real", "r1", "z")
    assert "z" in titles(section(job_dir))


def test_the_plots_are_bounded_where_there_are_many_configurations_too(empty_job, monkeypatch):
    monkeypatch.setattr(health, "MAX_DRAWN", 12)
    configs = [f"c{i}" for i in range(3 * PER_PLOT)]
    job_dir = empty_job(*((config, 0) for config in configs))
    for config in configs:
        write(job_dir, config, last=4)
    html = section(job_dir)

    assert html.count("<svg") == 10
    assert f"{PER_PLOT} further configurations not drawn" in html


@pytest.mark.parametrize("ada_p", [0.5, None])
def test_a_report_of_a_running_job_shows_the_same_from_what_was_kept(empty_job, ada_p):
    job_dir = empty_job(("slow", 0), ("fast", 0))
    write(job_dir, "slow", last=2000, r1=lazily(16, 2000), ada_p=ada_p)
    write(job_dir, "fast")
    job_dir.trial("fast-seed0").write_state(state(40, status="running", updated_at=time.time()))
    first, again = section(job_dir), section(job_dir)

    assert list(kept.read(job_dir.storage)) == ["slow-seed0", "fast-seed0"]
    assert ("<h3>ada_p" in first) == (ada_p is not None)
    assert again == first


def test_without_losses_there_is_no_such_section(empty_job):
    assert "health" not in report(empty_job(("slow", 0))).sections


def test_a_negative_value_that_a_longer_unstable_seed_hides_makes_no_logarithmic_axis(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed, last, status in ((0, 200, "running"), (1, 5000, "unstable")):
        values = np.geomspace(1e-2, 1e2, last)
        values[: 3 if seed == 0 else 0] = -1e-3
        trial = job_dir.trial(f"slow-seed{seed}")
        trial.write_losses(rows("slow", seed, 1, last, r1=values))
        trial.write_state(state(5000, status=status, step=last, figures=("d_loss_fake", "d_loss_real", "r1")))

    assert "r1" in titles(section(job_dir))


def test_curves_that_were_kept_without_a_figure_are_read_again(empty_job, monkeypatch):
    job_dir = empty_job(("slow", 0), ("fast", 0))
    write(job_dir, "slow", r2=3.0)
    write(job_dir, "fast")
    job_dir.trial("fast-seed0").write_state(state(40, status="running", updated_at=time.time()))
    monkeypatch.setattr("gandist.report.merge.MAX_FIGURES", 2)
    write_report(job_dir)
    monkeypatch.undo()

    assert "r2" in titles(section(job_dir))
