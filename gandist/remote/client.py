"""Ray's Jobs API over plain HTTP: importing Ray takes seconds, and commands ask nothing else of it.

The paths and fields are those of Ray 2.60's dashboard, the names of the methods those of its
``JobSubmissionClient``.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import requests

from gandist.runner.ray import auth
from gandist.runner.ray.connection import CONNECT_S

READ_S = 60.0
FIELDS = (
    "submission_id",
    "status",
    "start_time",
    "end_time",
    "driver_exit_code",
    "message",
    "metadata",
)


class RefusedError(Exception):
    """The dashboard wants a token, or another one; says which in its own words."""


class Client:
    """The Jobs API behind one address.

    Every method raises ``OSError`` where there is no answer, ``RefusedError`` where a token is refused,
    ``RuntimeError`` for another answer than the one wanted, and ``ValueError``, ``KeyError`` or ``TypeError``
    for one that is unlike a Ray dashboard's.

    Args:
        url: of the dashboard, without a slash at its end.

    Raises:
        UsageError: what the environment gives as a token can be none.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        token = auth.token()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        version = self._ask("GET", "/api/version", missing=True)
        if version is None:
            raise RuntimeError("Version check returned 404")
        if not isinstance(version.json()["ray_version"], str):
            raise TypeError("its version is no text")

    def list_jobs(self) -> list[SimpleNamespace]:
        """All that the cluster remembers: ``FIELDS`` of Ray's ``JobDetails``."""
        return [_details(job) for job in self._ask("GET", "/api/jobs/").json()]

    def get_job_info(self, submission: str) -> SimpleNamespace:
        """One of them, by its id."""
        return _details(self._ask("GET", _path(submission)).json())

    def get_job_logs(self, submission: str) -> str:
        """What its driver has printed so far."""
        return str(self._ask("GET", _path(submission, "/logs")).json()["logs"])

    def stop_job(self, submission: str) -> None:
        """Ask its driver to end."""
        self._ask("POST", _path(submission, "/stop"))

    def submit_job(
        self,
        entrypoint: str,
        submission_id: str,
        files: Mapping[str, bytes],
        env_vars: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> None:
        """Start ``entrypoint`` in a directory that holds ``files``, which travel with it."""
        package = _packed(files)
        name = f"_ray_pkg_{hashlib.sha256(package).hexdigest()[:32]}.zip"
        path = f"/api/packages/gcs/{name}"
        if self._ask("GET", path, missing=True) is None:
            self._ask("PUT", path, data=package)
        runtime_env = {"working_dir": f"gcs://{name}", "env_vars": dict(env_vars)}
        asked = {
            "entrypoint": entrypoint,
            "submission_id": submission_id,
            "runtime_env": runtime_env,
            "metadata": dict(metadata),
        }
        self._ask("POST", "/api/jobs/", json=asked)

    async def tail_job_logs(self, submission: str) -> AsyncIterator[str]:
        """The log from its beginning, in pieces as it grows, until the driver has ended."""
        import aiohttp

        url = f"{self._url}{_path(submission, '/logs/tail')}"
        async with (
            aiohttp.ClientSession(headers=self._headers, trust_env=True) as session,
            session.ws_connect(url) as socket,
        ):
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    yield message.data

    def _ask(self, method: str, path: str, missing: bool = False, **sent: Any) -> Any:
        """The answer; None for "not found" where that may be."""
        answer = requests.request(
            method, self._url + path, headers=self._headers, timeout=(CONNECT_S, READ_S), **sent
        )
        if answer.status_code == requests.codes.not_found and missing:
            return None
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            wanted = "required" if answer.status_code == requests.codes.unauthorized else "failed"
            raise RefusedError(f"Authentication {wanted}: {answer.text}")
        if not answer.ok:
            raise RuntimeError(f"Request failed with status code {answer.status_code}: {answer.text}.")
        return answer


def _path(submission: str, what: str = "") -> str:
    return f"/api/jobs/{quote(submission, safe='')}{what}"


def _details(job: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**{name: job.get(name) for name in FIELDS})


def _packed(files: Mapping[str, bytes]) -> bytes:
    """A zip that is a function of what it holds."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return packed.getvalue()
