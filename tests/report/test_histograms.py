"""What the discriminator says of real and of generated images."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import TrialDir
from gandist.report.drawing import draw_histogram
from gandist.report.histograms import BINS, histogram, is_probability
from gandist.report.sections import discriminator
from gandist.report.trial import Trial
from tests.report.conftest import rows, state
from tests.report.pages import Page, report
from tests.report.sweep import write_outputs


def trial(real: object, generated: object, status: str = "completed", held_out: object = ()) -> Trial:
    pairs = zip(tables.OUTPUT_KINDS, (real, held_out, generated), strict=True)
    outputs = {kind: np.float64(of) for kind, of in pairs}
    return Trial("a-seed0", "a", 0, status, state(4), tables.LOSSES.empty_table(), outputs=outputs)


def test_all_seeds_count_together_in_common_bins():
    found = histogram([trial([0.01, 0.99], [0.01]), trial([0.99, 0.51], [0.03, 0.02, 0.5])])

    assert (found.probability, found.seeds, found.images, found.outside) == (
        True,
        2,
        {"real": 4, "generated": 4},
        0,
    )
    assert found.means == pytest.approx({"real": 0.625, "generated": 0.14})
    np.testing.assert_allclose(found.edges, np.linspace(0, 1, BINS + 1))
    expected = np.zeros((2, BINS))
    expected[0, [0, 20, 39]] = 0.25, 0.25, 0.5
    expected[1, [0, 1, 20]] = 0.5, 0.25, 0.25
    np.testing.assert_allclose(list(found.shares.values()), expected)


def test_only_trials_that_completed_and_left_both_kinds_count():
    found = histogram([trial([1.0], [0.0]), trial([0.5], [0.5], "unstable"), trial([0.5], [])])

    assert (found.seeds, found.images) == (1, {"real": 1, "generated": 1})
    assert histogram([trial([0.5], [0.5], "running")]) is None
    assert histogram([]) is None


def test_held_out_images_are_shown_beside_those_that_were_trained_on():
    found = histogram([trial([0.9], [0.1], held_out=[0.3, 0.5]), trial([0.9], [0.1], held_out=[0.4])])

    assert found.images == {"real": 2, "held_out": 3, "generated": 2}
    assert found.means["held_out"] == pytest.approx(0.4)
    without = histogram([trial([0.9], [0.1])])
    assert draw_histogram(found, "salt").count("stroke-dasharray") == 1
    assert draw_histogram(without, "salt").count("stroke-dasharray") == 0


def test_tables_of_earlier_versions_have_no_held_out_images():
    found = histogram([trial([0.9], [0.1], held_out=[0.3]), trial([0.9], [0.1])])

    assert list(found.shares) == ["real", "generated"], (
        "of some trials only, they are not those of the others"
    )


def test_scores_have_their_own_axis():
    found = histogram([trial([3.0, 5.0], [-4.0, 2.0])])

    assert not found.probability
    assert (found.edges[0], found.edges[-1], found.outside) == (-4.0, 5.0, 0)


def test_scores_far_out_stand_in_the_outermost_bins():
    real = np.linspace(0, 2, 1000)
    found = histogram([trial([*real, 1e6], [*(real - 1), -1e6])])

    assert found.edges[0] > -2
    assert found.edges[-1] < 3
    assert found.outside >= 2
    assert found.shares["real"].sum() == pytest.approx(1)
    assert found.shares["generated"].sum() == pytest.approx(1)


@pytest.mark.parametrize("score", [0.0, 2.0, -1e38])
def test_scores_that_are_all_one_can_be_drawn(score):
    found = histogram([trial([score] * 3, [score] * 3)])

    assert found.edges[0] < found.edges[-1]
    assert found.shares["real"].max() == 1.0
    ElementTree.fromstring(draw_histogram(found, "salt"))  # noqa: S314


def test_a_drawing_says_what_its_axis_is():
    probability = draw_histogram(histogram([trial([0.9], [0.1])]), "salt")
    score = draw_histogram(histogram([trial([9.0], [0.1])]), "salt")

    assert "probability of being real" in probability
    assert "probability" not in score
    for variable in ("--series-1", "--series-2"):
        assert f"var({variable}, #" in score


@pytest.mark.parametrize(
    ("values", "probable"),
    [([0.0, 1.0], True), ([1.0000001, np.nan], True), ([], True), ([0.5, 1.1], False), ([-0.1], False)],
)
def test_probabilities_are_told_from_scores_by_their_range(values, probable):
    assert is_probability(np.float64(values)) is probable


def job(empty_job, **columns: object):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed in (0, 1):
        directory = job_dir.trial(f"slow-seed{seed}")
        directory.write_losses(rows("slow", seed, 1, 20, **columns))
        write_outputs(directory, "slow", seed, 20)
        directory.write_state(state(20))
    return job_dir


def dotted(page: Page) -> list[dict[str, str]]:
    return [path for path in page.all("path") if "dasharray: 0" in path.get("style", "")]


def test_probabilities_have_the_whole_axis_and_the_half_to_compare_with(empty_job):
    page = report(job(empty_job))
    text = page.text

    assert "Mean D(x) on real images" in text
    assert "Dotted: 0.5" in text
    assert dotted(page)
    assert "2 seeds, 2,000 + 2,000 images" in text
    assert "score" not in text


def test_scores_are_not_called_probabilities(empty_job):
    job_dir = job(empty_job, d_real=np.linspace(0, 30, 20), d_fake=np.linspace(-20, 3, 20))
    for seed in (0, 1):
        write_outputs(job_dir.trial(f"slow-seed{seed}"), "slow", seed, 20, output=np.linspace(-9, 9, 2000))

    page = report(job_dir)

    assert "Mean score of real images" in page.text
    assert "Scores have no common scale" in page.text
    assert "Mean D(x)" not in page.text
    assert not re.search(r"probability of being real|Dotted", page.text)
    assert not dotted(page)
    assert "\N{MINUS SIGN}20" in page.text  # on the axis


def test_many_configurations_are_cut_and_counted(empty_job, monkeypatch):
    monkeypatch.setattr(discriminator, "MAX_HISTOGRAMS", 1)
    job_dir = empty_job(("slow", 0), ("fast", 0))
    for config in ("slow", "fast"):
        write_outputs(job_dir.trial(f"{config}-seed0"), config, 0, 20)
        job_dir.trial(f"{config}-seed0").write_state(state(20))

    page = report(job_dir)

    labels = [a["aria-label"] for _, a in page.elements if a.get("aria-label", "").startswith("Histogram")]
    assert len(labels) == 1
    assert "slow" in labels[0]
    assert "1 further configuration not drawn" in page.text


def test_outputs_that_are_torn_are_named_and_the_curves_stay(empty_job):
    job_dir = job(empty_job)
    for seed in (0, 1):
        job_dir.trial(f"slow-seed{seed}").storage.write(TrialDir.OUTPUTS, b"PAR1")

    page = report(job_dir)

    assert page.text.count("outputs.parquet is torn") == 2
    assert "Mean D(x) on real images" in page.text
    assert "2,000 + 2,000 images" not in page.text
