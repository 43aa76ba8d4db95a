"""The best configuration, and the maps over what was swept."""

from __future__ import annotations

import math

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import Manifest
from gandist.report import tuning, write_report
from gandist.report.tuning import label, layout, shades
from tests.report.conftest import state
from tests.report.pages import ATTACK, Page, report
from tests.report.sweep import BEST, STEPS, UNSTABLE, make_sweep_job, points, write_metrics


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Page:
    job_dir = make_sweep_job(tmp_path_factory.mktemp("sweep"))
    write_report(job_dir)
    return Page(job_dir.storage.read(JobDir.REPORT).decode())


def section(page: Page, name: str, until: str) -> str:
    """The text from a section's heading to another's."""
    body = page.text[page.text.rindex(f" {name} ", 0, page.text.index(until)) :]
    return body[: body.index(until)]


def place(configs):
    return layout(configs, list(configs))


def test_the_factor_with_the_most_values_makes_the_columns_and_numbers_ascend():
    found = place(
        {f"{lr}{beta}": {"lr": lr, "beta": beta} for beta in (0.5, 0.0) for lr in (1e-3, 2e-2, 3e-4)}
    )

    assert (found.columns.path, found.columns.levels) == ("lr", ("0.0003", "0.001", "0.02"))
    assert (found.rows.path, found.rows.levels) == ("beta", ("0", "0.5"))
    [panel] = found.panels
    assert panel.cells[1] == ("0.00030.5", "0.0010.5", "0.020.5")


def test_other_factors_make_panels():
    found = layout(points(), list(points()))

    assert (found.columns.path, found.rows.path) == ("model.latent_dim", "optimizer.beta_1")
    assert [panel.rest for panel in found.panels] == [
        {"optimizer.learning_rate": "0.0001"},
        {"optimizer.learning_rate": "0.0002"},
    ]
    assert found.panels[1].cells[0][0] == BEST
    assert sorted(found.points) == sorted(points())
    assert found.left_out == 0


def test_one_factor_makes_a_row_and_what_does_not_vary_is_none():
    found = place({"a": {"width": 64, "depth": 2}, "b": {"width": 8, "depth": 2}})

    assert found.rows is None
    assert found.columns.levels == ("8", "64")
    assert found.panels[0].cells == (("b", "a"),)


def test_sections_and_words_stand_in_the_order_of_the_sweep():
    found = place(
        {
            "p": {"augmentation": None},
            "q": {"augmentation": {"name": "ada", "target": 0.6}},
            "r": {"augmentation": "a"},
        }
    )

    assert found.columns.levels == ("off", "ada", "a")
    assert label({"gamma": 1, "every": {"steps": 2}}) == "gamma 1, every.steps 2"
    assert label(True) == "true"
    assert len(label({"name": "x" * 999})) < 50


def test_configurations_of_another_sweep_have_no_place_and_are_counted():
    configs = {
        "a": {"lr": 1, "beta": 0},
        "b": {"lr": 2, "beta": 1},
        "old": {"lr": 1},
        "twin": {"lr": 1, "beta": 0},
    }

    found = layout(configs, [*configs, "unknown"])

    assert found.panels[0].cells == (("a", None), (None, "b"))
    assert found.left_out == 3


@pytest.mark.parametrize(
    "listed",
    [
        {"a": {"configs": "a"}, "b": {"configs": "b"}},
        None,
        3,
        [],
        {},
        {"a": 3, "b": None},
        {"a": {"lr": 1}},
        {"a": {"lr": 1}, "b": {"lr": 1.0}},
    ],
)
def test_where_the_manifest_names_no_sweep_there_is_no_map(listed):
    assert layout(Manifest.model_validate({"configs": listed}).configs, ["a", "b"]) is None


