"""``schedule.notify``: told once, whatever ends a run, and never in its way."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gandist import api
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.errors import RunError, SpecError, UsageError
from gandist.runner import run as running
from gandist.runner import webhook
from gandist.runner.events import Notice, Outcome, RunEvent
from gandist.runner.interrupts import Stopped
from gandist.spec import loading
from tests.strangers import write_documents

SECRET = "T012-very-secret"  # noqa: S105 - opens nothing


class Hook(ThreadingHTTPServer):
    """Keeps what is posted to it, and answers with the next of ``answers``, 200 when there is none."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posted: list[Any] = []
        self.paths: list[str] = []
        self.answers: list[tuple[int, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{SECRET}"


class Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/json"
        self.server.paths.append(self.path)
        self.server.posted.append(json.loads(body))
        status, location = self.server.answers.pop(0) if self.server.answers else (200, "")
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.end_headers()

    def do_GET(self) -> None:
        self.server.paths.append(f"GET {self.path}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webhook, "WAIT_S", 0.0)
    with serving() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Hook]:
    with serving() as server:
        yield server


class Runs:
    """Runs jobs that end as a test says."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.storage = tmp_path / "runs"
        self.events: list[RunEvent] = []
        self._patch = monkeypatch

    def run(self, *notify: str, end: Outcome | BaseException | None = None) -> None:
        job = {"name": "j", "data": {"name": "digits"}, "model": {"name": "mlp"}, "training": {"steps": 1}}
        root = f"{self.storage}/j"
        write_documents(JobDir(root), job, {"job": "j"})

        def ends(*_: Any, **__: Any) -> Outcome:
            if isinstance(end, BaseException):
                raise end
            return end or Outcome({"base-seed0": TrialState(status="completed")}, root)

        self._patch.setattr(running, "run", ends)
        self.events.clear()
        api.run({**job, "schedule": {"notify": list(notify)}}, self.storage, on_event=self.events.append)

    @property
    def warnings(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice) and event.warning]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(tmp_path, monkeypatch)


def test_a_job_that_ends_is_told_once_with_its_report(hook: Hook, runs: Runs) -> None:
    runs.run(hook.url, hook.url + "-2")
    assert hook.paths == [f"/{SECRET}", f"/{SECRET}-2"]
    told, also = hook.posted
    assert told == also
    assert told.pop("ended_at").endswith("Z")
    assert told.pop("gandist")
    assert told == {
        "text": "j: finished; 1 completed",
        "job": "j",
        "directory": f"{runs.storage}/j",
        "outcome": "finished",
        "exit_code": 0,
        "counts": {"completed": 1},
        "reason": "",
        "verdict": "",
        "report": f"{runs.storage}/j/report.html",
    }
    assert runs.warnings == []


@pytest.mark.parametrize(
    ("end", "outcome", "code"),
    [
        (Outcome({"a": TrialState(status="failed")}, "."), "failed", 1),
        (Outcome({"a": TrialState(status="stopped")}, ".", signal=15), "stopped", 143),
        (RunError("no trial has had a place"), "error", 1),
        (ZeroDivisionError("a mistake of gandist's"), "error", 1),
    ],
)
def test_however_it_ends(
    hook: Hook, runs: Runs, end: Outcome | BaseException, outcome: str, code: int
) -> None:
    if isinstance(end, Outcome):
        end = Outcome(end.states, f"{runs.storage}/j", end.signal)
    with contextlib.suppress(RunError, ZeroDivisionError, Stopped):
        runs.run(hook.url, end=end)
    (told,) = hook.posted
    assert (told["outcome"], told["exit_code"]) == (outcome, code)
    assert told["reason"] == (str(end) if isinstance(end, Exception) else "")
    assert told["counts"] == (end.counts if isinstance(end, Outcome) else {})


def test_wrong_input_is_told_to_nobody(hook: Hook, runs: Runs) -> None:
    with pytest.raises(UsageError):
        runs.run(hook.url, end=UsageError("trained with other settings"))
    assert hook.posted == []


@pytest.mark.parametrize(
    ("answers", "posts", "trouble"),
    [
        ([503], 2, None),
        ([429, 500], 3, None),
        ([500] * 9, 3, "it answers 500"),
        ([404], 1, "it answers 404"),
    ],
)
def test_what_may_pass_is_tried_again_a_few_times(
    hook: Hook, runs: Runs, answers: list[int], posts: int, trouble: str | None
) -> None:
    hook.answers = [(status, "") for status in answers]
    runs.run(hook.url)
    assert len(hook.posted) == posts
    where = f"schedule.notify: http://127.0.0.1:{hook.server_port}/..."
    assert runs.warnings == ([f"{where} was not told how the job has ended: {trouble}"] if trouble else [])


def test_a_driver_that_was_told_to_go_tries_once(hook: Hook, runs: Runs) -> None:
    hook.answers = [(500, "")] * 9
    with pytest.raises(Stopped):
        runs.run(hook.url, end=Outcome({}, "", signal=15))
    assert len(hook.posted) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(hook: Hook, elsewhere: Hook, runs: Runs, status: int) -> None:
    hook.answers = [(status, elsewhere.url)]
    runs.run(hook.url)
    assert elsewhere.paths == []
    assert runs.warnings[0].endswith(f"it answers {status}")


def test_an_address_that_nobody_listens_at_fails_nothing_and_stays_secret(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "WAIT_S", 0.0)
    with serving() as gone:
        url = gone.url
    runs.run(url)
    (warning,) = runs.warnings
    assert warning.endswith("was not told how the job has ended: Connection refused")
    assert SECRET not in warning


def test_an_address_may_come_from_the_environment(
    hook: Hook, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_HOOK", hook.url)
    runs.run("env:TEST_HOOK", "env:TEST_NOT_SET")
    assert len(hook.posted) == 1
    (warning,) = runs.warnings
    assert warning.startswith("schedule.notify: env:TEST_NOT_SET is not set where the driver runs")
    monkeypatch.setenv("TEST_HOOK", f"ftp://127.0.0.1/{SECRET}")
    runs.run("env:TEST_HOOK")
    assert "env:TEST_HOOK is none of" in runs.warnings[0]
    assert SECRET not in runs.warnings[0]


@pytest.mark.parametrize(
    "address",
    [
        f"ftp://host/{SECRET}",
        f"file:///{SECRET}",
        f"http:///{SECRET}",
        f"https://user:{SECRET}@host/",
        f"https://host/{SECRET} x",
        f"https://host/{SECRET}\n",
        f"http://[::1/{SECRET}",
        f"http://host:port/{SECRET}",
        f"env:{SECRET}",
        "",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address: str) -> None:
    job = {"name": "j", "data": {"name": "digits"}, "model": {"name": "mlp"}, "training": {"steps": 1}}
    with pytest.raises(SpecError, match=r"schedule\.notify\.0: an address ") as refused:
        loading.load_job({**job, "schedule": {"notify": address}})
    assert SECRET not in str(refused.value)


def test_in_job_yaml_stands_only_the_host() -> None:
    job = {"name": "j", "data": {"name": "digits"}, "model": {"name": "mlp"}, "training": {"steps": 1}}
    several = [f"https://host:8443/{SECRET}?k={SECRET}", "env:HOOK"]
    spec = loading.load_job({**job, "schedule": {"notify": several}}).spec
    assert spec.schedule.notify == tuple(several)
    assert spec.model_dump(mode="json")["schedule"]["notify"] == ["https://host:8443/...", "env:HOOK"]
    assert SECRET not in spec.model_dump_json()
