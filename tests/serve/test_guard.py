"""Who may read, and what a browser may do with it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from gandist.errors import UsageError
from gandist.serve.server import check_token
from tests.conftest import CommandLine
from tests.serve.conftest import Serve
from tests.serve.jobs import make

TOKEN = "0123456789abcdef"  # noqa: S105
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
PATHS = (
    "/",
    "/rows",
    "/jobs/demo",
    "/jobs/demo/live",
    "/jobs/demo/report",
    "/compare?jobs=demo",
    "/static/live.js",
)


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/jobs/nothing"])
def test_every_answer_keeps_the_browser_from_anything_else(runs: Path, serve: Serve, path: str) -> None:
    make(runs).storage.write("report.html", b"")
    headers = serve(runs)(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy or "script-src" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "[::1].evil", ""]
)
def test_a_name_that_is_not_this_machines_is_refused(runs: Path, serve: Serve, host: str) -> None:
    make(runs)
    assert serve(runs)("/jobs/demo/live", Host=host).status == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9000", "[::1]:8321", "[::1]"])
def test_this_machines_names_are_answered_to(runs: Path, serve: Serve, host: str) -> None:
    assert serve(runs)("/", Host=host).status == 200


class TestToken:
    @pytest.mark.parametrize("path", [*PATHS, "/nothing"])
    def test_without_it_nothing_is_told(self, runs: Path, serve: Serve, path: str) -> None:
        make(runs)
        for given in ({}, {"Authorization": "Bearer " + TOKEN[:-1]}, {"Cookie": f"gandist_serve={TOKEN}"}):
            answer = serve(runs, token=TOKEN)(path, **given)
            assert answer.status == 401
            assert b"demo" not in answer.body

    @pytest.mark.parametrize("path", ["/", "/rows", "/jobs/demo/live"])
    def test_a_header_has_it(self, runs: Path, serve: Serve, path: str) -> None:
        make(runs)
        assert (
            serve(runs, token=TOKEN)(path, Authorization=f"Bearer {TOKEN}", Host="gans.example").status == 200
        )

    def test_a_browser_gets_a_cookie_for_it(self, runs: Path, serve: Serve) -> None:
        served = serve(runs, token=TOKEN)
        wrong = served("/login", "POST", urlencode({"token": "guess"}), **FORM)
        assert (wrong.status, wrong.headers["Set-Cookie"]) == (401, None)
        right = served("/login", "POST", urlencode({"token": TOKEN}), **FORM)
        assert (right.status, right.headers["Location"]) == (303, "/")
        cookie = right.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert served("/", Cookie=cookie.partition(";")[0]).status == 200
        assert serve(runs, token=TOKEN)("/", Cookie=cookie.partition(";")[0]).status == 401  # another process

    def test_a_large_form_is_refused(self, runs: Path, serve: Serve) -> None:
        body = urlencode({"token": "x" * 2**16})
        assert serve(runs, token=TOKEN)("/login", "POST", body, **FORM).status == 413


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_only_reads(runs: Path, serve: Serve, method: str) -> None:
    make(runs)
    before = sorted(runs.rglob("*"))
    assert serve(runs)("/jobs/demo", method).status == 405
    assert sorted(runs.rglob("*")) == before


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_others_need_a_token(host: str) -> None:
    with pytest.raises(UsageError, match="others could read all jobs; give a token"):
        check_token(host, None)
    check_token(host, TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_none(host: str) -> None:
    check_token(host, None)


@pytest.mark.parametrize("token", ["", TOKEN[:-1], "0123456789 abcdef", "0123456789abcde\n"])
def test_a_token_that_can_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="at least 16 printable characters"):
        check_token("127.0.0.1", token)


class TestCommand:
    def test_an_address_that_is_in_use_is_one_line(
        self, runs: Path, serve: Serve, command_line: CommandLine
    ) -> None:
        port = serve(runs).port
        code, out, errors = command_line("serve", str(runs), "--port", str(port))
        assert (code, out) == (2, [])
        assert errors == [
            f"--host 127.0.0.1 --port {port}: Address already in use; give another, or --port 0 for any"
        ]

    def test_so_is_a_storage_that_is_not_there(self, runs: Path, command_line: CommandLine) -> None:
        code, out, errors = command_line("serve", f"{runs}/nothing")
        assert (code, out, errors) == (2, [], [f"{runs}/nothing: no such directory"])

    def test_so_is_a_host_of_others(self, runs: Path, command_line: CommandLine) -> None:
        code, _, errors = command_line("serve", str(runs), "--host", "0.0.0.0")  # noqa: S104
        assert (code, len(errors)) == (2, 1)

    def test_a_signal_ends_it_in_one_line(self, runs: Path) -> None:
        command = [sys.executable, "-m", "gandist", "serve", str(runs), "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/  \(Ctrl-C ends it\)\n", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert (process.communicate(timeout=60)[0], process.returncode) == ("stopped\n", 0)
