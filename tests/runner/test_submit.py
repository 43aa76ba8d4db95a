"""``ray job submit``: the driver runs inside a cluster, as users and Kubernetes run it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gandist.artifacts.job_dir import JobDir

ROOT = Path(__file__).parents[2]
RAY = Path(sys.executable).with_name("ray")
SMALL = [
    "training.epochs=1",
    "data.batch_size=128",
    "model.width=2",
    "seeds=[0]",
    "samples.rows=2",
    "samples.columns=2",
]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
ENVIRONMENT |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def head() -> Iterator[str]:
    """``ray start --head`` on loopback, with a temporary directory of its own; the address of its jobs."""
    dashboard, port = free_port(), free_port()
    folder = Path("/tmp") / f"gandist-{os.getpid()}"  # noqa: S108  Unix sockets need a short path
    command = [
        *(RAY, "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"),
        *("--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"),
        *("--disable-usage-stats", f"--temp-dir={folder}", "--dashboard-agent-listen-port", str(free_port())),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    ) as process:
        try:
            said = []
            for line in process.stdout or ():
                said.append(line)
                if "Ray runtime started" in line:
                    break
            else:
                pytest.fail("".join(said))
            yield f"http://127.0.0.1:{dashboard}"
        finally:
            process.terminate()
            process.communicate(timeout=60)


def test_a_submitted_job_runs_to_its_report(head: str, tmp_path: Path) -> None:
    settings = [part for setting in SMALL for part in ("--set", setting)]
    command = [
        *(RAY, "job", "submit", "--address", head, "--working-dir", str(ROOT), "--"),
        *(
            sys.executable,
            "-m",
            "gandist",
            "run",
            "jobs/quickstart.yaml",
            "--storage",
            str(tmp_path),
            *settings,
        ),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 completed" in done.stdout
    job_dir = JobDir(str(tmp_path / "quickstart"))
    assert job_dir.trial("r1-seed0").read_state().status == "completed"
    assert job_dir.storage.exists(JobDir.REPORT)


def test_without_the_token_nothing_is_submitted(head: str) -> None:
    stranger = {name: value for name, value in ENVIRONMENT.items() if name != "RAY_AUTH_TOKEN"} | {
        "HOME": "/nonexistent"
    }
    command = [RAY, "job", "submit", "--address", head, "--", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=stranger)
    assert done.returncode != 0
    assert "auth" in (done.stdout + done.stderr).lower()
