"""The preStop hook, with processes that look like Ray's.

It sees the processes of a folder that stands for /proc, so it cannot reach others of this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gandist.runner.ray.actor import TrialActor

from .manifests import K8S

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")

SCRIPT = K8S / "base" / "prestop.sh"
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
ACTOR = "ray::TrialActor.run"
PATIENCE_S = 20.0

BEHAVIOUR = """
import pathlib, signal, sys, time
folder, pause = pathlib.Path(sys.argv[-2]), float(sys.argv[-1])
def asked(*_):
    (folder / "asked").touch()
    if pause < 0:
        return
    time.sleep(pause)
    (folder / "saved").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, asked)
(folder / "ready").touch()
while True:
    time.sleep(0.05)
"""


class Process:
    """One that notes SIGTERM, and ends ``pause`` seconds after; never where that is negative."""

    def __init__(
        self, folder: Path, arguments: list[str | Path], pause: float, executable: str | None
    ) -> None:
        self.folder = folder
        self.popen = subprocess.Popen([*arguments, folder, str(pause)], executable=executable)
        wait_for(folder / "ready")

    @property
    def asked(self) -> bool:
        """Whether it got SIGTERM."""
        return (self.folder / "asked").exists()

    @property
    def saved(self) -> bool:
        """Whether it ended in its own time."""
        return (self.folder / "saved").exists()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


class Container:
    """The processes of a pod."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.proc = folder / "proc"
        self.proc.mkdir()
        (self.proc / "self").mkdir()  # what else is in /proc
        self.tools = folder / "tools"
        self.tools.mkdir()
        for tool in ("tr", "sleep"):
            (self.tools / tool).symlink_to(str(shutil.which(tool)))

    def titled(self, title: str, pause: float = 0.0) -> Process:
        """A process with a title, as Ray gives them to its workers."""
        return self._start([title, "-c", BEHAVIOUR], pause, sys.executable)

    def command(self, name: str, *arguments: str, pause: float = 0.0) -> Process:
        """An installed Python command."""
        program = self.folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(BEHAVIOUR)
        return self._start([sys.executable, program, *arguments], pause)

    def _start(self, arguments: list[str | Path], pause: float, executable: str | None = None) -> Process:
        folder = self.folder / f"process-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        process = Process(folder, arguments, pause, executable)
        self.stack.callback(process.popen.wait)
        self.stack.callback(process.popen.kill)
        (self.proc / str(process.popen.pid)).symlink_to(f"/proc/{process.popen.pid}")
        return process

    def stop(self, shell: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the hook to its end, with no more tools than it may count on."""
        shell_path = str(shutil.which(shell))
        words = [shell_path, "sh"] if shell == "busybox" else [shell_path]
        return subprocess.run(
            [*words, SCRIPT, *arguments],
            env={"PATH": str(self.tools), "PROC": str(self.proc)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    with ExitStack() as stack:
        yield Container(tmp_path, stack)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_knows_the_title_of_a_trial() -> None:
    assert f"pattern='ray::{TrialActor.__name__}*'" in SCRIPT.read_text()


def test_a_worker_waits_for_its_trials_to_save(container: Container, shell: str) -> None:
    trials = [container.titled(ACTOR, pause=1.5), container.titled("ray::TrialActor", pause=0.1)]
    done = container.stop(shell, "worker", "10")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(trial.saved for trial in trials)


def test_a_worker_drains_its_node(container: Container, shell: str) -> None:
    """Ray's own process gets the signal, too; it may stay for as long as its node has work."""
    node = container.command("ray", "start", "--block", "--address=head:6379", pause=-1)
    trial = container.titled(ACTOR)
    assert container.stop(shell, "worker", "10").returncode == 0
    assert trial.saved
    assert node.asked


def test_a_worker_leaves_other_processes_alone(container: Container, shell: str) -> None:
    others = [
        container.titled("ray::IDLE"),
        container.titled("ray::OtherActor.run"),
        container.titled("/opt/raylet/raylet"),
        container.titled(f"editor {ACTOR}"),
        container.command("ray", "status"),
        container.command("gandist", "run", "job.yaml"),
    ]
    assert container.stop(shell, "worker", "10").returncode == 0
    assert [process.popen.args for process in others if process.asked] == []


def test_a_head_waits_for_its_drivers(container: Container, shell: str) -> None:
    drivers = [
        container.command("gandist", "run", "job.yaml", pause=0.5),
        container.titled("/venv/bin/python -m gandist run job.yaml", pause=0.5),
    ]
    assert container.stop(shell, "head", "10").returncode == 0
    assert all(driver.saved for driver in drivers)


def test_a_head_leaves_other_processes_alone(container: Container, shell: str) -> None:
    others = [
        container.command("gandist", "report", "runs/digits"),
        container.command("ray", "start", "--head"),
        container.titled("sh -c gandist run job.yaml"),  # the shell that Ray runs the driver in
        container.titled(ACTOR),  # the driver's to stop
    ]
    assert container.stop(shell, "head", "10").returncode == 0
    assert [process.popen.args for process in others if process.asked] == []


def test_there_may_be_nothing_to_wait_for(container: Container, shell: str) -> None:
    began = time.monotonic()
    for role in ("worker", "head"):
        done = container.stop(shell, role, "10")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began < 9  # it would have waited 20 s


def test_it_does_not_wait_for_ever(container: Container, shell: str) -> None:
    """What is left is Kubernetes' to kill."""
    deaf, quick = container.titled(ACTOR, pause=-1), container.titled(ACTOR)
    began = time.monotonic()
    done = container.stop(shell, "worker", "2")
    assert 2 <= time.monotonic() - began < 15
    assert done.returncode == 1
    assert "not ended after 2 s" in done.stderr
    assert str(deaf.popen.pid) in done.stderr
    assert quick.saved
    assert deaf.popen.poll() is None


def test_a_process_that_got_the_id_of_a_trial_is_not_waited_for(container: Container, shell: str) -> None:
    trial = container.titled(ACTOR, pause=-1)
    entry = container.proc / str(trial.popen.pid)
    entry.unlink()
    entry.mkdir()
    (entry / "cmdline").write_bytes(f"{ACTOR}\0".encode())
    hook = subprocess.Popen(
        [str(shutil.which("sh")), SCRIPT, "worker", "15"], env={**os.environ, "PROC": str(container.proc)}
    )
    container.stack.callback(hook.wait)
    container.stack.callback(hook.kill)
    wait_for(trial.folder / "asked")
    assert hook.poll() is None
    (entry / "cmdline").write_bytes(b"something else\0")
    assert hook.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("arguments", [["workers", "10"], ["worker"], []])
def test_a_mistake_in_the_manifest_stops_nothing(
    container: Container, shell: str, arguments: list[str]
) -> None:
    trial = container.titled(ACTOR)
    assert container.stop(shell, *arguments).returncode != 0
    assert not trial.asked
