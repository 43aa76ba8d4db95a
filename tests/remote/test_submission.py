"""Submitting, following and stopping, against a stand-in for the cluster."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gandist.errors import ClusterError, UsageError
from gandist.remote.jobs_api import Submission
from gandist.remote.submit import (
    GIVE_UP_S,
    STOP_WAIT_S,
    Follower,
    Request,
    check,
    submit,
    wait_until_stopped,
)
from gandist.runner.schedule import GRACE_S
from gandist.spec.loading import load_job
from gandist.spec.plugins import use
from tests.plugins import write_example
from tests.runner.conftest import make_job

from .fake_jobs import ADDRESS, JOB, FakeClient, api, details, refused

SECRETS = ("RAY_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    """In a directory that holds other things."""
    (tmp_path / "big.bin").write_bytes(b"0" * 1000)
    path = tmp_path / "job.yaml"
    path.write_text(JOB)
    return path


def send(client: FakeClient, job_file: Path, storage: str = "/shared/runs", **options: Any) -> Submission:
    return submit(api(client), job_file, make_job(), Request(storage, **options))


def test_nothing_but_the_job_file_is_sent(job_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, f"value-of-{name}")
    monkeypatch.setenv("GANDIST_USER", "alice")
    client = FakeClient()
    submission = send(client, job_file)
    assert client.sent["files"] == {"fake.yaml": JOB.encode()}
    assert client.sent["submission_id"] == submission.id
    assert client.sent["metadata"] == {
        "gandist": client.sent["metadata"]["gandist"],
        "job_name": "fake",
        "storage": "/shared/runs",
        "job_dir": "/shared/runs/fake",
        "submitted_by": "alice",
    }
    assert submission.id.startswith("fake-20")
    assert "value-of" not in str(client.sent)
    assert list(client.sent["env_vars"]) == ["RAY_JOB_STOP_WAIT_TIME_S"]


def test_plugins_travel_with_the_job_file(tmp_path: Path) -> None:
    job_file, file = write_example(tmp_path / "own")
    source = file.read_bytes()
    job = load_job(job_file, plugins=[file])
    use(())
    file.write_text("# what was checked is what is sent")
    client = FakeClient()
    submit(api(client), job_file, job, Request("/shared/runs"))
    assert client.sent["files"] == {"own.yaml": job_file.read_bytes(), "own_variants.py": source}
    words = shlex.split(client.sent["entrypoint"])
    assert words[words.index("--plugin") + 1] == "own_variants.py"


def test_ray_waits_until_trials_have_reached_a_checkpoint(job_file: Path) -> None:
    client = FakeClient()
    send(client, job_file)
    granted = int(client.sent["env_vars"]["RAY_JOB_STOP_WAIT_TIME_S"])
    assert GRACE_S < granted < STOP_WAIT_S


def test_the_command_arrives_as_it_was_given(job_file: Path, tmp_path: Path) -> None:
    client = FakeClient()
    odd = "sweep={optimizer.learning_rate: [1e-3, 2e-3]} $HOME `id` 'x' \"y\"; echo"
    send(client, job_file, data_dir="/data dir", retry_failed=True, fresh=True, overrides=["seeds=0..7", odd])
    stub = tmp_path / "gandist"
    stub.write_text(
        f"#!{sys.executable}\nimport json, os, sys\nprint(json.dumps([os.getpid(), sys.argv[1:]]))"
    )
    stub.chmod(0o755)
    with subprocess.Popen(  # noqa: S602  as Ray does
        client.sent["entrypoint"],
        shell=True,
        stdout=subprocess.PIPE,
        env=os.environ | {"PATH": str(tmp_path)},
    ) as shell:
        pid, arguments = json.loads(shell.communicate()[0])
    assert pid == shell.pid  # else Ray's SIGTERM and the exit code would be the shell's
    assert arguments == [
        *("run", "fake.yaml", "--storage", "/shared/runs", "--data-dir", "/data dir"),
        *("--retry-failed", "--fresh", "--set", "seeds=0..7", "--set", odd),
    ]


def test_another_python_may_be_named() -> None:
    words = shlex.split(Request("/runs", python="/opt/my venv/python").entrypoint("a.yaml"))
    assert words[:5] == ["exec", "/opt/my venv/python", "-m", "gandist", "run"]


@pytest.mark.parametrize("status", ["PENDING", "RUNNING"])
def test_a_job_that_runs_there_is_refused(job_file: Path, status: str) -> None:
    client = FakeClient(details("s-1", status, job="fake", job_dir="/shared/runs/fake"))
    with pytest.raises(ClusterError, match=f"{status.lower()} there already; `gandist logs s-1 --follow`"):
        send(client, job_file, storage="/shared/runs/")
    assert "submit" not in client.asked
    send(client, job_file, storage="/shared/other")


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_job_that_has_ended_may_be_submitted_again(job_file: Path, status: str) -> None:
    client = FakeClient(details("s-1", status, job="fake", job_dir="/shared/runs/fake"))
    assert send(client, job_file).id != "s-1"


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (Request("runs"), "--storage runs: relative to what"),
        (Request("~/runs"), "--storage ~/runs: relative"),
        (Request("/runs", overrides=["description=as https://there/notify"]), None),
        (Request("/runs", overrides=["schedule.notify=env:HOOK"]), None),
        (
            Request("/runs", overrides=["schedule.notify=https://there/secret"]),
            "--set schedule.notify: would be readable",
        ),
        (
            Request("/runs", overrides=["schedule={notify: ['http://there/secret']}"]),
            "--set schedule: would be",
        ),
        (Request("s3://"), "--storage s3://: names no bucket"),
        (Request("s3:///x/../.."), "--storage s3:///x/../..: names no bucket"),
        (Request("s3://AKIA:topsecret@bucket/x"), "--storage s3://...: holds credentials"),
        (Request("s3://bucket/x?region=eu"), "--storage s3://bucket/x: holds settings behind its path"),
        (Request("s3://bucket", data_dir="data"), "--data-dir data: give a directory of the cluster's nodes"),
        (Request("s3://bucket/a@b", data_dir="/data"), None),
    ],
)
def test_what_would_mean_something_else_there_is_refused(request_: Request, line: str | None) -> None:
    if line is None:
        check(request_)
        return
    with pytest.raises(UsageError) as error:
        check(request_)
    assert str(error.value).startswith(line)
    assert "topsecret" not in str(error.value)


class Waits:
    """A clock that only sleeping moves; ``after`` is what happens then."""

    def __init__(self, after: Callable[[], None] = lambda: None) -> None:
        self.now = 0.0
        self.after = after

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.after()


def follow(client: FakeClient, waits: Waits) -> tuple[Submission, str, list[str]]:
    text: list[str] = []
    told: list[str] = []
    follower = Follower(api(client), "a", text.append, told.append, waits.sleep, lambda: waits.now)
    return follower.follow(), "".join(text), told


def test_a_log_is_shown_once_however_often_the_connection_breaks() -> None:
    client = FakeClient(details("a"))
    chatter = "2026-01-01 10:00:00,123\tINFO job_manager.py:581 -- Runtime env is setting up.\n"
    client.logs = [
        [chatter + "one\n", "two\n", OSError("connection closed unexpectedly")],
        [chatter + "one\ntwo\nthr"],
        [chatter, "one\ntwo\nthree\n", OSError("reset")],
    ]
    client.log = chatter + "one\ntwo\nthree\nfour\n"

    def end() -> None:
        if not client.logs:
            client.jobs["a"]["status"] = "SUCCEEDED"

    ended, text, told = follow(client, Waits(end))
    assert (ended.status, text, told) == ("SUCCEEDED", "one\ntwo\nthree\nfour\n", [])


def test_a_log_that_cannot_be_streamed_is_asked_for() -> None:
    client = FakeClient(details("a"))
    client.logs = [[OSError("a proxy that knows no WebSocket")]] * 3
    client.log = "one\n"
    shown: list[str] = []

    def grow() -> None:
        client.log += "two\n"
        if not client.logs:
            client.jobs["a"]["status"] = "SUCCEEDED"

    waits = Waits(grow)
    follower = Follower(api(client), "a", shown.append, shown.append, waits.sleep, lambda: waits.now)
    assert follower.follow().exit_code == 0
    assert shown == ["one\n", "two\n", "two\n", "two\n"]


def test_a_cluster_that_comes_back_is_followed_on() -> None:
    client = FakeClient(details("a"))
    waits = Waits()

    def cut(question: str) -> None:
        away = waits.now < 2 or GIVE_UP_S - 5 < waits.now < GIVE_UP_S + 5
        if question == "info" and away:
            raise refused()

    def end() -> None:
        if waits.now > GIVE_UP_S + 20:
            client.jobs["a"].update(status="FAILED", driver_exit_code=1)

    client.before, waits.after = cut, end
    ended, _, told = follow(client, waits)
    assert ended.exit_code == 1
    line = f"{ADDRESS}: no Ray dashboard answers there (Connection refused); trying again for 10 min"
    assert told == [line] * 2


def test_a_cluster_that_stays_away_is_given_up() -> None:
    client = FakeClient(details("a"))

    def cut(_: str) -> None:
        raise refused()

    client.before = cut
    waits = Waits()
    with pytest.raises(ClusterError, match="look again with: gandist logs a --follow"):
        follow(client, waits)
    assert GIVE_UP_S < waits.now < GIVE_UP_S + 5


def test_a_submission_that_is_forgotten_is_not_waited_for() -> None:
    with pytest.raises(ClusterError, match="Job a does not exist"):
        follow(FakeClient(), Waits())


def test_stop_waits_for_the_driver() -> None:
    client = FakeClient(details("a"))
    answers = iter(["RUNNING", "RUNNING", "STOPPED"])

    def advance(question: str) -> None:
        if question == "info":
            client.jobs["a"]["status"] = next(answers)

    client.before = advance
    waits = Waits()
    assert wait_until_stopped(api(client), "a", waits.sleep, lambda: waits.now).status == "STOPPED"
    assert client.asked == ["info", "info", "info"]


def test_a_driver_that_does_not_stop_is_not_waited_for_for_ever() -> None:
    waits = Waits()
    with pytest.raises(ClusterError, match="a: asked to stop, and still running"):
        wait_until_stopped(api(FakeClient(details("a"))), "a", waits.sleep, lambda: waits.now)
    assert waits.now > STOP_WAIT_S
