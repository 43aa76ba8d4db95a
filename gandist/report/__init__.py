"""One honest report of a job: merged tables, statistics over seeds, and a single self-contained HTML page.

Knows only what lies in a job directory; loads no TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.report import compare, kept
from gandist.report.answer import answer, unranked
from gandist.report.evaluations import measured, objective
from gandist.report.merge import Merged, Opened, merge_opened, open_job
from gandist.report.render import Content, render_page, render_sections
from gandist.report.verdict import verdict


@dataclass(frozen=True)
class Written:
    """A report: ``where`` it lies, and the ``answer`` that it opens with; empty where there is none yet."""

    where: str
    answer: str


def write_report(job_dir: JobDir) -> Written:
    """Merge the trials of ``job_dir``; write the merged tables and ``report.html`` there.

    Works on a job in any state: queued, running, partly failed. What cannot be read is named in the report.
    While a trial runs, losses are not merged: only those of trials that have gone on are read.

    Raises:
        NotAJobError: the directory has no ``job.yaml`` or no ``manifest.json``.
        StorageError: the storage refused.
    """
    job, opened, storage = job_dir.read_job(), open_job(job_dir), job_dir.storage
    made_at, began = time.time(), time.monotonic()
    if runs := opened.runs(made_at):
        merged = merge_opened(opened, known=kept.read(storage))
        kept.write(storage, merged.members)
    else:
        merged = storage.write_stream(JobDir.LOSSES, partial(_merge, opened))
        storage.delete(JobDir.CURVES)
    job_dir.storage.write(JobDir.METRICS, tables.encode_table(merged.metrics))
    job_dir.storage.write(JobDir.TRIALS, tables.encode_table(merged.trials))
    merge_s = time.monotonic() - began
    content = Content(job_dir, job, merged.manifest, merged, made_at, merge_s, runs)
    job_dir.storage.write(JobDir.REPORT, render_page(content))
    return Written(job_dir.storage.where(JobDir.REPORT), content.answer)


def read_content(job_dir: JobDir) -> Content:
    """What a report of ``job_dir`` would show; writes nothing. Raises like ``write_report``."""
    job, opened = job_dir.read_job(), open_job(job_dir)
    made_at, began = time.time(), time.monotonic()
    merged = merge_opened(opened, known=kept.read(job_dir.storage))
    merge_s = time.monotonic() - began
    return Content(job_dir, job, merged.manifest, merged, made_at, merge_s, opened.runs(made_at))


def read_answer(job_dir: JobDir) -> str:
    """What a report of ``job_dir`` would open with; writes nothing. Raises like ``write_report``."""
    return read_content(job_dir).answer


def answer_of(job: Mapping[str, Any], merged: Merged) -> str:
    """What a report of ``merged`` opens with; empty where there is nothing yet."""
    metric = objective(job, measured(merged))
    if metric is None:
        return ""
    found = verdict(merged.configs, metric)
    return answer(found) if found else unranked(merged.members)


def write_comparison(job_dirs: Sequence[JobDir], out: str) -> Written:
    """Several jobs side by side in one page at ``out``; nothing is written into their directories.

    Args:
        job_dirs: each once.
        out: a file, or an object at ``s3://...``.

    Raises:
        UsageError: a directory is given twice, or ``out`` is no place for the page.
        NotAJobError: one of them is no job's directory.
        StorageError: a storage refused.
    """
    compare.check(job_dirs)
    storage, name = compare.place(out)
    compared = compare.combine([read_content(job_dir) for job_dir in job_dirs])
    storage.write(name, compare.render(compared))
    return Written(storage.where(name), compared.answer)


def _merge(opened: Opened, sink: pa.NativeFile) -> Merged:
    losses = tables.LossesFile(sink, tables.losses_schema(opened.figures()))
    merged = merge_opened(opened, losses.add)
    losses.close()
    return merged


__all__ = [
    "Content",
    "Written",
    "answer_of",
    "read_answer",
    "read_content",
    "render_sections",
    "write_comparison",
    "write_report",
]