def test_a_strangers_sweep_is_bounded():
    wide = {
        str(i): {"lr": i, "x": [{"deep": i}], "nan": math.nan, "big": 10**400 * (i % 2)} for i in range(500)
    }
    wide["0"]["p" * 10_000], wide["1"]["p" * 10_000] = 1, 2
    found = layout(wide, list(wide))

    assert len(found.columns.levels) == tuning.MAX_LEVELS
    assert all(len(path) < 10 for point in found.points.values() for path in point)
    assert len(found.panels) <= tuning.MAX_PANELS
    assert found.left_out == 500 - len(found.points)
    deep = {str(i): {"a": i % 18, "b": i % 19, "c": i % 20} for i in range(400)}
    assert len(layout(deep, list(deep)).panels) == tuning.MAX_PANELS


def test_shades_go_from_the_weakest_to_the_strongest():
    assert shades([1.0, None, 3.0, 2.0], strongest_low=False) == ([0.0, None, 1.0, 0.5], False)
    assert shades([1.0, None, 3.0, 2.0], strongest_low=True) == ([1.0, None, 0.0, 0.5], False)
    assert shades([2.0, 2.0], strongest_low=True) == ([0.5, 0.5], False)
    assert shades([], strongest_low=True) == ([], False)


def test_shades_are_logarithmic_where_values_are_of_other_magnitudes():
    shade, logarithmic = shades([1.0, 10.0, 100.0], strongest_low=False)

    assert logarithmic
    assert shade == pytest.approx([0.0, 0.5, 1.0])
    assert not shades([-1.0, 100.0], strongest_low=False)[1]


def test_the_best_configuration_its_settings_and_the_runner_up_are_named(page):
    text = page.text

    assert (
        "2 seeds are too few to say which of 8 configurations is better: it takes at least 7 of each." in text
    )
    assert f"The best median is that of {BEST} (frechet (pixels) 16.8 against 24.4 to 35.1, medians)." in text
    assert f"ranked as the worst seeds: 1 of the 2 seeds of {UNSTABLE[0]} (unstable)." in text
    assert "optimizer.learning_rate 0.0002 optimizer.beta_1 0.4 model.latent_dim 100" in text
    runner_up = (
        "learning_rate=0.0002,beta_1=0.5,latent_dim=100 25.6 kimg , 400 steps, 20 s 24.40 [24.00, 24.80] "
        "24.4 0 of 2 (0%, 0 to 84%)"
    )
    assert f"{runner_up} 4 of 4 pairs 1 not significant" in text
    assert "flatters it" in text


def test_the_map_has_a_cell_for_each_configuration_and_marks_what_is_special(page):
    cells = [
        attributes
        for tag, attributes in page.elements
        if tag == "td" and "warm" in attributes.get("class", "")
    ]

    assert len(cells) == 7  # where half of the seeds failed there is no median
    assert [cell["class"] for cell in cells if "best" in cell["class"]] == ["warm best"]
    [best] = [cell for cell in cells if "best" in cell["class"]]
    assert best["style"] == "--heat: 60%"
    assert [a["class"] for _, a in page.elements if "broken" in a.get("class", "")] == ["cold broken"]
    assert "failed n = 2 of 2 × 1 unstable" in page.text  # noqa: RUF001
    assert "16.8 n = 2 of 2 · best" in page.text


def test_without_a_metric_no_configuration_is_called_best(tmp_path):
    page = report(make_sweep_job(tmp_path, evaluated=False))

    assert "so no configuration is called best" in page.text
    assert "Best mean" not in page.text
    for title in ("Final discriminator loss", "Final generator loss", "Trials that completed"):
        assert title in page.text
    assert "1 of 2 × 1 unstable" in page.text  # noqa: RUF001
    assert not [a for _, a in page.elements if "best" in a.get("class", "").split()]
    assert "metrics" not in page.sections


def two(empty_job, ends: dict[str, list[float]], **changes) -> JobDir:
    """Configurations that ended at ``ends``, seed by seed; NaN = unstable."""
    trials = [(config, seed) for config, values in ends.items() for seed in range(len(values))]
    job_dir = empty_job(*trials, **changes)
    for config, seed in trials:
        trial, end = job_dir.trial(f"{config}-seed{seed}"), ends[config][seed]
        write_metrics(trial, config, seed, STEPS, end=1.0 if math.isnan(end) else end)
        trial.write_state(state(STEPS, status="unstable" if math.isnan(end) else "completed"))
    return job_dir


