"""One honest report of a job: merged tables, statistics over seeds, and a single self-contained HTML page.

Knows only what lies in a job directory; loads no TensorFlow.
"""

from __future__ import annotations

import time
from functools import partial

import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.report.merge import Merged, merge_job
from gandist.report.render import Content, render_page


def write_report(job_dir: JobDir) -> str:
    """Merge the trials of ``job_dir``; write the merged tables and ``report.html`` there.

    Works on a job in any state: queued, running, partly failed. What cannot be read is named in the report.

    Returns:
        Where the report lies.

    Raises:
        NotAJobError: the directory has no ``job.yaml`` or no ``manifest.json``.
        StorageError: the storage refused.
    """
    job = job_dir.read_job()
    merged = job_dir.storage.write_stream(JobDir.LOSSES, partial(_merge, job_dir))
    job_dir.storage.write(JobDir.METRICS, tables.encode_table(merged.metrics))
    job_dir.storage.write(JobDir.TRIALS, tables.encode_table(merged.trials))
    page = render_page(Content(job_dir, job, merged.manifest, merged, made_at=time.time()))
    job_dir.storage.write(JobDir.REPORT, page)
    return job_dir.storage.where(JobDir.REPORT)


def _merge(job_dir: JobDir, sink: pa.NativeFile) -> Merged:
    losses = tables.LossesFile(sink)
    merged = merge_job(job_dir, losses.add)
    losses.close()
    return merged


__all__ = ["write_report"]
