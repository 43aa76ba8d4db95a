"""How the samples developed, and what of it a page can hold."""

from __future__ import annotations

import re
import struct
from base64 import b64decode

import numpy as np
import pytest

from gandist.artifacts.images import decode_png
from gandist.artifacts.job_dir import TrialDir
from gandist.report.pictures import MAX_PIXELS, Pictures, archive, cropped
from gandist.report.sections import stages
from gandist.report.sections.stages import choose
from tests.report.conftest import BATCH, rows, state, write_trial
from tests.report.pages import report

HUNDREDS = [(step, f"samples/step-{step}.png") for step in range(0, 6001, 20)]


def chosen(grids, at_epochs=(), epochs=None) -> list[int]:
    return [step for step, _ in choose(grids, list(at_epochs), epochs or {})]


def test_of_hundreds_there_are_five_from_the_first_to_the_last():
    assert chosen(HUNDREDS) == [0, 1500, 3000, 4500, 6000]


def test_few_are_all_shown_and_uneven_ones_are_spread_over_time():
    assert chosen(HUNDREDS[:3]) == [0, 20, 40]
    assert chosen([(step, "") for step in (0, 1, 2, 3, 50, 99, 100)]) == [0, 3, 50, 99, 100]


def test_the_epochs_that_a_job_names_are_shown_and_no_others():
    epochs = {step: step / 59.9 for step, _ in HUNDREDS}

    assert chosen(HUNDREDS, [1, 25, 100], epochs) == [60, 1500, 6000]


def test_epochs_that_were_not_reached_or_are_not_known_are_left_out():
    epochs = {step: step / 59.9 for step, _ in HUNDREDS}

    assert chosen(HUNDREDS, [1, 500], epochs) == [60]
    assert chosen([*HUNDREDS[:4], *HUNDREDS[-4:]], [1, 25, 100], epochs) == [60, 6000]
    assert chosen(HUNDREDS, [1, 25]) == [0, 1500, 3000, 4500, 6000]
    assert chosen(HUNDREDS, [10**9, -3, 0], epochs) == [0]


@pytest.fixture
def trial(empty_job):
    """A trial of 400 steps with a grid after every hundred, and its job."""
    job_dir = empty_job(("slow", 0), ("slow", 1))
    directory = job_dir.trial("slow-seed1")  # the first seed has none
    write_trial(directory, "slow", 1, steps=400, state=state(400), grids=range(0, 401, 100))
    return directory


@pytest.fixture
def job_dir(empty_job, trial):
    return empty_job(("slow", 0), ("slow", 1))


def steps(page) -> list[int]:
    return [int(image["alt"].rpartition(" ")[2]) for image in page.images("stage")]


def test_a_strip_is_of_the_first_seed_that_has_grids_and_says_when_they_were(job_dir):
    page = report(job_dir)

    assert steps(page) == [0, 100, 200, 300, 400]
    assert page.images("stage")[0]["alt"] == "Samples of slow, seed 1, after step 0"
    assert f"before training step 100 epoch 0.107, {100 * BATCH / 1000:g} kimg" in page.text
    assert not [link for link in page.all("a") if "samples.zip" in link["href"]]


def test_the_archive_is_linked_by_a_relative_path(job_dir, trial):
    trial.storage.write(TrialDir.ARCHIVE, b"PK")

    page = report(job_dir)

    links = [link["href"] for link in page.all("a") if not re.match("#|data:image/svg", link["href"])]
    assert links == ["trials/slow-seed1/samples.zip"] * 2  # beside the last grid, and below the strip
    assert "All 5 grids of this trial" in page.text


@pytest.mark.parametrize(
    "at_epochs", ["1", [True], [None], [[1]], {"a": 1}, list(range(1, 99)), [2**70]], ids=repr
)
def test_epochs_that_are_none_are_not_looked_for(job_dir, trial, at_epochs):
    trial.write_trial({"samples": {"at_epochs": at_epochs}})

    assert steps(report(job_dir)) == [0, 100, 200, 300, 400]


def test_named_epochs_are_found_by_the_losses(job_dir, trial):
    size = 200 * BATCH  # an epoch is 200 steps
    for part in trial.storage.list("losses"):
        trial.storage.delete(f"losses/{part}")
    columns = rows("slow", 1, 1, 400)
    trial.write_losses({**columns, "epoch": columns["step"] * BATCH / size})
    trial.write_trial({"samples": {"at_epochs": [1, 2]}})

    page = report(job_dir)

    assert steps(page) == [200, 400]
    assert "step 200 epoch 1, 12.8 kimg step 400 epoch 2, 25.6 kimg" in page.text


def test_without_losses_there_is_the_step(job_dir, trial):
    trial.storage.delete("losses")

    page = report(job_dir)

    assert steps(page) == [0, 100, 200, 300, 400]
    assert "before training step 100 step 200" in page.text


def test_a_step_whose_losses_are_missing_has_no_epoch(job_dir, trial):
    trial.storage.delete(trial.losses_parts()[0][2])  # of the first half

    text = report(job_dir).text

    assert re.search(r"before training step 100 step 200 step 300 epoch 0.32, ", text)


