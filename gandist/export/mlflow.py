"""MLflow: an experiment for the job, a run for each trial, through MLflow's own client.

A run goes on where an earlier export has ended. What it has is asked of MLflow, so nothing is logged twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.statuses import Counts, Meaning
from gandist.errors import GandistError, RunError, StorageError, UsageError
from gandist.export import series
from gandist.export.place import identity
from gandist.printable import one_line
from gandist.report import text
from gandist.report.merge import Opened, OpenedTrial, open_job

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

POINTS = 256
"""Of a column of the losses at most so many, and its last one: MLflow stores each by itself."""
BATCH = 1000
"""Points that MLflow takes in one call."""
MAX_PARAMS = 100
"""As many as it takes with them."""
_ENVIRONMENT = {
    "MLFLOW_ALLOW_FILE_STORE": "true",  # else it refuses what needs no server
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # where a table may be going
}
"""Where the user has not set it."""
_JOB, _TRIAL, _BEGUN = "gandist.job", "gandist.trial", "gandist.begun"
_STATUS = {
    Counts.SUCCESS: "FINISHED",
    Counts.OUTCOME: "FAILED",
    Counts.FAILURE: "FAILED",
    Counts.PRUNED: "KILLED",
}


def prepare(job_dir: JobDir, uri: str) -> Callable[[], str]:
    """What logs the job to the tracking server or file store at ``uri``, and says so.

    Raises:
        UsageError: MLflow is not installed, or has an experiment of that name that is not this job's.
        RunError: ``uri`` is no address that it knows, or cannot be reached.
        NotAJobError: ``job_dir`` holds no job.
        StorageError: the job's storage refused.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise UsageError("--mlflow: MLflow is not installed; pip install 'gandist[mlflow]'") from error
    uri, job, opened = _absolute(uri), identity(job_dir), open_job(job_dir)
    name = opened.manifest.job or "gandist"
    with _told(uri):
        client = MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(name)
    if found is not None and (found.tags.get(_JOB) != job or found.lifecycle_stage != "active"):
        raise UsageError(
            f"--mlflow {_shown(uri)}: its experiment {text.plain(name, 60)} is not of this job, or was "
            "deleted; rename it there"
        )
    return partial(_write, client, uri, name, job, opened)


def _write(client: MlflowClient, uri: str, name: str, job: str, opened: Opened) -> str:
    with _told(uri):
        experiment = client.get_experiment_by_name(name)
        id_ = experiment.experiment_id if experiment else client.create_experiment(name, tags={_JOB: job})
        there = {(run.data.tags.get(_TRIAL), run.data.tags.get(_BEGUN)): run for run in _runs(client, id_)}
        named = series.names(opened.metrics())
        begun = [trial for trial in opened.trials if trial.state.step]
        points = 0
        for trial in begun:
            known = there.get((trial.listed.id, str(trial.state.started_at)))
            points += _write_trial(client, id_, trial, known, named)
    told = f"{text.plural(len(begun), 'run')}, {text.plural(points, 'new value')}"
    return f"{told}: {_shown(uri)}, experiment {text.plain(name, 60)}"


def _write_trial(
    client: MlflowClient,
    experiment: str,
    trial: OpenedTrial,
    known: Run | None,
    named: Mapping[series.Key, str],
) -> int:
    """How many values were new."""
    from mlflow.entities import Metric, Param, RunTag

    state = trial.state
    tags = {_TRIAL: trial.listed.id, _BEGUN: str(state.started_at)}
    run = known or client.create_run(
        experiment, start_time=int(state.started_at * 1000), tags=tags, run_name=trial.listed.id
    )
    metrics = [
        Metric(it.name, value, int(1000 * time), step)
        for it in map(partial(_thinned, trial), series.scalars(trial, named))
        for step, value, time in _new(client, known, it)
    ]
    params = [Param(key, value) for key, value in _params(trial).items() if key not in run.data.params]
    facts = {"status": trial.status, "reason": state.reason, "device": state.device, "host": state.host}
    shown = [
        RunTag(f"gandist.{key}", text.plain(fact, 500))
        for key, fact in {**facts, "seed": trial.listed.seed}.items()
    ]
    client.log_batch(run.info.run_id, params=params, tags=shown)
    for first in range(0, len(metrics), BATCH):
        client.log_batch(run.info.run_id, metrics[first : first + BATCH])
    _end(client, run.info.run_id, state.meaning, int(state.updated_at * 1000))
    return len(metrics)


def _new(client: MlflowClient, known: Run | None, it: series.Scalars) -> Iterator[tuple[int, float, float]]:
    """Step, value and time of the points that a run does not have yet."""
    logged: set[int] = set()
    if known is not None and it.name in known.data.metrics:
        logged = {point.step for point in client.get_metric_history(known.info.run_id, it.name)}
    for step, value, time in zip(it.steps.tolist(), it.values.tolist(), it.times.tolist(), strict=True):
        if step not in logged:
            yield step, value, time


def _thinned(trial: OpenedTrial, it: series.Scalars) -> series.Scalars:
    """Of losses the first value of each of ``POINTS`` spans of steps, and that of the end; all metrics.

    Spans are powers of two, by the trial's length: a later export of it keeps the same points.
    """
    if not it.name.startswith(series.LOSSES):
        return it
    total, span = max(trial.state.total_steps, it.steps.size), 1
    while total > POINTS * span:
        span *= 2
    _, first = np.unique((it.steps - 1) // span, return_index=True)
    if trial.state.finished and first[-1] != it.steps.size - 1:
        first = np.append(first, it.steps.size - 1)
    return series.Scalars(it.name, it.steps[first], it.values[first], it.times[first])


def _params(trial: OpenedTrial) -> dict[str, str]:
    """The settings, by names that MLflow takes: a job directory may be a stranger's."""
    try:
        settings = text.flatten(trial.directory.read_trial(), MAX_PARAMS)
    except StorageError:
        return {}
    return {re.sub(r"[^A-Za-z0-9_.-]|^\.+", "_", path): value for path, value in settings.items()}


def _end(client: MlflowClient, run: str, meaning: Meaning, at_ms: int) -> None:
    if meaning.counts in _STATUS:
        client.set_terminated(run, _STATUS[meaning.counts], at_ms)
    else:
        client.update_run(run, "RUNNING" if meaning.active else "SCHEDULED")


def _runs(client: MlflowClient, experiment: str) -> Iterator[Run]:
    token = None
    while True:
        page = client.search_runs([experiment], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """What MLflow raises, as one line: besides its own errors bare ones, and those of what it calls."""
    try:
        yield
    except GandistError:
        raise
    except Exception as error:
        raise RunError(f"--mlflow {_shown(uri)}: {_shown(one_line(error))}") from error


def _absolute(uri: str) -> str:
    """A file store's directory as this process sees it, and ``~`` as shells have it."""
    path = uri.removeprefix("file:")
    return uri if path == uri or path.startswith("/") else f"file:{Path(path).expanduser().absolute()}"


def _shown(told: str) -> str:
    """An address, or what holds one, without its password."""
    return text.plain(re.sub(r"//[^/@\s]*@", "//", told))
