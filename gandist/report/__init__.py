"""One honest report of a job: merged tables, statistics over seeds, and a single self-contained HTML page.

Knows only what lies in a job directory; loads no TensorFlow.
"""

from __future__ import annotations

import time
from functools import partial

import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.report import kept
from gandist.report.merge import Merged, Opened, merge_opened, open_job
from gandist.report.render import Content, render_page


def write_report(job_dir: JobDir) -> str:
    """Merge the trials of ``job_dir``; write the merged tables and ``report.html`` there.

    Works on a job in any state: queued, running, partly failed. What cannot be read is named in the report.
    While a trial runs, losses are not merged: only those of trials that have gone on are read.

    Returns:
        Where the report lies.

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
    page = render_page(Content(job_dir, job, merged.manifest, merged, made_at, merge_s, runs))
    job_dir.storage.write(JobDir.REPORT, page)
    return job_dir.storage.where(JobDir.REPORT)


def _merge(opened: Opened, sink: pa.NativeFile) -> Merged:
    losses = tables.LossesFile(sink, tables.losses_schema(opened.figures()))
    merged = merge_opened(opened, losses.add)
    losses.close()
    return merged


__all__ = ["write_report"]
