"""One honest report of a job: merged tables, statistics over seeds, and a single self-contained HTML page.

Knows only what lies in a job directory; loads no TensorFlow.
"""

from __future__ import annotations

import time

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.report.merge import merge_job
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
    job, merged = job_dir.read_job(), merge_job(job_dir)
    job_dir.storage.write(JobDir.LOSSES, tables.encode_table(merged.losses))
    job_dir.storage.write(JobDir.METRICS, tables.encode_table(merged.metrics))
    job_dir.storage.write(JobDir.TRIALS, tables.encode_table(merged.trials))
    page = render_page(Content(job_dir, job, merged.manifest, merged, made_at=time.time()))
    job_dir.storage.write(JobDir.REPORT, page)
    return job_dir.storage.where(JobDir.REPORT)


__all__ = ["write_report"]
