"""Submitting a job to a cluster: what is sent, following it to its end, and stopping it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import re
import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandist.artifacts.address import mistake, public
from gandist.errors import ClusterError, UsageError
from gandist.remote.dashboard import UnreachableError
from gandist.remote.jobs_api import JobsApi, Submission
from gandist.runner.manifest import SUBMITTER, refuse_relative, submitter
from gandist.spec.job import Job
from gandist.version import VERSION

STOP_S = 60
"""Ray kills a driver that has not ended so long after it was asked to; by default after 3 s, far too early
for trials that have ``schedule.GRACE_S`` to reach a checkpoint."""
STOP_WAIT_S = STOP_S + 30.0
QUIET_S = 60.0
"""Of silence, before the connection is made anew."""
AGAIN_S = 1.0
GIVE_UP_S = 600.0
"""For a laptop that wakes up and has no network yet, or a head that is being replaced."""

_CHATTER = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+\tINFO job_manager\.py:\d+ -- .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Request:
    """What ``gandist run`` gets in the cluster."""

    storage: str
    data_dir: str | None = None
    retry_failed: bool = False
    fresh: bool = False
    overrides: Sequence[str] = ()
    python: str | None = None
    """The cluster's Python that has gandist; None = ``gandist`` is on the head's PATH."""

    def entrypoint(self, job_file: str, plugins: Sequence[str] = ()) -> str:
        """The command, for a shell; it takes the shell's place, and so gets the signals itself."""
        words = [self.python, "-m", "gandist"] if self.python else ["gandist"]
        words += ["run", job_file, "--storage", self.storage]
        words += ["--data-dir", self.data_dir] if self.data_dir else []
        words += ["--retry-failed"] * self.retry_failed + ["--fresh"] * self.fresh
        for override in self.overrides:
            words += ["--set", override]
        for plugin in plugins:
            words += ["--plugin", plugin]
        return f"exec {shlex.join(words)}"


def check(request: Request) -> None:
    """Refuse places that would mean something else in the cluster, and secrets, which all there could read.

    Raises:
        UsageError: as it says.
    """
    storage = request.storage
    if wrong := mistake(storage):
        raise UsageError(f"--storage {public(storage)}: {wrong}")
    refuse_relative(storage)
    for override in request.overrides:
        path, _, value = override.partition("=")
        if path.strip().partition(".")[0] == "schedule" and "://" in value:  # of which only notify has any
            raise UsageError(
                f"--set {path.strip()}: would be readable in the cluster's list of jobs; give env:NAME, "
                "a variable of the head's, or write it into the job file"
            )
    data_dir = request.data_dir
    if data_dir is not None and not data_dir.startswith("/"):
        raise UsageError(
            f"--data-dir {data_dir}: give a directory of the cluster's nodes, from the root: /data"
        )


def submit(
    api: JobsApi,
    job_file: Path,
    job: Job,
    request: Request,
    sending: Callable[[str], None] = lambda _: None,
) -> Submission:
    """Send a job file with its plug-ins, and start its driver there. File and request were found right.

    Args:
        api: the cluster.
        job_file: what is sent.
        job: what is in it.
        request: how it is run there.
        sending: told the submission's id before it is sent: from then on it may have arrived.

    Raises:
        ClusterError: the cluster refuses, or runs this job already.
    """
    job_dir = f"{request.storage.rstrip('/')}/{job.spec.name}"
    for other in api.submissions():
        if other.job_dir == job_dir and not other.ended:
            look, stop = api.command(f"logs {other.id} --follow"), api.command(f"stop {other.id}")
            raise ClusterError(
                f"{job_dir}: this job is {other.status.lower()} there already; `{look}` shows it, `{stop}` "
                "stops it"
            )
    now = datetime.datetime.now(datetime.UTC)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", job.spec.name)
    submission = f"{name}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    metadata = {
        "gandist": VERSION,
        "job_name": job.spec.name,  # Ray's own key for what dashboards show
        "storage": request.storage,
        "job_dir": job_dir,
        SUBMITTER: submitter(),
    }
    sent = f"{job.spec.name}.yaml"
    sources = {plugin.argument: plugin.source for plugin in job.plugins if plugin.source is not None}
    files = {sent: job_file.read_bytes(), **sources}  # travel, and nothing else
    entrypoint = request.entrypoint(sent, [plugin.argument for plugin in job.plugins])
    sending(submission)
    patience = {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_S)}
    api.submit(submission, entrypoint, files, patience, metadata)
    return Submission(submission, "PENDING", now.timestamp(), metadata=metadata)


class Follower:
    """Prints the log of a submission as it grows, whatever happens to the connection.

    Args:
        api: the cluster.
        submission: its id.
        write: takes text as it comes, line breaks included.
        tell: takes a line for a person who waits.
        sleep: waits for so many seconds.
        clock: seconds, from wherever.
    """

    def __init__(
        self,
        api: JobsApi,
        submission: str,
        write: Callable[[str], None],
        tell: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._id = submission
        self._write = write
        self._tell = tell
        self._sleep = sleep
        self._clock = clock
        self._shown = 0

    def follow(self) -> Submission:
        """Print until the driver has ended; how it ended.

        Raises:
            ClusterError: the cluster does not answer for long, or no longer knows the submission.
        """
        lost_at: float | None = None
        while True:
            streamed = asyncio.run(self._stream())
            try:
                info = self._api.info(self._id)
                if info.ended or not streamed:  # what a connection that broke, or a proxy, has not brought
                    with contextlib.suppress(ClusterError):
                        self._show(self._api.log(self._id)[self._shown :])
                if info.ended:
                    return info
                lost_at = None
            except UnreachableError as error:
                lost_at = self._lost(error, lost_at)
            self._sleep(AGAIN_S)

    def _lost(self, error: UnreachableError, lost_at: float | None) -> float:
        now = self._clock()
        if lost_at is None:
            self._tell(f"{error}; trying again for {GIVE_UP_S / 60:.0f} min")
            return now
        if now - lost_at > GIVE_UP_S:
            again = self._api.command(f"logs {self._id} --follow")
            raise ClusterError(f"{error}; look again with: {again}") from error
        return lost_at

    async def _stream(self) -> bool:
        """Whether anything came."""
        read = 0
        async with contextlib.aclosing(self._api.tail(self._id, QUIET_S)) as pieces:
            async for piece in pieces:
                read += len(piece)
                if read > self._shown:  # a connection made anew begins with the first line again
                    self._show(piece[-(read - self._shown) :])
        return read > 0

    def _show(self, text: str) -> None:
        self._shown += len(text)
        if text := quiet(text):
            self._write(text)


def quiet(log: str) -> str:
    """Without what Ray says about itself."""
    return _CHATTER.sub("", log)


def wait_until_stopped(
    api: JobsApi,
    submission: str,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Submission:
    """Wait until a driver that was asked to stop its trials at a checkpoint has ended; how it ended.

    Raises:
        ClusterError: it has not ended in time.
    """
    stop_by = clock() + STOP_WAIT_S
    while not (info := api.info(submission)).ended:
        if clock() > stop_by:
            raise ClusterError(f"{info.id}: asked to stop, and still {info.status.lower()}")
        sleep(AGAIN_S / 2)
    return info
