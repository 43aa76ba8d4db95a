"""A Ray that does not start, or cannot be connected to: one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gandist.errors import RunError, UsageError
from gandist.runner.ray import auth
from gandist.runner.ray.processes import Started
from gandist.runner.ray.starting import refuse_settings, start_own, trouble

TOO_SLOW = Exception(  # Ray's words, and its class
    "The current node timed out during startup. This could happen because some of the raylet failed to "
    "startup or the GCS has become overloaded."
)
OTHER_VERSION = RuntimeError(
    "Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.10.4\n"
    "This process on node 10.0.0.1 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
)


def attempts(
    monkeypatch: pytest.MonkeyPatch, *errors: Exception | None
) -> tuple[list[str], Callable[[], None]]:
    """Starts of Ray that end so; what was told and done meanwhile, and starting."""
    told: list[str] = []
    results = iter(errors)

    def init(**_: object) -> None:
        if error := next(results):
            raise error

    monkeypatch.setattr("ray.init", init)
    return told, lambda: start_own(None, told.append, lambda: told.append("ended what was left"))


def test_a_ray_that_is_slow_is_started_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    told, start = attempts(monkeypatch, TOO_SLOW, None)
    start()
    assert told[0] == "ended what was left"
    assert told[1].startswith("Ray did not start (The current node timed out")
    assert told[1].endswith("; once more")


def test_then_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told, start = attempts(monkeypatch, TOO_SLOW, TOO_SLOW)
    with pytest.raises(RunError) as error:
        start()
    assert "\n" not in str(error.value)
    assert "The current node timed out during startup" in str(error.value)
    assert "--local" in str(error.value)
    assert told.count("ended what was left") == 2


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Timed out waiting for file /tmp/ray/gcs_server_port"),  # no more processes allowed
        ConnectionError("GCS"),
        AssertionError(),
        TimeoutError(),
    ],
)
def test_whatever_ray_raises_is_tried_once_more(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts(monkeypatch, error, None)[1]()
    with pytest.raises(RunError, match=f"Ray on this machine: did not start .{type(error).__name__}"):
        attempts(monkeypatch, error, error)[1]()


@pytest.mark.parametrize(
    "error",
    [PermissionError(13, "Permission denied", "/tmp/ray"), ValueError("invalid literal"), KeyError("x")],  # noqa: S108
)
def test_what_would_fail_again_is_not(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError):
        attempts(monkeypatch, error)[1]()


def test_another_version_is_named_with_ours() -> None:
    line = trouble(OTHER_VERSION, own=False)
    assert line.startswith(
        "runs Ray 2.9.0 with Python 3.10.4, and this is Ray 2.60.0 with Python 3.11.7; install"
    )
    assert "\n" not in line


@pytest.mark.parametrize("value", ["abc", "", "1 s"])
def test_a_setting_that_ray_would_crash_on_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_health_check_period_ms", value)
    with pytest.raises(UsageError, match=f"^RAY_health_check_period_ms={value}: not a number"):
        refuse_settings()
    monkeypatch.setenv("RAY_health_check_period_ms", "1000")
    refuse_settings()


def test_where_no_token_can_be_kept_the_run_has_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (auth.MODE, auth.TOKEN):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    auth.use_own_token()
    assert auth.TOKEN not in os.environ
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))  # root could make any other
    auth.use_own_token()
    assert (os.environ[auth.MODE], len(os.environ[auth.TOKEN])) == ("token", 64)


def gandist(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """``gandist run`` in an environment that Ray cannot start in."""
    (folder / "job.yaml").write_text(
        "{name: a, data: {name: digits}, model: {name: dcgan}, training: {steps: 1}}"
    )
    names = ("PATH", "HOME")
    return subprocess.run(
        [sys.executable, "-m", "gandist", "run", "job.yaml"],
        cwd=folder,
        env={name: os.environ[name] for name in names} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_a_long_temporary_directory(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    done = gandist(tmp_path, RAY_TMPDIR=str(long))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "too long for sockets" in line
    assert "set RAY_TMPDIR" in line
    assert str(long) in line
    assert done.stdout.splitlines()[-1] == "starting Ray on this machine"


def test_a_temporary_directory_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = gandist(tmp_path, RAY_TMPDIR=str(tmp_path / "file"))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"cannot write to {tmp_path}/file" in line
    assert "set RAY_TMPDIR to a directory that can be written" in line


def test_no_process_is_left_also_none_that_was_orphaned() -> None:
    import ray  # noqa: F401 - it brings psutil

    started = Started()
    orphan = "import subprocess, sys; print(subprocess.Popen(['sleep', '1000'], stdout=2).pid)"
    with subprocess.Popen([sys.executable, "-c", orphan], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.communicate()[0])
    os.kill(pid, 0)
    started.end(leave_s=0.0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
