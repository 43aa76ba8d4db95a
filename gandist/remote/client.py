"""Ray's Jobs API over plain HTTP: importing Ray takes seconds, and commands ask nothing else of it.

The paths and fields are those of Ray 2.60's dashboard.
"""

from __future__ import annotations

import hashlib
import io
import json
import ssl
import zipfile
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from gandist.runner.ray import auth
from gandist.runner.ray.connection import CONNECT_S

READ_S = 60.0


class AnswerError(Exception):
    """Another answer than the one wanted.

    Attributes:
        status: of HTTP; not one of success.
        text: what came with it.
        path: what was asked for.
    """

    def __init__(self, status: int, text: str, path: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.path = path


class Client:
    """The Jobs API behind one address.

    Every method raises ``OSError`` where there is no answer, ``AnswerError`` for another than the one wanted,
    and ``ValueError``, ``KeyError`` or ``TypeError`` for one that is unlike a Ray dashboard's.

    Args:
        url: of the dashboard, without a slash at its end.

    Raises:
        UsageError: what the environment gives as a token can be none.
    """

    VERSION = "/api/version"

    def __init__(self, url: str) -> None:
        self._url = url
        token = auth.token()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if not isinstance(self._json("GET", self.VERSION)["ray_version"], str):
            raise TypeError("its version is no text")

    def list_jobs(self) -> list[dict[str, Any]]:
        """All that the cluster remembers: Ray's ``JobDetails``."""
        return list(self._json("GET", "/api/jobs/"))

    def get_job_info(self, submission: str) -> dict[str, Any]:
        """One of them, by its id."""
        return dict(self._json("GET", _path(submission)))

    def get_job_logs(self, submission: str) -> str:
        """What its driver has printed so far."""
        return str(self._json("GET", _path(submission, "/logs"))["logs"])

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
        working_dir = self._sent(_packed(files))
        runtime_env = {"working_dir": working_dir, "env_vars": dict(env_vars)}
        asked = {
            "entrypoint": entrypoint,
            "submission_id": submission_id,
            "runtime_env": runtime_env,
            "metadata": dict(metadata),
        }
        self._ask("POST", "/api/jobs/", json=asked)

    async def tail_job_logs(self, submission: str) -> AsyncGenerator[str, None]:
        """The log from its beginning, in pieces as it grows, until the driver has ended."""
        import aiohttp

        url = f"{self._url}{_path(submission, '/logs/tail')}"
        async with (
            aiohttp.ClientSession(headers=self._headers, trust_env=True) as session,
            session.ws_connect(url, ssl=_trusted(url)) as socket,
        ):
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    yield message.data

    def _sent(self, package: bytes) -> str:
        """Where a zip lies in the cluster; it is sent unless the cluster has it, as Ray finds by its name."""
        name = f"_ray_pkg_{hashlib.sha256(package).hexdigest()[:32]}.zip"
        path = f"/api/packages/gcs/{name}"
        try:
            self._ask("GET", path)
        except AnswerError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self._ask("PUT", path, data=package)
        return f"gcs://{name}"

    def _json(self, method: str, path: str) -> Any:
        return json.loads(self._ask(method, path))

    def _ask(self, method: str, path: str, **sent: Any) -> bytes:
        answer = requests.request(
            method, self._url + path, headers=self._headers, timeout=(CONNECT_S, READ_S), **sent
        )
        if not answer.ok:
            raise AnswerError(answer.status_code, answer.text, path)
        return bytes(answer.content)


def _path(submission: str, what: str = "") -> str:
    return f"/api/jobs/{quote(submission, safe='')}{what}"


def _packed(files: Mapping[str, bytes]) -> bytes:
    """A zip that is a function of what it holds."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return packed.getvalue()


def _trusted(url: str) -> ssl.SSLContext | bool:
    """The authorities that requests goes by: those of REQUESTS_CA_BUNDLE, or the common ones."""
    if not url.startswith("https"):
        return True
    named = requests.Session().merge_environment_settings(url, {}, None, None, None)["verify"]
    path = requests.utils.DEFAULT_CA_BUNDLE_PATH if named is True else str(named)
    if Path(path).is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)
