"""Ray's Jobs API: a cluster asked over HTTP, with every trouble as one line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gandist.artifacts.job_dir import JobDir
from gandist.errors import UsageError
from gandist.remote.client import Client
from gandist.remote.dashboard import asking, named_address, without_password

ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
SIGTERM_EXIT = 143
SHOWN = 5
"""Submissions to name where the one asked for is not there."""


@dataclass(frozen=True)
class Submission:
    """A job as a cluster's Jobs API knows it."""

    id: str
    status: str
    """PENDING, RUNNING, or one of ``ENDED``: Ray's words."""
    started_at: float = 0.0
    """Unix time."""
    ended_at: float = 0.0
    driver_exit_code: int | None = None
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Submission:
        """From Ray's ``JobDetails``."""
        return cls(
            id=str(details["submission_id"]),
            status=str(details["status"]),
            started_at=(details.get("start_time") or 0) / 1000,
            ended_at=(details.get("end_time") or 0) / 1000,
            driver_exit_code=details.get("driver_exit_code"),
            message=str(details.get("message") or ""),
            metadata=dict(details.get("metadata") or {}),
        )

    @property
    def ended(self) -> bool:
        """Whether its driver is gone."""
        return self.status in ENDED

    @property
    def exit_code(self) -> int:
        """The driver's, as a shell would give it."""
        if self.driver_exit_code is not None:
            code = self.driver_exit_code
            return code if code >= 0 else 128 - code
        return {"SUCCEEDED": 0, "STOPPED": SIGTERM_EXIT}.get(self.status, 1)

    @property
    def job(self) -> str | None:
        """The job's name; None if gandist has not submitted it."""
        return self.metadata.get("job_name") if "gandist" in self.metadata else None

    @property
    def job_dir(self) -> str | None:
        """Where its results lie; None if gandist has not submitted it."""
        return self.metadata.get("job_dir") if "gandist" in self.metadata else None


class JobsApi:
    """The Jobs API of one cluster.

    Args:
        client: of its dashboard.
        address: as a person should see it.
        named: whether a command has to name it, because the environment does not.
    """

    def __init__(self, client: Client, address: str, named: bool = False) -> None:
        self._client = client
        self.address = address
        self._option = f" --address {address}" if named else ""

    def command(self, words: str) -> str:
        """A command line for this cluster: ``gandist`` and ``words``."""
        return f"gandist {words}{self._option}"

    def submissions(self) -> list[Submission]:
        """All that the cluster remembers, oldest first."""
        with self._asking():
            found = [Submission.of(job) for job in self._client.list_jobs() if job["submission_id"]]
        return sorted(found, key=lambda submission: submission.started_at)

    def find(self, name: str) -> Submission:
        """The submission of that id, else the newest one of the job of that name.

        Raises:
            UsageError: there is neither.
        """
        found = self.submissions()
        for submission in reversed(found):
            if submission.id == name:
                return submission
        for submission in reversed(found):
            if submission.job == name:
                return submission
        newest = ", ".join(submission.id for submission in found[: -SHOWN - 1 : -1])
        known = f"the newest there: {newest}" if newest else "nothing was submitted there"
        raise UsageError(f"{name}: neither a submission nor a submitted job of {self.address}; {known}")

    def info(self, submission: str) -> Submission:
        """How a submission stands, by its id."""
        with self._asking():
            return Submission.of(self._client.get_job_info(submission))

    def submit(
        self,
        submission: str,
        entrypoint: str,
        files: Mapping[str, bytes],
        env_vars: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> None:
        """Start ``entrypoint`` in the cluster, in a directory that holds ``files``."""
        with self._asking():
            self._client.submit_job(entrypoint, submission, files, env_vars, metadata)

    def stop(self, submission: str) -> None:
        """Ask the driver to end; it has then still to do so."""
        with self._asking():
            self._client.stop_job(submission)

    def log(self, submission: str) -> str:
        """What the driver has printed so far."""
        with self._asking():
            return str(self._client.get_job_logs(submission))

    async def tail(self, submission: str, quiet_s: float) -> AsyncGenerator[str, None]:
        """The log from its beginning, in pieces as it grows, until the driver has ended.

        Ends early where the connection does, or after ``quiet_s`` of silence: a laptop that was asleep is
        not told that its connection is gone.
        """
        async with aclosing(self._client.tail_job_logs(submission)) as pieces:
            while True:
                try:
                    piece = await asyncio.wait_for(anext(pieces), quiet_s)
                except Exception:  # noqa: BLE001 - however it ended, `info` tells what became of the job
                    return
                yield piece

    @contextmanager
    def _asking(self) -> Iterator[None]:
        with asking(self.address):
            yield


def connect(option: str | None) -> JobsApi:
    """The cluster at ``--address``, else the one that Ray's own variables name.

    Raises:
        UsageError: no address was given.
        ClusterError: it cannot be reached, asks for a token, or is no Ray.
    """
    url = named_address(option)
    if url is None:
        raise UsageError("--address: give the cluster's dashboard, as in http://127.0.0.1:8265")
    shown = without_password(url)
    with asking(shown):
        return JobsApi(Client(url), shown, named=bool(option))


def find_submission(name: str, option: str | None) -> Submission | None:
    """The submission that ``name`` stands for; None where it stands for a job directory.

    A path is a directory, with ``--address`` a name is a submission; with an address in the environment only
    it is one unless a job directory of that name lies here.
    """
    if "/" in name or name in ("", ".", ".."):
        return None
    if not option and _is_there(Path(name, "manifest.json")):
        return None
    if not option and named_address(None) is None:
        if _is_there(Path(name)):
            return None
        raise UsageError(f"{name}: no such directory; for a submitted job give its cluster's --address")
    return connect(option).find(name)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long a name, a directory that is closed
        return False


def results(name: str, option: str | None) -> JobDir:
    """The job directory that ``name`` stands for: itself, or where a submission writes to.

    Raises:
        UsageError: the submission does not say.
    """
    submission = find_submission(name, option)
    if submission is None:
        return JobDir(name)
    if submission.job_dir is None:
        raise UsageError(f"{submission.id}: not of `gandist submit`; give its job directory instead")
    return JobDir(submission.job_dir)
