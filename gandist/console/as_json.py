"""How jobs stand, for programs: what ``--json`` prints. Keys stay; new ones may join them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from gandist.artifacts.address import public
from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import ListedTrial
from gandist.artifacts.trial_state import TrialState
from gandist.console.overview import Found, Standing
from gandist.console.progress import Row


class _Document(BaseModel):
    """Times are ISO 8601 in UTC, durations seconds, what is not known is null."""

    model_config = ConfigDict(frozen=True)


class Trial(_Document):
    """One trial, as its ``state.json`` has it."""

    trial: str
    config: str
    seed: int
    status: str
    """As in its state; ``interrupted`` where that says running, and nobody runs the job."""
    reason: str
    activity: str
    attempts: int
    step: int
    total_steps: int
    kimg: float
    images_per_second: float
    training_seconds: float
    d_loss: float | None
    g_loss: float | None
    best_step: int | None
    best_value: float | None
    device: str
    host: str
    started_at: datetime | None
    updated_at: datetime | None
    checkpointed_at: datetime | None
    """When its newest checkpoint was finished."""
    notes: tuple[str, ...]


class Driver(_Document):
    """The process that runs a job."""

    host: str
    pid: int
    started_at: datetime | None


class JobOverview(_Document):
    """One job of a storage."""

    job: str
    directory: str
    problem: str | None = None
    """Why nothing is known of it; the other fields are empty then."""
    trials: int = 0
    counts: Mapping[str, int] = {}
    """Trials by status."""
    images_per_second: float = 0.0
    created_at: datetime | None = None
    submitted_by: str = ""
    written_at: datetime | None = None
    report: str | None = None
    """Where its page lies."""
    driver: Driver | None = None


class Jobs(_Document):
    """``gandist jobs --json``."""

    storage: str
    jobs: tuple[JobOverview, ...]
    others: int
    """Things in the storage that are no jobs."""


class Submission(_Document):
    """What a cluster knows of a job."""

    id: str
    status: str
    """Ray's word."""
    submitted_at: datetime | None
    ended_at: datetime | None


class Status(_Document):
    """``gandist status --json``."""

    job: str | None = None
    directory: str | None = None
    counts: Mapping[str, int] = {}
    images_per_second: float = 0.0
    created_at: datetime | None = None
    submitted_by: str = ""
    driver: Driver | None = None
    submission: Submission | None = None
    trials: tuple[Trial, ...] = ()


class Configuration(_Document):
    """What each trial of a configuration will compute."""

    config: str
    seeds: int
    steps: int
    images: int
    generator_parameters: int
    discriminator_parameters: int
    gflop_per_step: float
    ms_per_step: float | None
    """With ``--probe``, as the next three."""
    images_per_second: float | None
    peak_memory_gib: float | None
    training_seconds: float | None


class Validation(_Document):
    """``gandist validate --json``."""

    job: str
    trials: int
    steps: int
    """Of all trials together; so are the next two."""
    images: int
    training_seconds: float | None
    configurations: tuple[Configuration, ...]


def text(document: BaseModel) -> str:
    """The document as JSON."""
    return document.model_dump_json(indent=2)


def jobs(storage: str, stand: Sequence[tuple[Found, Standing | str]], others: int) -> Jobs:
    """The jobs of a storage.

    Args:
        storage: as it was given.
        stand: each job, with how it stands or what keeps that from being known.
        others: how many other things lie there.
    """
    return Jobs(storage=public(storage), jobs=tuple(_overview(*one) for one in stand), others=others)


def status(standing: Standing | None, submission: Submission | None = None) -> Status:
    """How one job stands; of one that cannot be seen from here, what the cluster knows."""
    if standing is None:
        return Status(submission=submission)
    listed = {trial.id: trial for trial in standing.manifest.trials}
    return Status(
        job=standing.manifest.job,
        directory=standing.root,
        counts=standing.summary.counts,
        images_per_second=standing.summary.images_per_s,
        created_at=standing.manifest.created_at,
        submitted_by=standing.manifest.submitted_by,
        driver=_driver(standing.holder),
        submission=submission,
        trials=tuple(_trial(row, listed[row.trial]) for row in standing.rows),
    )


def configuration(
    config: str, seeds: int, steps: int, images: int, figures: Mapping[str, float]
) -> Configuration:
    """What each trial of a configuration will compute.

    Args:
        config: its name.
        seeds: how many of its trials there are.
        steps: of a trial.
        images: of a trial.
        figures: from ``bench`` where steps were tried, else from ``sizes``.
    """
    ms_per_step = figures.get("ms_per_step")
    return Configuration(
        config=config,
        seeds=seeds,
        steps=steps,
        images=images,
        generator_parameters=int(figures["generator_parameters"]),
        discriminator_parameters=int(figures["discriminator_parameters"]),
        gflop_per_step=figures["gflop_per_step"],
        ms_per_step=ms_per_step,
        images_per_second=figures.get("images_per_s"),
        peak_memory_gib=figures.get("peak_memory_gib"),
        training_seconds=None if ms_per_step is None else steps * ms_per_step / 1000,
    )


def validation(job: str, configurations: Sequence[Configuration]) -> Validation:
    """What a job will compute."""
    seconds = [one.seeds * one.training_seconds for one in configurations if one.training_seconds is not None]
    return Validation(
        job=job,
        trials=sum(one.seeds for one in configurations),
        steps=sum(one.seeds * one.steps for one in configurations),
        images=sum(one.seeds * one.images for one in configurations),
        training_seconds=sum(seconds) if seconds else None,
        configurations=tuple(configurations),
    )


def when(unix: float) -> datetime | None:
    """Unix time; 0 is none."""
    return datetime.fromtimestamp(unix, UTC) if unix else None


def _overview(job: Found, standing: Standing | str) -> JobOverview:
    if isinstance(standing, str):
        return JobOverview(job=job.name, directory=job.job_dir.root, problem=standing)
    return JobOverview(
        job=job.name,
        directory=job.job_dir.root,
        trials=len(standing.manifest.trials),
        counts=standing.summary.counts,
        images_per_second=standing.summary.images_per_s,
        created_at=standing.manifest.created_at,
        submitted_by=standing.manifest.submitted_by,
        written_at=when(standing.written),
        report=job.job_dir.storage.where(JobDir.REPORT) if JobDir.REPORT in job.files else None,
        driver=_driver(standing.holder),
    )


def _driver(holder: Holder | None) -> Driver | None:
    if holder is None:
        return None
    return Driver(host=holder.host, pid=holder.pid, started_at=when(holder.started_at))


def _trial(row: Row, listed: ListedTrial) -> Trial:
    state = row.state
    return Trial(
        trial=row.trial,
        config=listed.config,
        seed=listed.seed,
        status=row.status,
        images_per_second=state.images_per_s if row.status == "running" else 0.0,
        training_seconds=state.train_s,
        **{name: when(getattr(state, name)) for name in _TIMES},
        **{name: getattr(state, name) for name in _AS_STORED},
    )


_TIMES = ("started_at", "updated_at", "checkpointed_at")
_AS_STORED = Trial.model_fields.keys() & TrialState.model_fields.keys() - {"status", *_TIMES}
"""Fields that mean the same in both."""
