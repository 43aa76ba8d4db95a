"""Several jobs in one page, as if their configurations were those of one job. Writes nothing into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.storage import Storage
from gandist.errors import NotAFileError, UsageError
from gandist.printable import printable
from gandist.report import text
from gandist.report.cost import Cost, cost
from gandist.report.evaluations import Metric
from gandist.report.merge import Merged
from gandist.report.render import Content, Rendered, render_page, render_sections, render_template
from gandist.report.trial import Trial

SECTIONS = (
    "answer",
    "warnings",
    "outcomes",
    "samples",
    "settings",
    "metrics",
    "losses",
    "discriminator",
    "health",
    "results",
    "glossary",
)
"""Of the report, those that say something of several jobs."""

MARK = b"gandist report</title>"
"""In the head of each page."""
HEAD = 4096


@dataclass(frozen=True)
class Compared(Content):
    """Several jobs as one: its configurations are called ``job: config``, its trials likewise."""

    jobs: Mapping[str, Content] = field(default_factory=dict)
    """By label, in the order in which they were given."""
    directories: Mapping[str, TrialDir] = field(default_factory=dict)
    """By trial."""

    def directory(self, trial: Trial) -> TrialDir:
        """Where a trial's files lie, in its own job."""
        return self.directories[trial.id]

    @property
    def beside(self) -> bool:
        """The page may lie anywhere."""
        return False

    @cached_property
    def objective(self) -> Metric | None:
        """What most of the jobs have a value of; of several such what one of them is about."""
        about = {found.name for job in self.jobs.values() if (found := job.objective)}

        def worth(metric: Metric) -> tuple[int, bool]:
            return sum(1 for label in self.jobs if self.counts(label, metric)), metric.name in about

        return max(self.metrics, key=worth, default=None)

    @cached_property
    def cost(self) -> Cost | None:
        """None where the jobs share GPUs in different ways."""
        found = {own.share for job in self.jobs.values() if (own := job.cost)}
        return cost(self.job, self.merged.members) if len(found) == 1 else None

    def counts(self, label: str, metric: Metric) -> bool:
        """Whether a trial of the job has a final value of ``metric``."""
        return bool(metric.counted(self.jobs[label].merged.members))

    def why_unranked(self, label: str) -> str:
        """Why a job has no place in the ranking; empty where it has one."""
        metric, own = self.objective, self.jobs[label].metrics
        if metric is None or self.counts(label, metric):
            return ""
        alike = [other for other in own if other.name == metric.name and other.protocol != metric.protocol]
        if alike:
            protocols = "; ".join(text.plain(other.protocol, 300) for other in alike)
            return f"measured by another protocol ({protocols})"
        if any(other.name == metric.name for other in own):
            return "no trial has completed with a value yet"
        measured = ", ".join(dict.fromkeys(other.title for other in own[:6]))
        return f"measured by {measured} only" if measured else "nothing was measured of its images"


def combine(contents: Sequence[Content]) -> Compared:
    """``contents`` as one; at least one of them."""
    jobs = dict(zip(_labels([content.title for content in contents]), contents, strict=True))
    members: list[Trial] = []
    directories: dict[str, TrialDir] = {}
    for label, content in jobs.items():
        alone = len(content.merged.configs) == 1
        for trial in content.merged.members:
            config = label if alone else f"{label}: {trial.config}"
            renamed = replace(trial, id=f"{label}/{trial.id}", config=config)
            members.append(renamed)
            directories[renamed.id] = content.directory(trial)
    merged = Merged(
        tuple(members),
        tuple(f"{label}: {line}" for label, content in jobs.items() for line in content.merged.warnings),
        Manifest(job=" and ".join(jobs)),
        pa.concat_tables(content.merged.trials for content in contents),
        pa.concat_tables(content.merged.metrics for content in contents),
        tuple(dict.fromkeys(name for content in contents for name in content.merged.logged)),
    )
    return Compared(
        contents[0].job_dir,
        {"name": text.listed(list(jobs), 6), "resources": contents[0].job.get("resources")},
        merged.manifest,
        merged,
        max(content.made_at for content in contents),
        runs=any(content.runs for content in contents),
        jobs=jobs,
        directories=directories,
    )


def check(job_dirs: Sequence[JobDir]) -> None:
    """Whether each is there once.

    Raises:
        UsageError: one is not.
    """
    count = Counter(job_dir.root.rstrip("/") for job_dir in job_dirs)
    if twice := [root for root, times in count.items() if times > 1]:
        raise UsageError(f"{printable(twice[0])}: given twice; give each job once")


def place(out: str) -> tuple[Storage, str]:
    """The storage and the name of the page at ``out``, where there is nothing yet or an earlier page.

    Raises:
        UsageError: there is something else.
        StorageError: the storage refused.
    """
    root, _, name = out.rpartition("/")
    storage, why = Storage(root or ("/" if out.startswith("/") else ".")), ""
    try:
        if not name:
            why = "is a directory"
        elif MARK not in storage.read(name)[:HEAD]:
            why = "is there, and is no report of gandist"
    except FileNotFoundError:
        pass
    except NotAFileError:
        why = "is no file"
    if why:
        raise UsageError(f"--out {printable(out)}: {why}; give the path of another HTML file")
    return storage, name


def render(compared: Compared) -> bytes:
    """The page, UTF-8."""
    body = render_template("comparison.html", rows=_rows(compared))
    jobs: Rendered = {"name": "jobs", "title": "Jobs", "body": body}
    return render_page(compared, [jobs, *render_sections(compared, SECTIONS)])


def _rows(compared: Compared) -> list[dict[str, Any]]:
    """What stands first, of each job."""
    return [
        {
            "label": label,
            "where": text.plain(content.job_dir.root, 300),
            "answer": content.answer,
            "statuses": text.status_counts(trial.status for trial in content.merged.members),
            "unranked": compared.why_unranked(label),
        }
        for label, content in compared.jobs.items()
    ]


def _labels(names: Sequence[str]) -> list[str]:
    """``names``, with a number where several are the same."""
    count: Counter[str] = Counter()
    labels: list[str] = []
    for name in names:
        label = name
        while label in labels:
            count[name] += 1
            label = f"{name} ({count[name] + 1})"
        labels.append(label)
    return labels
