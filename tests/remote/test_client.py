"""The client of Ray's Jobs API, against a server of its paths. That Ray has them, ``test_submit`` tells."""

from __future__ import annotations

import asyncio
import datetime
import io
import json
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gandist.errors import ClusterError, UsageError
from gandist.remote.client import AnswerError, Client
from gandist.remote.jobs_api import connect
from gandist.runner.ray import auth

JOB = {"submission_id": "a", "status": "RUNNING", "metadata": {}, "start_time": 1, "end_time": None}


class Dashboard(ThreadingHTTPServer):
    """Answers by ``answers``: (method, path) to (status, body); remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {
            ("GET", "/api/version"): (200, {"ray_version": "2.60.0"})
        }
        self.asked: list[tuple[str, str, bytes]] = []
        self.tokens: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Dashboard

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, body))
        self.server.tokens.append(self.headers.get("Authorization"))
        other = (200, "") if self.command == "PUT" else (404, "not found")
        status, answer = self.server.answers.get((self.command, self.path), other)
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    for name in (auth.TOKEN, auth.TOKEN_PATH, auth.MODE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Dashboard() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_submission_sends_its_files_once_and_by_their_content(dashboard: Dashboard) -> None:
    dashboard.answers["POST", "/api/jobs/"] = (200, {"submission_id": "a"})
    client, files = Client(dashboard.url), {"b.py": b"x", "a.yaml": b"name: a"}
    package = "/api/packages/gcs/_ray_pkg_"

    def submit() -> list[tuple[str, str, bytes]]:
        dashboard.asked.clear()
        client.submit_job("exec gandist run a.yaml", "a", files, {"WAIT": "60"}, {"gandist": "1"})
        return list(dashboard.asked)

    (_, path, _), (method, put, content), (_, _, asked) = submit()
    assert method == "PUT"
    assert path == put
    assert path.startswith(package)
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert {name: archive.read(name) for name in archive.namelist()} == files
    assert json.loads(asked) == {
        "entrypoint": "exec gandist run a.yaml",
        "submission_id": "a",
        "runtime_env": {
            "working_dir": f"gcs://{path.rpartition('/')[2]}",
            "env_vars": {"WAIT": "60"},
        },
        "metadata": {"gandist": "1"},
    }
    dashboard.answers["GET", path] = (200, "")
    assert [method for method, _, _ in submit()] == ["GET", "POST"]


def test_what_it_reads(dashboard: Dashboard) -> None:
    dashboard.answers |= {
        ("GET", "/api/jobs/"): (200, [JOB]),
        ("GET", "/api/jobs/a"): (200, JOB),
        ("GET", "/api/jobs/a/logs"): (200, {"logs": "line\n"}),
        ("POST", "/api/jobs/a/stop"): (200, {"stopped": True}),
    }
    client = Client(dashboard.url)
    assert client.list_jobs() == [JOB]
    assert client.get_job_info("a") == JOB
    assert client.get_job_logs("a") == "line\n"
    client.stop_job("a")
    assert dashboard.asked[-1][:2] == ("POST", "/api/jobs/a/stop")


def test_a_name_is_no_path(dashboard: Dashboard) -> None:
    with pytest.raises(AnswerError) as error:
        Client(dashboard.url).get_job_info("../version?x")
    assert (error.value.status, error.value.path) == (404, "/api/jobs/..%2Fversion%3Fx")
    assert dashboard.asked[-1][1] == "/api/jobs/..%2Fversion%3Fx"


def test_the_token_of_the_environment_is_sent(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    Client(dashboard.url)
    monkeypatch.setenv(auth.TOKEN, "secret")
    Client(dashboard.url)
    assert dashboard.tokens == [None, "Bearer secret"]
    monkeypatch.setenv(auth.TOKEN, "two words")
    with pytest.raises(UsageError, match="one word of ASCII"):
        Client(dashboard.url)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_another_answer_than_the_one_wanted(dashboard: Dashboard, status: int) -> None:
    dashboard.answers["GET", Client.VERSION] = (status, "of Ray")
    with pytest.raises(AnswerError, match="of Ray") as error:
        Client(dashboard.url)
    assert (error.value.status, error.value.path) == (status, Client.VERSION)


@pytest.mark.parametrize("answer", ["<html>", "3", "[]", "{}", '{"ray_version": 2}'])
def test_what_is_no_ray_says_so_in_one_line(dashboard: Dashboard, answer: str) -> None:
    dashboard.answers["GET", Client.VERSION] = (200, answer)
    with pytest.raises(
        ClusterError, match=r"^http://\S+: answers unlike a Ray dashboard of this version \([^\n]+\)$"
    ):
        connect(dashboard.url)


@pytest.mark.parametrize(
    "jobs", [3, [3], {"a": 3}, [["a"]], [{"status": "RUNNING"}], [JOB | {"start_time": "x"}]]
)
def test_jobs_that_are_unlike_rays_are_told_in_one_line(dashboard: Dashboard, jobs: Any) -> None:
    dashboard.answers["GET", "/api/jobs/"] = (200, jobs)
    with pytest.raises(ClusterError, match=r"^http://\S+: answers unlike a Ray dashboard"):
        connect(dashboard.url).submissions()


def test_a_log_that_cannot_be_followed_says_so(dashboard: Dashboard) -> None:
    async def first() -> str:
        return await anext(Client(dashboard.url).tail_job_logs("a"))

    with pytest.raises(aiohttp.ClientError, match="404"):
        asyncio.run(first())


def test_a_command_asks_without_loading_ray(dashboard: Dashboard) -> None:
    dashboard.answers["GET", "/api/jobs/"] = (200, [JOB])
    script = (
        "import sys, atexit; from gandist.cli import main\n"
        "atexit.register(lambda: print(*{'ray', 'tensorflow'} & sys.modules.keys()))\n"
        f"sys.argv = ['gandist', 'status', 'a', '--address', {dashboard.url!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("a: running, submitted 1970-01-01")
    assert done.stdout.splitlines()[1:] == [""]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One of localhost, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path / "localhost.pem"
    path.write_bytes(
        made.public_bytes(encoding) + key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    )
    return path


def test_an_authority_of_ones_own_is_trusted_for_questions_and_logs(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def version(_: web.Request) -> web.Response:
        return web.json_response({"ray_version": "2.60.0"})

    async def tail(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("one\n")
        return socket

    async def ask() -> list[str]:
        app = web.Application()
        app.add_routes([web.get(Client.VERSION, version), web.get("/api/jobs/a/logs/tail", tail)])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = TestServer(app, host="localhost", scheme="https")
        await server.start_server(ssl=context)
        try:
            url = f"https://localhost:{server.port}"
            with pytest.raises(ClusterError, match=r"is not trusted \(self-signed certificate\); REQUESTS"):
                await asyncio.to_thread(connect, url)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
            client = await asyncio.to_thread(Client, url)
            return [piece async for piece in client.tail_job_logs("a")]
        finally:
            await server.close()

    for name in (auth.TOKEN, auth.TOKEN_PATH, auth.MODE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "localhost")
    assert asyncio.run(ask()) == ["one\n"]