def test_a_torn_grid_is_left_out_and_counted(job_dir, trial):
    path = trial.sample_path(200)
    trial.storage.write(path, trial.storage.read(path)[:-9])

    page = report(job_dir)

    assert steps(page) == [0, 100, 300, 400]
    assert "1 image torn or unreadable" in page.text


def test_large_grids_are_cropped_to_whole_rows_within_the_share_of_their_configuration(
    job_dir, trial, monkeypatch
):
    trial.write_trial({"samples": {"rows": 4}})
    total = sum(len(trial.storage.read(path)) for _, path in trial.samples())
    monkeypatch.setattr(stages, "MAX_TOTAL", total * 6 // 10)

    page = report(job_dir)

    assert len(page.images("stage")) == 5
    assert {(image["width"], image["height"]) for image in page.images("stage")} == {("122", "61")}
    assert "The first 2 of 4 rows" in page.text
    encoded = [image["src"].partition(",")[2] for image in page.images("stage")]
    whole = decode_png(trial.storage.read(trial.sample_path(0)))
    np.testing.assert_array_equal(decode_png(b64decode(encoded[0])), whole[:61])


def test_small_grids_are_whole(job_dir, trial):
    trial.write_trial({"samples": {"rows": 4}})

    page = report(job_dir)

    assert page.images("stage")[0]["height"] == "122"
    assert "The first" not in page.text


@pytest.mark.parametrize("damage", [b"", b"torn", b"IDAT"])
def test_what_cannot_be_unpacked_is_nothing(trial, damage):
    content = trial.storage.read(trial.sample_path(400))
    spoilt = {b"": b"", b"torn": content[:-30], b"IDAT": content.replace(b"IDAT", b"IDAZ")}[damage]

    assert cropped(spoilt, 4, 2) == b""


def test_a_bomb_is_not_unpacked(trial, monkeypatch):
    content = trial.storage.read(trial.sample_path(400))
    large = struct.pack(">II", 9000, MAX_PIXELS // 9000 + 1)

    monkeypatch.setattr("PIL.Image.open", lambda *_, **__: pytest.fail("unpacked"))
    assert cropped(content[:16] + large + content[24:], 4, 2) == b""


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_TOTAL"])
def test_a_page_does_not_grow_beyond_its_budget(job_dir, trial, monkeypatch, limit):
    first = len(trial.storage.read(trial.sample_path(0)))
    monkeypatch.setattr(stages, limit, first - 1)

    page = report(job_dir)

    assert 0 < len(steps(page)) < 5
    assert f"{5 - len(steps(page))} image" in page.text
    assert "left out, to keep this page small" in page.text


def test_many_configurations_are_cut_and_counted(empty_job, monkeypatch):
    monkeypatch.setattr(stages, "MAX_CONFIGS", 1)
    job_dir = empty_job(("slow", 0), ("fast", 0))
    for config in ("slow", "fast"):
        write_trial(job_dir.trial(f"{config}-seed0"), config, 0, steps=20, state=state(20))

    page = report(job_dir)

    assert steps(page) == [1, 10, 20]
    assert "1 further configuration not shown" in page.text


def test_samples_that_are_no_directory_are_no_exception(job_dir, trial):
    trial.storage.delete("samples")
    trial.storage.write("samples", b"a file")

    page = report(job_dir)

    assert "stages" not in page.sections


PNG_END = b"IEND\xaeB`\x82"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 16 + PNG_END,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + b"\xff" * 8 + PNG_END,
        b"GIF89a;",
        b"GIF89a\0\0\0\0;;;;",
        b"<svg onload='alert(1)'/>",
    ],
)
def test_what_is_no_image_of_a_size_is_left_out(trial, content):
    trial.storage.write("file", content)
    pictures = Pictures(10**6, 10**6)

    assert pictures.embed(pictures.read(trial, "file")) is None
    assert pictures.left_out == {"too_large": 0, "damaged": 1}


def test_an_image_has_its_size_and_what_is_not_there_is_not_damaged(trial):
    pictures = Pictures(10**6, 10**6)
    grid, motion = (
        pictures.embed(pictures.read(trial, path)) for path in (trial.sample_path(400), TrialDir.GIF)
    )

    assert (grid.width, grid.height) == (motion.width, motion.height) == (122, 122)
    assert grid.uri.startswith("data:image/png;base64,")
    assert motion.uri.startswith("data:image/gif;base64,")
    assert pictures.embed(pictures.read(trial, "nothing")) is None
    assert pictures.left_out == {"too_large": 0, "damaged": 0}
    assert archive(trial) == ""


def test_a_page_has_its_fill_when_the_sum_is_reached(trial):
    content = trial.storage.read(trial.sample_path(400))
    pictures = Pictures(10**6, len(content) * 5 // 2)

    assert [pictures.embed(content) is None for _ in range(3)] == [False, False, True]
    assert pictures.left_out == {"too_large": 1, "damaged": 0}
