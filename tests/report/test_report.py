"""The whole report: one HTML file, whatever the job directory holds."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from urllib.parse import unquote
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import DatasetDescription
from gandist.errors import NotAJobError
from gandist.report import read_content, render_sections, write_report
from gandist.report.downloads import link
from gandist.report.glossary import TERMS
from gandist.report.merge import merge_trials
from gandist.report.render import discover
from gandist.report.sections import samples
from tests.report.conftest import make_finished_job, rows, state, write_trial
from tests.report.pages import ATTACK, Page, report
from tests.strangers import write_documents


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> JobDir:
    """A finished job with its report, for the tests that only read."""
    job_dir = make_finished_job(tmp_path_factory.mktemp("finished"))
    write_report(job_dir)
    return job_dir


@pytest.fixture(scope="module")
def page(finished) -> Page:
    return Page(finished.storage.read(JobDir.REPORT).decode())


def test_a_report_has_all_sections_and_leaves_the_merged_tables_beside_it(finished, page):
    assert page.sections == [
        "answer",
        "outcomes",
        "samples",
        "stages",
        "settings",
        "losses",
        "discriminator",
        "health",
        "results",
        "overview",
        "trials",
        "throughput",
        "glossary",
    ]
    assert page.open == []
    tables = {
        name: pq.read_table(io.BytesIO(finished.storage.read(name)))
        for name in (JobDir.LOSSES, JobDir.METRICS, JobDir.TRIALS)
    }
    assert [table.num_rows for table in tables.values()] == [1500, 0, 4]


def test_it_says_what_was_run_and_how_it_ended(page):
    text = page.text

    for said in (
        "Two learning rates.",
        "2 configurations × 2 seeds = 4 trials",  # noqa: RUF001
        "3 completed",
        "1 diverged",
        "tensorflow 2.21.0",
        "0123456789abcdef",
        "NVIDIA H100 (4 trials)",
        "node-a (4 trials)",
        "1 min 35 s",
        "g_loss is not finite at step 300",
    ):
        assert said in text


def test_it_shows_the_settings_that_differ_apart_from_those_that_are_shared(page):
    text = page.text

    assert "Setting slow fast optimizer.learning_rate 0.0001 0.0004" in text
    shared = text[text.index("Settings that all configurations share (7)") :]
    assert "optimizer.beta_1 0.5" in shared
    assert "augmentation off" in shared
    assert "seed 0" not in shared[: shared.index("Losses")]


def test_final_values_count_only_trials_that_got_there(page):
    text = page.text
    results = text[text.index("Only trials that reached") : text.index("A difference smaller")]

    assert re.search(r"slow 2 of 2 25.6 400 20 s [\d.]+ ± [\d.]+", results)
    assert re.search(r"fast 1 of 2 25.6 400 20 s [\d.]+ [\d.]+ [\d.]+ [\d.]+ 1 completed 1 diverged", results)


def test_the_samples_are_a_matrix_with_a_gif_beside_each_grid(page):
    images = page.images("still", "motion")

    assert [image["class"] for image in images] == ["still", "motion"] * 4
    assert images[0]["src"].startswith("data:image/png;base64,")
    assert images[1]["src"].startswith("data:image/gif;base64,")
    assert images[0]["alt"] == "Samples of slow-seed0 after step 400"
    assert (images[0]["width"], images[0]["height"]) == ("244", "244")  # 122 pixels, twice


def test_real_images_stand_beside_the_samples_of_each_configuration(job_dir):
    for trial, content in (
        ("slow-seed1", job_dir.storage.read("trials/slow-seed0/samples/step-000000001.png")),
        ("fast-seed0", b"\x89PNG torn"),
    ):
        job_dir.trial(trial).storage.write("real.png", content)

    page = report(job_dir)

    [real] = page.images("real")
    assert real["alt"] == "Real images, of the data that slow was trained on"
    shown = [image["class"] for image in page.images("real", "still")]
    assert shown == ["real", "still", "still", "still", "still"]
    assert "1 image torn or unreadable" in page.text


def test_a_big_job_shows_some_of_its_samples_and_says_so(job_dir, monkeypatch):
    monkeypatch.setattr(samples, "MAX_TRIALS", 2)

    page = report(job_dir)

    assert len(page.images("still", "motion")) == 4
    assert "2 of 4 trials shown" in page.text


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_TOTAL"])
def test_images_that_are_too_large_stay_where_they_are(job_dir, monkeypatch, limit):
    gif = len(job_dir.storage.read("trials/slow-seed0/progress.gif"))
    monkeypatch.setattr(samples, limit, gif - 1)

    page = report(job_dir)

    shown = page.images("still", "motion")
    assert 0 < len(shown) < 8
    assert f"{8 - len(shown)} images left out, to keep this page small" in page.text


def test_images_that_are_torn_are_left_out_and_counted(job_dir):
    trial = job_dir.trial("slow-seed0")
    for path in (trial.sample_path(400), "progress.gif"):
        trial.storage.write(path, trial.storage.read(path)[:-20])

    page = report(job_dir)

    assert len(page.images("still", "motion")) == 6
    assert "2 images torn or unreadable" in page.text


def test_the_page_asks_nothing_of_the_network(finished, page):
    [policy] = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none';")
    assert not {"script", "link", "iframe", "object", "base", "form"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert re.match(r"data:image/|#|trials/", attributes.get(name, "#")), (tag, attributes)
    html = finished.storage.read(JobDir.REPORT).decode()
    assert not re.search(r"url\((?!#)|@import", html)


def test_each_figure_is_a_file_of_its_own_behind_a_link(page):
    links = [link for link in page.all("a") if "download" in link]

    figures = [figure for figure in page.all("div") if figure.get("role") == "img"]
    assert len(links) == len(figures) > 4
    assert len({link["download"] for link in links}) == len(links)
    [losses] = [link["href"] for link in links if link["download"] == "demo-discriminator-loss.svg"]
    kind, _, document = losses.partition(",")
    svg = ElementTree.fromstring(unquote(document))  # noqa: S314 - our own
    texts = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert kind == "data:image/svg+xml;charset=utf-8"
    assert texts[:2] == ["demo: Discriminator loss", "Discriminator loss"]
    assert {"kimg", "slow, 2 of 2 seeds"} < set(texts)
    assert "var(--" not in unquote(document)


def test_a_downloaded_figure_holds_a_strangers_names_as_text():
    file = link('<svg viewBox="0 0 9 9"></svg>', ATTACK, ATTACK, ATTACK, [("#000000", ATTACK, True)])

    svg = ElementTree.fromstring(unquote(file["uri"].partition(",")[2]))  # noqa: S314 - our own

    assert re.fullmatch(r"[a-z0-9-]+\.svg", file["name"])
    assert '"' not in file["uri"]
    assert {element.tag.rpartition("}")[2] for element in svg.iter()} == {"svg", "rect", "path", "text"}
    assert sum("alert(2)" in (text.text or "") for text in svg.iter()) == 3


def test_words_that_need_it_are_explained_where_they_stand_and_at_the_end(page):
    titles = {word["title"] for word in page.all("abbr")}

    assert any(title.startswith("Thousand real images") for title in titles)
    assert titles < set(TERMS.values())
    assert set(TERMS.values()) < set(page.words)


def test_nothing_that_a_stranger_writes_becomes_markup(empty_job):
    job_dir = empty_job(
        ("slow", 0),
        job={"name": ATTACK, "description": ATTACK},
        git_commit=ATTACK,
        gandist=ATTACK,
        versions={ATTACK: ATTACK},
        spec_hash=ATTACK,
    )
    trial = job_dir.trial("slow-seed0")
    attacked = state(20, reason=ATTACK, device=ATTACK, host=ATTACK, notes=(ATTACK,))
    write_trial(trial, "slow", 0, steps=20, state=attacked)
    trial.write_trial({"model": {"name": ATTACK, ATTACK: [ATTACK]}})
    trial.storage.write(trial.sample_path(20), ATTACK.encode())
    trial.storage.write("progress.gif", b"GIF89a\4\0\4\0" + ATTACK.encode() + b";")

    page = report(job_dir)

    assert not page.all("script")
    assert [image["class"] for image in page.all("img")] == ["motion", "stage", "stage"]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.open == []
    assert page.text.count("alert(2)") >= 8
    assert "{{ 7 * 7 }}" in page.text


@pytest.mark.parametrize("trials", [[], [("slow", 0), ("slow", 1)]])
def test_a_job_that_has_left_nothing_yet_has_a_short_report(empty_job, trials):
    page = report(empty_job(*trials))

    assert page.sections == (["overview", "trials", "glossary"] if trials else ["overview"])
    assert ("2 queued" if trials else "no trials") in page.text


def test_it_says_who_has_it_run_where_that_is_known(empty_job):
    assert "Run by" not in report(empty_job()).text
    assert "Run by" in (text := report(empty_job(submitted_by="<b>alice</b>\x1b")).text)
    assert r"<b>alice</b>\x1b" in text


@pytest.mark.parametrize("trials", [None, "many", [None], {"id": "slow-seed0"}])
def test_a_manifest_of_which_little_is_left_still_has_a_report(empty_job, trials):
    job_dir = empty_job()
    write_documents(
        job_dir, {}, {"trials": trials, "versions": 3, "created_at": "yesterday", "git_commit": ["x"]}
    )

    assert set(report(job_dir).sections) - {"warnings"} == {"overview"}


def test_odd_numbers_and_characters_do_not_stop_it(empty_job):
    job_dir = empty_job(("slow", 0), job={"name": "\U0001f600"}, created_at=1e300, spec_hash="\U0001f600")
    job_dir.trial("slow-seed0").storage.write(
        "state.json",
        b'{"kimg": NaN, "train_s": Infinity, "images_per_s": 1e308, "started_at": -1, "step": 3}',
    )

    assert report(job_dir).sections == [
        "warnings",
        "overview",
        "trials",
        "glossary",
    ]  # a state that is none has no throughput


@pytest.mark.parametrize(
    "content",
    ["&a {x: *a}", "- 1", "{", "", "a: " + "[" * 400 + "]" * 400, "1: {2: 3}"],
    ids=["cyclic", "a list", "torn", "empty", "deep", "numbers"],
)
def test_settings_that_are_none_are_left_out(empty_job, content):
    job_dir = empty_job(("slow", 0))
    job_dir.trial("slow-seed0").storage.write("trial.yaml", content.encode())

    assert "settings" not in report(job_dir).sections


def test_the_data_and_what_was_left_out_of_it_stand_in_the_page(job_dir):
    for line in job_dir.read_manifest().trials:
        found = DatasetDescription(
            image_shape=(28, 28, 1),
            class_names=("cats",),
            images=3,
            fingerprint="x",
            summary="3 pictures 28x28x1, 1 class (cats: 3)",
            left_out=("shapes: left out 2 <b>.heic",),
        )
        job_dir.trial(line.id).write_dataset(found)
    page = report(job_dir)
    assert page.text.count("3 pictures 28x28x1, 1 class (cats: 3)") == 1
    assert page.text.count("shapes: left out 2 <b>.heic") == 1


def test_warnings_and_notes_are_read_with_care(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1))
    for seed in (0, 1):
        trial = job_dir.trial(f"slow-seed{seed}")
        trial.write_losses(rows("slow", seed, 5, 20))
        trial.write_state(state(20, notes=("XLA is off: two replicas",)))

    text = report(job_dir).text

    assert "XLA is off: two replicas (2 trials)" in text
    assert "slow-seed0: losses of steps 1 to 4 are missing" in text


def test_throughput_of_different_devices_is_not_averaged(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1), ("slow", 2))
    for seed, (device, rate) in enumerate([("A100", 100.0), ("A100", 200.0), ("CPU", 4.0)]):
        job_dir.trial(f"slow-seed{seed}").write_state(state(20, device=device, images_per_s=rate))

    text = report(job_dir).text

    assert "slow A100 2 150 ± 71" in text
    assert "slow CPU 1 4 " in text


def test_what_time_went_to_is_added_up_over_trials_the_largest_first(empty_job):
    job_dir = empty_job(("slow", 0), ("slow", 1), start_s=7.0)
    for seed, spent in enumerate([{"training": 60.0, "grids": 2.0}, {"training": 38.0}]):
        job_dir.trial(f"slow-seed{seed}").write_state(state(20, images_per_s=1.0, seconds=spent))

    text = report(job_dir).text

    assert "Phase Time Share training 1 min 38 s 98.0% grids 2 s 2.0%" in text
    assert "the last command took 7 s before its first trial" in text


def test_what_is_not_a_job_directory_is_refused(tmp_path):
    with pytest.raises(NotAJobError):
        write_report(JobDir(str(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_sections_are_found_by_their_files():
    found = discover()

    assert [section.order for section in found] == sorted(section.order for section in found)
    assert {"overview", "losses", "trials"} <= {section.name for section in found}


def test_chosen_sections_are_those_of_the_page(finished):
    whole = finished.storage.read(JobDir.REPORT).decode()

    [losses, trials] = render_sections(read_content(finished), {"trials", "losses", "no such section"})

    assert (losses["name"], losses["title"], trials["name"]) == ("losses", "Losses", "trials")
    assert losses["body"] in whole
    assert trials["body"] in whole


def test_importing_the_report_loads_neither_tensorflow_nor_pyplot():
    heavy = "tensorflow", "keras", "ray", "pandas", "matplotlib", "gandist.training", "gandist.spec.trial"
    code = f"import sys, gandist.report; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_drawing_leaves_pyplot_and_its_settings_alone(job_dir):
    code = (
        "import sys, matplotlib\n"
        "from gandist.report import write_report; from gandist.artifacts.job_dir import JobDir\n"
        f"write_report(JobDir({job_dir.root!r}))\n"
        "print('matplotlib.pyplot' in sys.modules, matplotlib.rcParams['svg.hashsalt'])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "None"]


def test_a_directory_with_a_status_of_an_earlier_version_is_reported_by_todays(empty_job):
    job_dir = empty_job(("slow", 0))
    trial = job_dir.trial("slow-seed0")
    write_trial(trial, "slow", 0, steps=20, state=state(40, step=20))
    document = trial.storage.read("state.json").replace(b"completed", b"collapsed")
    trial.storage.write("state.json", document)
    before = merge_trials(job_dir).to_pydict() | {"status": ["collapsed"]}
    job_dir.storage.write(JobDir.TRIALS, tables.encode(before, tables.TRIALS))

    page = report(job_dir)

    assert "1 unstable" in page.text
    assert "collapsed" not in page.text
    assert "+: where a trial ended as unstable" in page.text
    merged = pq.read_table(io.BytesIO(job_dir.storage.read(JobDir.TRIALS)))
    assert merged["status"].to_pylist() == ["unstable"]
