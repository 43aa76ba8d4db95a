"""What is drawn, and the drawing."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from gandist.artifacts.statuses import DIVERGED
from gandist.report import read_content
from gandist.report.drawing import draw, figures
from gandist.report.merge import merge_job, merge_losses
from gandist.report.plots import MAX_PLOTS, PER_PLOT, loss, prepare
from gandist.report.scales import by_scale
from gandist.report.sections import discriminator
from gandist.report.sections import losses as losses_section
from gandist.report.statistics import POINTS
from tests.report.conftest import BATCH, rows, state

D_LOSS = {"Discriminator loss": loss("d_loss")}
LOSSES = {**D_LOSS, "Generator loss": loss("g_loss")}


@pytest.fixture
def plots(job_dir):
    [row] = prepare(merge_job(job_dir), LOSSES)
    return row


def test_there_is_a_plot_a_column_and_a_curve_a_configuration(plots):
    assert [plot.title for plot in plots] == ["Discriminator loss", "Generator loss"]
    for plot in plots:
        assert [(curve.config, curve.colour) for curve in plot.curves] == [("slow", 1), ("fast", 2)]


def test_curves_are_over_kimg_and_hold_the_mean_over_seeds(job_dir, plots):
    slow = plots[0].curves[0].band
    losses = merge_losses(job_dir)["d_loss"].to_numpy()
    first, second = losses[:400], losses[400:800]

    assert slow.x.size <= POINTS
    assert slow.steps_per_point == 2
    np.testing.assert_allclose(slow.x[0], 1.5 * 64 / 1000)
    np.testing.assert_allclose(slow.mean[0], np.mean([first[:2], second[:2]]), rtol=1e-6)


def test_a_trial_that_diverged_counts_up_to_there_and_is_marked(plots):
    slow, fast = plots[0].curves

    assert slow.ends == ()
    [end] = fast.ends
    assert end.kimg == pytest.approx(299 * 64 / 1000)
    assert np.isfinite(end.value)
    assert end.why.name == "diverged"
    assert fast.band.n.tolist() == [2] * 150 + [1] * 50
    assert fast.counts == "2 of 2 seeds, 1 from 19.3 kimg"
    assert slow.counts == "2 of 2 seeds"


def test_an_unstable_trial_is_marked_by_another_sign(empty_job):
    job_dir = empty_job(("slow", 0), ("fast", 0))
    for config, status in (("slow", "completed"), ("fast", "unstable")):
        job_dir.trial(f"{config}-seed0").write_losses(rows(config, 0, 1, 20))
        job_dir.trial(f"{config}-seed0").write_state(state(40, status=status, step=20))
    merged = merge_job(job_dir)

    found = prepare(merged, D_LOSS)

    assert [[end.why.name for end in curve.ends] for curve in found[0][0].curves] == [[], ["unstable"]]
    assert figures(merged, found, "losses")["ended"] == [
        {"mark": "+", "why": "unstable: early stopping found its losses out of bounds"}
    ]
    [[plot]] = found
    drawings = {draw(plot, "salt")}
    for ends in ((), (replace(plot.curves[1].ends[0], why=DIVERGED),)):
        changed = replace(plot.curves[1], ends=ends)
        drawings.add(draw(replace(plot, curves=(plot.curves[0], changed)), "salt"))
    assert len(drawings) == 3


def test_where_seeds_are_missing_the_curve_is_another_one(plots):
    fast = plots[0].curves[1]

    assert np.flatnonzero(np.isfinite(fast.full)).tolist() == list(range(150))
    assert np.flatnonzero(np.isfinite(fast.partial)).tolist() == list(range(149, 200))  # joined to the former


def test_a_probability_that_a_loss_does_not_have_is_not_drawn(empty_job):
    job_dir = empty_job(("critic", 0))
    job_dir.trial("critic-seed0").write_losses(rows("critic", 0, 1, 20, d_real=[np.nan] * 20))
    merged = merge_job(job_dir)

    assert prepare(merged, {"D on real": loss("d_real")}) == []
    assert len(prepare(merged, D_LOSS)) == 1


def test_a_spike_does_not_flatten_the_axis_and_is_named(empty_job):
    job_dir = empty_job(("slow", 0))
    spiked = np.linspace(0.5, 1.5, 200)
    spiked[-1] = 1e30
    job_dir.trial("slow-seed0").write_losses(rows("slow", 0, 1, 200, d_loss=spiked))

    [[plot]] = prepare(merge_job(job_dir), D_LOSS)

    assert -1 < plot.limits[0] < plot.limits[1] < 3
    assert plot.clipped == pytest.approx(1e30)


@pytest.mark.parametrize("status", ["unstable", "diverged"])
def test_what_was_unstable_does_not_flatten_what_was_not(empty_job, status):
    job_dir = empty_job(("slow", 0), ("slow", 1), ("fast", 0))
    for trial, g_loss in (("slow-seed0", 0.8), ("slow-seed1", 70.0), ("fast-seed0", 50.0)):
        config, seed = trial.split("-seed")
        noise = np.linspace(0, 0.2, 50)
        job_dir.trial(trial).write_losses(rows(config, int(seed), 1, 50, g_loss=g_loss + noise))
        ended = state(50) if g_loss < 1 else state(90, status=status, step=50)
        job_dir.trial(trial).write_state(ended)

    [[plot]] = prepare(merge_job(job_dir), {"Generator loss": loss("g_loss")})

    assert 0.7 < plot.limits[0] < 0.8 < 1.0 < plot.limits[1] < 1.1
    assert plot.clipped == pytest.approx(70.2)
    ElementTree.fromstring(draw(plot, "salt"))  # noqa: S314


def test_values_without_outliers_are_all_inside(plots):
    for plot in plots:
        for curve in plot.curves:
            assert plot.clipped is None
            assert plot.limits[0] < np.nanmin(curve.band.low)
            assert np.nanmax(curve.band.high) < plot.limits[1]


def test_many_configurations_are_spread_over_plots_and_the_rest_is_counted(empty_job):
    configs = [f"c{i}" for i in range(MAX_PLOTS * PER_PLOT + 3)]
    job_dir = empty_job(*((config, 0) for config in configs))
    for config in configs:
        job_dir.trial(f"{config}-seed0").write_losses(rows(config, 0, 1, 2))
    merged = merge_job(job_dir)

    rows_of_plots = prepare(merged, D_LOSS)

    drawn = [curve.config for [plot] in rows_of_plots for curve in plot.curves]
    assert drawn == configs[: MAX_PLOTS * PER_PLOT]
    assert {curve.colour for [plot] in rows_of_plots for curve in plot.curves} == set(range(1, PER_PLOT + 1))
    assert figures(merged, rows_of_plots[:1], "losses", most=1)["left_out"] == len(configs) - PER_PLOT


def test_no_plot_is_left_with_the_rest_and_all_have_one_axis(empty_job):
    configs = [f"c{i}" for i in range(PER_PLOT + 1)]
    job_dir = empty_job(*((config, 0) for config in configs))
    for i, config in enumerate(configs):
        job_dir.trial(f"{config}-seed0").write_losses(rows(config, 0, 1, 2, d_loss=float(i)))

    plots = [plot for [plot] in prepare(merge_job(job_dir), D_LOSS)]

    assert [len(plot.curves) for plot in plots] == [4, 4]
    assert plots[0].limits == plots[1].limits
    assert plots[0].limits[0] < 0 < 7 < plots[0].limits[1]


def test_measures_share_an_axis_where_they_are_asked_to(job_dir):
    [apart] = prepare(merge_job(job_dir), LOSSES)
    [together] = prepare(merge_job(job_dir), LOSSES, one_axis=[list(LOSSES)])

    assert apart[0].limits != apart[1].limits
    lows, highs = zip(*(plot.limits for plot in apart), strict=True)
    assert [plot.limits for plot in together] == [(min(lows), max(highs))] * 2


def test_a_trial_with_one_step_can_be_drawn(empty_job):
    job_dir = empty_job(("slow", 0))
    job_dir.trial("slow-seed0").write_losses(rows("slow", 0, 1, 1))
    job_dir.trial("slow-seed0").write_state(state(1))

    [[plot]] = prepare(merge_job(job_dir), D_LOSS)

    ElementTree.fromstring(draw(plot, "one"))  # noqa: S314


def test_a_drawing_is_the_same_each_time(plots):
    assert draw(plots[0], "salt") == draw(plots[0], "salt")


def test_a_drawing_shows_curves_and_axes_and_no_name_of_a_configuration(plots):
    renamed = tuple(replace(curve, config="<script>$x$</script>") for curve in plots[0].curves)
    svg = draw(replace(plots[0], curves=renamed), "salt")
    tree = ElementTree.fromstring(svg)  # noqa: S314

    texts = [text for element in tree.findall(".//{*}text") for text in element.itertext()]
    assert "kimg" in texts
    assert not re.search("script|metadata|href=.https?:", svg)
    for variable in ("--series-1", "--series-2", "--ink", "--rule"):
        assert f"var({variable}, #" in svg
    assert "--series-3" not in svg


def test_two_drawings_share_no_id(plots):
    ids = [set(re.findall(r' id="([^"]*)"', draw(plot, f"plot-{i}"))) for i, plot in enumerate(plots)]

    assert all(ids)
    assert not ids[0] & ids[1]


def test_the_labels_of_small_values_are_not_cut(empty_job):
    job_dir = empty_job(("slow", 0))
    job_dir.trial("slow-seed0").write_losses(rows("slow", 0, 1, 20, d_loss=np.linspace(0.001, 0.009, 20)))
    [[plot]] = prepare(merge_job(job_dir), D_LOSS)
    tree = ElementTree.fromstring(draw(plot, "salt"))  # noqa: S314

    labels = {text for element in tree.findall(".//{*}text") for text in element.itertext()}
    assert {"0.002", "0.004", "0.006", "0.008"} <= labels


def test_losses_of_other_scales_stand_in_plots_of_their_own(empty_job):
    job_dir = empty_job(*((config, 0) for config in ("wgan", "hinge", "gp", "softplus")))
    for config, scale in {"wgan": -30.0, "hinge": 1.0, "gp": 8.0, "softplus": 0.5}.items():
        losses = rows(config, 0, 1, 20)
        both = {column: scale * losses[column] for column in ("d_loss", "g_loss")}
        job_dir.trial(f"{config}-seed0").write_losses(losses | both)
    merged = merge_job(job_dir)

    groups = by_scale(merged, ("d_loss", "g_loss"), merged.configs)

    assert groups == [["wgan", "gp"], ["hinge", "softplus"]]
    drawn = losses_section.plots(read_content(job_dir))
    assert [[curve.config for curve in row[0].curves] for row in drawn] == groups
    assert [curve.colour for row in drawn for curve in row[0].curves] == [1, 3, 2, 4]  # as everywhere


def test_steps_and_epochs_stand_below_kimg_where_they_are_those_of_all_curves(empty_job):
    job_dir = empty_job(("slow", 0), ("fast", 0))
    trials = {config: job_dir.trial(f"{config}-seed0") for config in ("slow", "fast")}
    for config, trial in trials.items():
        trial.write_losses(rows(config, 0, 1, 40))
        trial.write_state(state(40))
    merged = merge_job(job_dir)

    [[plot]] = prepare(merged, D_LOSS, sizes={"slow": 1000, "fast": 1000})
    [[unknown]] = prepare(merged, D_LOSS, sizes={"slow": 1000})
    svg = draw(plot, "x")

    assert plot.also == (("steps", pytest.approx(1000 / BATCH)), ("epochs", 1.0))
    assert [unit for unit, _ in unknown.also] == ["steps"]
    assert all(f">{unit}</text>" in svg for unit in ("kimg", "steps", "epochs"))
    trials["fast"].write_state(state(40, kimg=5.12))
    [[other]] = prepare(merge_job(job_dir), D_LOSS, sizes={"slow": 1000, "fast": 2000})
    assert other.also == ()


def test_probabilities_and_scores_of_the_discriminator_never_share_an_axis(empty_job):
    job_dir = empty_job(("critic", 0), ("plain", 0))
    job_dir.trial("plain-seed0").write_losses(rows("plain", 0, 1, 20))
    scores = {"d_real": np.linspace(0, 30, 20), "d_fake": np.linspace(-20, 3, 20)}
    job_dir.trial("critic-seed0").write_losses(rows("critic", 0, 1, 20) | scores)

    of_plain, of_critic = discriminator.plots(read_content(job_dir))

    assert [(plot.title, plot.reference, plot.limits) for plot in of_plain] == [
        ("Mean D(x) on real images", 0.5, (-0.02, 1.02)),
        ("Mean D(G(z)) on generated images", 0.5, (-0.02, 1.02)),
    ]
    assert [curve.config for plot in of_plain for curve in plot.curves] == ["plain", "plain"]
    assert [curve.config for plot in of_critic for curve in plot.curves] == ["critic", "critic"]
    assert of_critic[0].title == "Mean score of real images"
