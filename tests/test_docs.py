"""What README and docs/ show is so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from gandist.cli import app
from gandist.spec.loading import load_job
from tests.plugins import write_example

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "k8s/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
COMMANDS = get_command(app)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(page), re.DOTALL)


def typed() -> Iterator[tuple[str, list[str]]]:
    """Each ``$ gandist ...`` of the pages: where it stands, and its words."""
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True) if line.startswith("$ ") else []
                if words[1:2] == ["gandist"]:
                    yield page.name, words[2:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_somewhere(page: Path) -> None:
    for path in re.findall(r"\]\((?!https?:)([^)#]+)", text(page)):
        assert (page.parent / path).exists(), path


@pytest.mark.parametrize(("page", "words"), [pytest.param(*it, id=" ".join(it[1])) for it in typed()])
def test_its_commands_can_be_typed(page: str, words: list[str]) -> None:
    """Command, arguments and options are there. What they name, such as a running cluster, need not be."""
    end = next((k for k, word in enumerate(words) if word in {"|", ">", "&&", "&"}), None)
    name, *arguments = words[:end]
    command = COMMANDS.commands[name]  # type: ignore[attr-defined]
    command.make_context(name, arguments)


@pytest.mark.parametrize(
    ("page", "job"),
    [(page.name, job) for page in PAGES for job in blocks(page, "yaml") if job.startswith("name:")],
)
def test_its_jobs_are_valid(page: str, job: str, tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(job)
    plugins = [write_example(tmp_path)[1]] if page == "plugins.md" else []
    assert load_job(path, plugins=plugins).trials


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_jobs_that_it_names_are_there(page: Path) -> None:
    for name in re.findall(r"\bjobs/\w+\.yaml", text(page)):
        assert (ROOT / name).is_file(), name


def test_every_page_is_found_from_the_readme() -> None:
    found, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop().resolve()
        if page not in found:
            found.add(page)
            ahead += [page.parent / link for link in re.findall(r"\]\((?!https?:)([^)#]+\.md)", text(page))]
    assert [page.name for page in PAGES if page not in found] == []


def test_every_job_is_told_of() -> None:
    told = text(ROOT / "docs" / "jobs.md")
    assert [path.stem for path in (ROOT / "jobs").glob("*.yaml") if f"`{path.stem}`" not in told] == []
