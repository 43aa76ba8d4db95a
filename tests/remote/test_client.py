"""The client of Ray's Jobs API, against a server of its paths. That Ray has them, ``test_submit`` tells."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import pytest

from gandist.errors import UsageError
from gandist.remote.client import Client, RefusedError
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
    assert [job.submission_id for job in client.list_jobs()] == ["a"]
    assert client.get_job_info("a").status == "RUNNING"
    assert client.get_job_logs("a") == "line\n"
    client.stop_job("a")
    assert dashboard.asked[-1][:2] == ("POST", "/api/jobs/a/stop")


def test_a_name_is_no_path(dashboard: Dashboard) -> None:
    with pytest.raises(RuntimeError, match="404"):
        Client(dashboard.url).get_job_info("../version?x")
    assert dashboard.asked[-1][1] == "/api/jobs/..%2Fversion%3Fx"


def test_the_token_of_the_environment_is_sent(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    Client(dashboard.url)
    monkeypatch.setenv(auth.TOKEN, "secret")
    Client(dashboard.url)
    assert dashboard.tokens == [None, "Bearer secret"]
    monkeypatch.setenv(auth.TOKEN, "two words")
    with pytest.raises(UsageError, match="one word of ASCII"):
        Client(dashboard.url)


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (401, RefusedError, "Authentication required: of Ray"),
        (403, RefusedError, "Authentication failed: of Ray"),
        (404, RuntimeError, "Version check returned 404"),
        (500, RuntimeError, "status code 500: of Ray"),
        (200, ValueError, "Expecting value"),  # no JSON
    ],
)
def test_other_answers(dashboard: Dashboard, status: int, error: type[Exception], text: str) -> None:
    dashboard.answers["GET", "/api/version"] = (status, "of Ray")
    with pytest.raises(error, match=text):
        Client(dashboard.url)


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
