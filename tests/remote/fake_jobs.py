"""A stand-in for the client of Ray's Jobs API, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from gandist.remote.client import AnswerError
from gandist.remote.jobs_api import JobsApi

ADDRESS = "http://head:8265"
JOB = """
name: small
data: {name: digits}
model: {name: dcgan}
training: {steps: 3}
seeds: [0, 1]
"""


def refused() -> ConnectionError:
    """As Ray gives it: without the reason, which stands at the end of the chain."""
    reason = OSError("HTTPConnectionPool(host='head', port=8265): [Errno 111] Connection refused'))")
    error = ConnectionError("Failed to connect to Ray at address: http://head:8265.")
    error.__context__ = reason
    return error


def details(submission: str | None, status: str = "RUNNING", **fields: Any) -> dict[str, Any]:
    """Ray's ``JobDetails``; ``job`` and ``job_dir`` make it one that gandist has submitted."""
    job, job_dir = fields.pop("job", None), fields.pop("job_dir", None)
    given = {"gandist": "1", "job_name": job, "job_dir": job_dir or f"/runs/{job}"} if job else {}
    known = {"start_time": 1000, "end_time": None, "driver_exit_code": None, "message": None}
    return {"submission_id": submission, "status": status, "metadata": given} | known | fields


class FakeClient:
    """Remembers what it is asked.

    ``before`` is called with each question's name, and may raise. ``logs`` are the pieces that a tail brings,
    one list a connection; an exception among them ends that connection.
    """

    def __init__(self, *jobs: dict[str, Any]) -> None:
        self.jobs = {job["submission_id"]: job for job in jobs}
        self.before: Callable[[str], None] = lambda _: None
        self.asked: list[str] = []
        self.sent: dict[str, Any] = {}
        self.logs: list[list[str | Exception]] = []
        self.log = ""

    def _ask(self, question: str) -> None:
        self.asked.append(question)
        self.before(question)

    def list_jobs(self) -> list[dict[str, Any]]:
        self._ask("list")
        return list(self.jobs.values())

    def get_job_info(self, submission: str) -> dict[str, Any]:
        self._ask("info")
        if submission not in self.jobs:
            raise AnswerError(404, f"Job {submission} does not exist", f"/api/jobs/{submission}")
        return self.jobs[submission]

    def submit_job(self, entrypoint: str, submission_id: str, *sent: Mapping[str, Any]) -> None:
        self._ask("submit")
        names = ("files", "env_vars", "metadata")
        self.sent = {"entrypoint": entrypoint, "submission_id": submission_id}
        self.sent |= dict(zip(names, sent, strict=True))
        self.jobs[submission_id] = details(submission_id, "PENDING")

    def stop_job(self, _: str) -> None:
        self._ask("stop")

    def get_job_logs(self, _: str) -> str:
        self._ask("log")
        return self.log

    async def tail_job_logs(self, _: str) -> AsyncIterator[str]:
        self._ask("tail")
        for piece in self.logs.pop(0) if self.logs else []:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def api(client: Any) -> JobsApi:
    return JobsApi(client, ADDRESS)