def test_named_configurations_are_compared_without_a_map(empty_job):
    page = report(two(empty_job, {"slow": [20.0, 30.0, 25.0], "fast": [21.0, 29.0, 27.0]}))

    assert "3 seeds are too few to say which of 2 configurations is better: it takes at least 4" in page.text
    assert "The best median is that of slow (frechet (pixels) 25 against 27, medians)." in page.text
    assert not [a for _, a in page.elements if a.get("class") == "heat"]


def test_what_was_unstable_is_the_worst_seed_and_it_is_said(empty_job):
    text = report(two(empty_job, {"slow": [20.0, math.nan], "fast": [30.0, 31.0]})).text

    assert "The best median is that of fast (frechet (pixels) 30.5 against failed seeds" in text
    assert (
        "400 steps, 20 s failed [20, failed] 20 1 of 2 (50%, 1 to 99%) 2 of 4 pairs 1 not significant" in text
    )


def test_a_job_whose_trials_were_all_unstable_has_no_best(empty_job):
    swept = {"slow": {"lr": 1}, "fast": {"lr": 2}}
    page = report(two(empty_job, {"slow": [math.nan], "fast": [math.nan]}, configs=swept))

    assert "No trial ended as it should: 2 unstable." in page.text
    assert not [a for _, a in page.elements if a.get("class") == "heat"]


def test_one_configuration_is_not_tuned(empty_job):
    assert "tuning" not in report(two(empty_job, {"slow": [20.0, 30.0]})).sections


def test_trials_on_their_way_are_counted(empty_job):
    job_dir = two(empty_job, {"slow": [20.0], "fast": [30.0]})
    job_dir.trial("fast-seed0").write_state(state(STEPS, status="running"))

    text = report(job_dir).text

    assert "So far (1 trial to go): slow: frechet (pixels) 20, of a single seed." in text
    assert "No value by this protocol yet: fast." in text


def test_nothing_that_a_stranger_writes_becomes_markup(empty_job):
    job_dir = two(
        empty_job,
        {"slow": [20.0], "fast": [30.0]},
        configs={
            "slow": {f"{ATTACK}{i}": ATTACK for i in range(3)},
            "fast": {f"{ATTACK}{i}": {"name": f"2{ATTACK}"} for i in range(3)},
        },
    )
    for trial in ("slow-seed0", "fast-seed0"):
        config = trial[:4]
        changes = {"metric": ATTACK, "protocol": ATTACK}
        write_metrics(job_dir.trial(trial), config, 0, STEPS, end=1.0, **changes)

    page = report(job_dir)

    assert {"tuning", "metrics"} <= set(page.sections)
    assert not page.all("script")
    assert not page.all("img")
    assert page.open == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count("'><script>alert(1)") >= 20


def test_an_unstable_trial_stands_with_its_reason_among_the_trials(page):
    config, seed = UNSTABLE
    assert f"{config}-seed{seed} unstable d_loss averaged 0.01, below 0.05" in page.text


def test_the_distances_have_curves_finals_the_best_and_the_protocol_once(page):
    text = page.text[page.text.index("Measured in the course of training.") :]
    text = text[: text.index("Losses")]

    assert text.count("10,000 generated images against the 10,000 test images") == 1
    assert "frechet (pixels), lower is better" in text
    assert "recall (pixels), higher is better" in text
    assert "+: where a trial ended as unstable" in text
    assert f"{BEST} 2 of 2 16.8 [16.0, 17.6] 16.7 [15.8, 17.6] 350 to 400" in text
    assert f"{UNSTABLE[0]} 2 of 2 failed [25.5, failed]" in text
    assert f"{BEST} 2 25.6 400 20 s" in text
    assert "flatters the pick" in text
