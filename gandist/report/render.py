"""From a job's content to one HTML file that asks nothing of the network.

A section is a file under ``sections/`` with ``TITLE``, ``ORDER`` and ``build(content) -> dict | None``, and a
template of the same name beside it. It is found because it is there. What templates share begins with ``_``.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.statuses import MEANINGS
from gandist.artifacts.trial_state import DatasetDescription
from gandist.errors import StorageError
from gandist.report import sections, text
from gandist.report.answer import answer
from gandist.report.cost import Cost, cost
from gandist.report.evaluations import Metric, measured, objective
from gandist.report.glossary import explain
from gandist.report.merge import Merged
from gandist.report.trial import Trial
from gandist.report.verdict import verdict
from gandist.version import VERSION

HERE = Path(__file__).parent
MAX_CONFIGS = 200
"""Whose data is read about for a page."""


@dataclass(frozen=True)
class Content:
    """All that a section may show. Any value in ``job`` is untrusted and may be missing."""

    job_dir: JobDir
    job: Mapping[str, Any]
    manifest: Manifest
    merged: Merged
    made_at: float
    """Unix time of the report."""
    merge_s: float = 0.0
    """Seconds that reading and merging took."""
    runs: bool = False
    """Whether trials are running: their losses are not merged yet."""

    @property
    def title(self) -> str:
        """The job's name."""
        return text.plain(self.job.get("name") or self.manifest.job or "a job", 100)

    @property
    def beside(self) -> bool:
        """Whether the page lies beside the trials' files, so that it can link to them."""
        return True

    @cached_property
    def metrics(self) -> list[Metric]:
        """All that are reported."""
        return measured(self.merged)

    @cached_property
    def objective(self) -> Metric | None:
        """What configurations are compared by; None where nothing was measured."""
        return objective(self.job, self.metrics)

    @property
    def answer(self) -> str:
        """What its report opens with; empty where there is nothing yet."""
        found = verdict(self.merged.configs, self.objective) if self.objective else None
        return answer(found) if found else ""

    @cached_property
    def cost(self) -> Cost | None:
        """How the cost of trials is counted; None where they cannot be compared."""
        return cost(self.job, self.merged.members)

    def directory(self, trial: Trial) -> TrialDir:
        """Where a trial's files lie."""
        return self.job_dir.trial(trial.id)

    @cached_property
    def datasets(self) -> Mapping[str, DatasetDescription]:
        """By configuration, what the first of its trials that has loaded its data says of it."""
        found = {}
        for config, trials in list(self.merged.configs.items())[:MAX_CONFIGS]:
            for trial in trials:
                with contextlib.suppress(StorageError):
                    if description := self.directory(trial).read_dataset():
                        found[config] = description
                        break
        return found

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """By configuration, the images of its data set."""
        return {config: found.images for config, found in self.datasets.items()}


@dataclass(frozen=True)
class Section:
    """One section of the report."""

    name: str
    title: str
    order: int
    build: Callable[[Content], dict[str, Any] | None]


class Rendered(TypedDict):
    """One section as HTML."""

    name: str
    """Among letters and ``_``: fit for an id."""
    title: str
    body: Markup
    """Without the heading; styled by ``style()``."""


def discover() -> list[Section]:
    """The sections, in their order on the page."""
    found = []
    for info in pkgutil.iter_modules(sections.__path__):
        module = importlib.import_module(f"{sections.__name__}.{info.name}")
        found.append(Section(info.name, module.TITLE, module.ORDER, module.build))
    return sorted(found, key=lambda section: (section.order, section.name))


def render_sections(content: Content, names: Collection[str] | None = None) -> list[Rendered]:
    """The sections called ``names``, by default all, in their order; without those that show nothing."""
    templates = environment()
    shown: list[Rendered] = []
    for section in discover():
        context = section.build(content) if names is None or section.name in names else None
        if context is not None:
            body = templates.get_template(f"{section.name}.html").render(context)
            shown.append({"name": section.name, "title": section.title, "body": Markup(body)})  # noqa: S704
    return shown


def render_page(content: Content, sections: Sequence[Rendered] | None = None) -> bytes:
    """The page, UTF-8, by default of all sections."""
    page = (
        environment()
        .get_template("page.html")
        .render(
            job=content.title,
            description=text.lines(content.job.get("description") or "", 2000),
            statuses=text.status_counts(trial.status for trial in content.merged.members),
            trials=len(content.merged.members),
            sections=render_sections(content) if sections is None else sections,
            beside=content.beside,
            style=style(),
            made_at=content.made_at,
            runs=content.runs,
            version=VERSION,
        )
    )
    return page.encode("utf-8", "replace")  # a lone surrogate is no reason to have no report


def render_template(template: str, **context: Any) -> Markup:
    """A template beside this file, all in it escaped."""
    return Markup(environment().get_template(template).render(context))  # noqa: S704


def style() -> Markup:
    """The style sheet of all sections."""
    return Markup((HERE / "style.css").read_text(encoding="utf-8"))  # noqa: S704


@cache
def environment(*folders: Path) -> Environment:
    """Templates in ``folders``, or else the report's: all that is put into them is escaped."""
    made = Environment(
        loader=FileSystemLoader(folders or (HERE, HERE / "sections")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        number=text.number,
        whole=text.whole,
        spread=text.spread,
        duration=text.duration,
        when=text.when,
        plural=text.plural,
        name=_name,
        term=_term,
        tone=lambda status: f"tone-{MEANINGS[status].tone.value}",
    )
    made.tests["successful"] = lambda status: MEANINGS[status].is_success
    return made


def _term(phrase: str) -> Markup:
    """``phrase``, with what it means where that is known."""
    meaning = explain(phrase)
    return Markup('<abbr title="{}">{}</abbr>').format(meaning, phrase) if meaning else escape(phrase)


def _name(name: str) -> Markup:
    """Text with names of configurations or trials, which may be long, and break after each setting in it."""
    return Markup(",<wbr>").join(re.split(r",(?=\S)", name))
