"""The live page in Chromium, as a person uses it, while a job grows under it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gandist.artifacts.job_dir import JobDir
from tests.serve.conftest import Serve
from tests.serve.jobs import TOTAL, TRIALS, advance, drive, make
from tests.serve.test_guard import TOKEN

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def browser() -> Iterator[api.Browser]:
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: api.Browser, serve: Serve) -> Iterator[api.Page]:
    """A window in which nothing may go wrong: no error, and nothing that the policy has to forbid.

    It is closed before the server, which it would miss.
    """
    window = browser.new_page(viewport={"width": 1300, "height": 900})
    errors: list[str] = []
    window.on("pageerror", lambda error: errors.append(str(error)))
    window.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield window
    window.close()
    assert not [error for error in errors if "401" not in error]


@pytest.fixture
def job_dir(runs: Path) -> JobDir:
    """All four trials are half way."""
    made = make(runs)
    drive(made)
    for config, seed in TRIALS:
        advance(made, config, seed, 200)
    return made


def line(page: api.Page, panel: str) -> str:
    return page.locator(f"[data-panel={panel}] path.line").first.get_attribute("d") or ""


def test_a_job_is_found_and_followed(page: api.Page, runs: Path, job_dir: JobDir, serve: Serve) -> None:
    page.goto(serve(runs).url)
    api.expect(page.locator("tr[data-job=demo]")).to_contain_text("4 running")
    page.get_by_role("link", name="demo").click()
    api.expect(page.locator(".head")).to_contain_text("50%")
    before = line(page, "d_loss")
    grid = page.locator(".grids img").first
    assert grid.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    for config, seed in TRIALS:
        advance(job_dir, config, seed, TOTAL, before=200)
    job_dir.storage.delete(JobDir.DRIVER)
    api.expect(page.locator(".head")).to_contain_text("4 completed")
    api.expect(page.locator("#trials")).to_contain_text("400 / 400")
    api.expect(page.locator("#log")).to_contain_text("step 400: frechet 19")
    api.expect(page.locator("[data-section=answer]")).to_contain_text("too few to say")
    api.expect(page.locator("[data-panel=d_loss] path.line").first).not_to_have_attribute("d", before)


def test_a_chart_tells_values_and_zooms(page: api.Page, runs: Path, job_dir: JobDir, serve: Serve) -> None:
    page.goto(f"{serve(runs).url}/jobs/demo")
    chart = page.locator("[data-panel=d_loss]")
    box = chart.locator("svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    api.expect(chart.locator(".values")).to_contain_text("kimg 5.")
    api.expect(chart.locator(".values tr")).to_have_count(2)
    api.expect(page.locator("[data-panel=g_loss] line.at")).to_have_count(1)
    before = line(page, "g_loss")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=3)
    page.mouse.up()
    assert line(page, "g_loss") != before
    page.get_by_role("button", name="Whole range").click()
    assert line(page, "g_loss") == before


def test_what_is_drawn_is_chosen(page: api.Page, runs: Path, job_dir: JobDir, serve: Serve) -> None:
    page.goto(f"{serve(runs).url}/jobs/demo")
    lines = page.locator("[data-panel=d_loss] path.line")
    api.expect(lines).to_have_count(2)
    page.locator("#series").get_by_role("button", name="slow").click()
    api.expect(lines).to_have_count(1)
    page.select_option("#lines", "trials")
    api.expect(lines).to_have_count(2)
    page.get_by_role("button", name="seed 1").click()
    api.expect(lines).to_have_count(1)
    for axis, last in (("steps", "step"), ("time", "time"), ("kimg", "kimg")):
        page.select_option("#axis", axis)
        api.expect(page.locator("[data-panel=d_loss] svg")).to_contain_text(last)
    page.get_by_text("More curves").click()
    api.expect(page.locator("[data-panel=r1] path.line")).to_have_count(1)


def test_jobs_are_laid_over_each_other(page: api.Page, runs: Path, job_dir: JobDir, serve: Serve) -> None:
    advance(make(runs, "other", (("slow", 0),)), "slow", 0, TOTAL)
    page.goto(serve(runs).url)
    for name in ("demo", "other"):
        page.get_by_label(f"Compare {name}").check()
    page.get_by_role("button", name="Compare").click()
    api.expect(page.locator("#series button")).to_have_text(["demo: slow", "demo: fast", "other: slow"])
    api.expect(page.locator("[data-panel=d_loss] path.line")).to_have_count(3)
    assert page.locator("[data-panel^=metric] path.line").count() == 3
    api.expect(page.locator(".answer").first).to_be_visible()
    api.expect(page.locator("table.ranked").first).to_be_hidden()


def test_the_token_is_asked_for_once(page: api.Page, runs: Path, job_dir: JobDir, serve: Serve) -> None:
    page.goto(serve(runs, token=TOKEN).url)
    page.get_by_label("The token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("link", name="demo").click()
    api.expect(page.locator(".head")).to_contain_text("4 running")


def test_nothing_is_cut_off_on_a_small_screen(
    page: api.Page, runs: Path, job_dir: JobDir, serve: Serve
) -> None:
    url = serve(runs).url
    page.set_viewport_size({"width": 500, "height": 800})
    for path in ("/", "/jobs/demo"):
        page.goto(url + path)
        api.expect(page.get_by_text("4 running").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 500
