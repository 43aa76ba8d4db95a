"""The jobs of a storage: a line each."""

from __future__ import annotations

import copy
import datetime
import errno
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gandist.artifacts.driver import Holder, living
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.trials import READERS, read_manifest, read_states
from gandist.console.progress import Row, Summary, recorded
from gandist.errors import NotAJobError, StorageError, UsageError
from gandist.printable import printable

MAX_STATES = 1000
"""Of one job: each is a file to read, and a storage may hold many jobs."""


@dataclass(frozen=True)
class Found:
    """A directory of a storage."""

    name: str
    job_dir: JobDir
    files: Mapping[str, str]
    """What lies in it, with what changes with each: see ``Storage.stamps``."""
    problem: str = ""
    """Why it cannot be looked into."""


def jobs(storage: str) -> tuple[list[Found], int]:
    """The jobs in a storage by name, and how many other things lie there.

    Raises:
        UsageError: there is no such directory, or it is itself a job's.
        StorageError: the storage refused.
    """
    root = JobDir(storage)
    names = root.storage.list()
    if "manifest.json" in names:
        raise UsageError(
            f"{storage}: one job's directory; give the one that it lies in, or: gandist status {storage}"
        )
    if not names and not root.storage.exists(""):
        raise UsageError(f"{storage}: no such directory")
    with ThreadPoolExecutor(READERS) as readers:
        found = [job for job in readers.map(lambda name: _look(root, name), names) if job is not None]
    return found, len(names) - len(found)


def find(root: JobDir, name: str) -> JobDir | None:
    """The job that the storage ``root`` lists as ``name``, whoever has given that name.

    Raises:
        StorageError: the storage refused.
    """
    found = _look(root, name) if name in root.storage.list() else None
    return found.job_dir if found else None


@dataclass(frozen=True)
class Standing:
    """How a job stands."""

    root: str
    """The job directory."""
    manifest: Manifest
    rows: tuple[Row, ...]
    """Of its trials, the first ``MAX_STATES`` of them where there are many jobs to look at."""
    summary: Summary
    written: float
    """Unix time; 0 where no trial has written anything yet."""
    holder: Holder | None
    """Who runs it."""


def standing(job_dir: JobDir, holder: Holder | None, limit: int | None = None) -> Standing:
    """Read how a job stands.

    Args:
        job_dir: its directory.
        holder: who runs it.
        limit: trials to read the states of.

    Raises:
        NotAJobError: there is no job in that directory.
        StorageError: the storage refused.
    """
    manifest = read_manifest(job_dir)
    states = read_states(job_dir, [trial.id for trial in manifest.trials[:limit]])
    rows, summary = recorded(states, time.time(), driven=holder is not None)
    written = max((state.updated_at for state in states.values()), default=0.0)
    return Standing(job_dir.root, manifest, tuple(rows), summary, written, holder)


def stand(found: list[Found]) -> Iterator[tuple[Found, Standing | str]]:
    """How each job stands, or what keeps that from being known; reads one job after the other."""
    held = [job for job in found if JobDir.DRIVER in job.files]
    holders = dict(zip((job.name for job in held), _holders(held), strict=True))
    for job in found:
        if job.problem:
            yield job, job.problem
            continue
        try:
            yield job, standing(job.job_dir, holders.get(job.name), MAX_STATES)
        except (NotAJobError, StorageError) as error:
            yield job, str(error)


def lines(found: list[Found]) -> Iterator[str]:
    """How each job stands, as text."""
    width = max((len(printable(job.name)) for job in found), default=0)
    for job, how in stand(found):
        yield f"{printable(job.name):<{width}}  {_line(job, how)}"


def utc(at: float) -> str:
    """Unix time for people."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _look(root: JobDir, name: str) -> Found | None:
    job_dir = copy.copy(root)
    job_dir.storage = root.storage.sub(name, own=True)  # a URI made of a stranger's name might be none
    try:
        files = job_dir.storage.stamps("")
    except StorageError as error:
        if getattr(error.__cause__, "errno", None) == errno.ENOTDIR:  # a file
            return None
        return Found(name, job_dir, {}, str(error))
    return Found(name, job_dir, files) if "manifest.json" in files else None


def _line(job: Found, how: Standing | str) -> str:
    if isinstance(how, str):
        return printable(how)
    summary, trials = str(how.summary), len(how.manifest.trials)
    if trials > MAX_STATES:
        summary = f"{trials} trials; of the first {summary}"
    parts = [summary, f"written {utc(how.written)}" if how.written else "nothing written yet"]
    parts += [JobDir.REPORT] if JobDir.REPORT in job.files else ["no report yet"]
    parts += [f"submitted by {how.manifest.submitted_by}"] if how.manifest.submitted_by else []
    parts += [f"run by {how.holder}"] if how.holder else []
    return "; ".join(parts)


def _holders(jobs: list[Found]) -> list[Holder | None]:
    """Who runs each; a storage that refuses is told of where its trials are read."""
    try:
        return living([job.job_dir.storage for job in jobs])
    except StorageError:
        return [None for _ in jobs]
