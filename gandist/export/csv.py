"""The merged tables as CSV, for spreadsheets and for what reads no Parquet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.export.place import Place
from gandist.report.merge import Opened, merge_opened, open_job

NAMES = ("losses.csv", "metrics.csv", "trials.csv")
_FORMULA = r"^([=+\-@\t\r])"
"""How text begins that spreadsheets would compute: a job directory may be a stranger's."""


def prepare(job_dir: JobDir, root: str) -> Callable[[], str]:
    """What writes one file for each of the merged tables to the directory ``root``, and says so.

    Columns are those of the Parquet files; null is empty, and text that begins like a formula stands behind
    an apostrophe.

    Raises:
        UsageError: a file is there that is none of the job's exports.
        NotAJobError: ``job_dir`` holds no job.
        StorageError: a storage refused.
    """
    place = Place(root, job_dir, "--csv")
    place.claim(NAMES)
    return partial(_write, place, open_job(job_dir))


def _write(place: Place, opened: Opened) -> str:
    losses, metrics, trials = NAMES
    place.write_stream(losses, partial(_write_losses, opened))
    for name, rows in ((metrics, opened.metrics()), (trials, opened.table())):
        place.write_stream(name, partial(pacsv.write_csv, _harmless(rows)))
    return f"{', '.join(NAMES)}: {place.root}"


def _write_losses(opened: Opened, sink: pa.NativeFile) -> None:
    schema = tables.losses_schema(opened.figures())
    with pacsv.CSVWriter(sink, schema) as writer:
        merge_opened(opened, lambda rows: writer.write(_harmless(tables.conformed(rows, schema))))


def _harmless(rows: pa.Table) -> pa.Table:
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            text = pc.replace_substring_regex(rows.column(place), _FORMULA, r"'\1")
            rows = rows.set_column(place, field, text)
    return rows
