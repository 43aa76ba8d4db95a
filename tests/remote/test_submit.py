"""``ray job submit`` and ``gandist submit`` as users run them: on a real cluster, with a token."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from tests.plugins import write_example

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
RAY, GANDIST = BIN / "ray", BIN / "gandist"
PATIENCE_S = 240
JOB = """
name: small
data: {name: digits, batch_size: 128}
model: {name: dcgan, width: 2}
training: {steps: 1000000}
samples: {rows: 2, columns: 2}
resources: {cpus: 1}
"""
SMALL = [
    "training.epochs=1",
    "data.batch_size=128",
    "model.width=2",
    "seeds=[0]",
    "samples.rows=2",
    "samples.columns=2",
    "evaluation.mode_collapse=null",  # 15 steps tell nothing
]
STRANGER = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
STRANGER |= {"HOME": "/dev/null/home"}  # where Ray keeps tokens
TOKEN = {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
CLUSTER = STRANGER | TOKEN | {"RAY_AUTH_MODE": "token", "PATH": f"{BIN}:{os.environ['PATH']}"}
ELSEWHERE = {"RAY_API_SERVER_ADDRESS": "http://127.0.0.1:1", "RAY_ADDRESS": "http://127.0.0.1:1"}
"""What Ray's own client would prefer to ``--address``."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Head(NamedTuple):
    """Where a cluster answers."""

    url: str
    """Of its dashboard, for submitting."""
    address: str
    """Of Ray itself, for drivers."""


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    """``ray start --head`` on loopback, with a temporary directory of its own."""
    dashboard, port = free_port(), free_port()
    folder = Path(os.environ["TMPDIR"]) / "head"
    command = [
        *(
            str(RAY),
            "start",
            "--head",
            "--block",
            "--node-ip-address=127.0.0.1",
            f"--port={port}",
            "--num-cpus=2",
        ),
        *("--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"),
        *("--disable-usage-stats", f"--temp-dir={folder}", "--dashboard-agent-listen-port", str(free_port())),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=CLUSTER
    ) as process:
        try:
            said = []
            for line in process.stdout or ():
                said.append(line)
                if "Ray runtime started" in line:
                    break
            else:
                pytest.fail("".join(said))
            yield Head(f"http://127.0.0.1:{dashboard}", f"127.0.0.1:{port}")
        finally:
            process.terminate()
            process.communicate(timeout=60)


def gandist(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [str(GANDIST), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=env | ELSEWHERE
    )


def submission(head: Head, folder: Path) -> list[str]:
    """The arguments that send the job, written to ``folder``, to the cluster."""
    (folder / "job.yaml").write_text(JOB)
    storage = str(folder / "runs")
    return ["submit", str(folder / "job.yaml"), "--storage", storage, "--address", head.url]


@pytest.mark.slow
def test_ray_job_submit_runs_a_job_to_its_report(head: Head, tmp_path: Path) -> None:
    settings = [part for setting in SMALL for part in ("--set", setting)]
    command = [
        *(str(RAY), "job", "submit", "--address", head.url, "--working-dir", str(ROOT), "--"),
        *("gandist", "run", "jobs/quickstart.yaml", "--storage", str(tmp_path), *settings),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=CLUSTER
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 completed" in done.stdout
    job_dir = JobDir(str(tmp_path / "quickstart"))
    assert job_dir.trial("r1-seed0").read_state().status == "completed"
    assert job_dir.storage.exists(JobDir.REPORT)


@pytest.mark.slow
def test_ray_job_submit_without_a_storage_is_refused(head: Head, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    command = [str(RAY), "job", "submit", "--address", head.url, "--working-dir", str(tmp_path), "--"]
    done = subprocess.run(
        [*command, "gandist", "run", "job.yaml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env=CLUSTER,
    )
    assert done.returncode == 1, done.stdout + done.stderr  # Ray's, for the driver's 2
    assert "--storage runs: relative to what? give s3://bucket/path, or a directory" in done.stdout
    assert "Traceback" not in done.stdout


def test_gandist_submit_follows_and_stops(head: Head, tmp_path: Path) -> None:
    env = STRANGER | TOKEN
    follow_and_stop(head, tmp_path)
    status = gandist("status", "small", "--address", head.url, env=env)
    assert "1 trial: 1 stopped" in status.stdout


def follow_and_stop(head: Head, folder: Path) -> TrialState:
    """Of the trial, which has not been killed on the way."""
    submit, env = submission(head, folder), STRANGER | TOKEN
    command = [str(GANDIST), *submit, "--follow"]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=env | ELSEWHERE) as following:
        try:
            before = []
            for line in following.stdout or ():  # it comes while the job runs
                before.append(line)
                if line.startswith("base-seed0  running"):
                    break
            stopped = gandist("stop", "small", "--address", head.url, env=env)
            out, err = following.communicate(timeout=PATIENCE_S)
        finally:
            following.kill()
    assert stopped.returncode == 0, stopped.stderr
    assert ": stopped\n1 stopped\nstopped; the same command goes on from here; " in stopped.stdout
    assert following.returncode == 143, err
    assert "base-seed0  running" in before[-1]
    assert out.endswith(f"gandist report {folder / 'runs' / 'small'}\n")
    assert "INFO" not in "".join(before) + out + err
    state = JobDir(str(folder / "runs" / "small")).trial("base-seed0").read_state()
    assert state.status == "stopped"
    return state


@pytest.mark.slow
def test_gandist_submit_goes_on_from_where_it_was_stopped(head: Head, tmp_path: Path) -> None:
    state = follow_and_stop(head, tmp_path)
    trial = JobDir(str(tmp_path / "runs" / "small")).trial("base-seed0")
    submit, env = submission(head, tmp_path), STRANGER | TOKEN
    steps = state.step + 2
    done = gandist(*submit, "--follow", "--set", f"training.steps={steps}", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 completed" in done.stdout
    after = trial.read_state()
    assert (after.status, after.step, after.attempts) == ("completed", steps, 2)
    losses = pq.read_table(tmp_path / "runs" / "small" / JobDir.LOSSES)
    assert losses.column("step").to_pylist() == list(range(1, steps + 1))

    status = gandist("status", "small", "--address", head.url, env=env)
    assert ": succeeded, " in status.stdout
    assert "1 trial: 1 completed" in status.stdout


@pytest.mark.slow
def test_a_job_that_is_refused_there_ends_with_the_driver_s_exit_code(head: Head, tmp_path: Path) -> None:
    submit, env = [*submission(head, tmp_path), "--follow"], STRANGER | TOKEN
    assert gandist(*submit, "--set", "training.steps=1", env=env).returncode == 0
    changed = gandist(*submit, "--set", "model.latent_dim=7", env=env)
    assert changed.returncode == 2
    assert "trained with other settings" in changed.stdout


@pytest.mark.slow
def test_a_plugin_is_sent_and_runs_on_the_clusters_actors(head: Head, tmp_path: Path) -> None:
    """In parts: ``test_plugins_travel_with_the_job_file``, ``test_a_plugin_travels_with_the_trial``."""
    job_file, file = write_example(tmp_path / "mine")
    where = ["--storage", str(tmp_path / "runs"), "--address", head.url]
    env = STRANGER | TOKEN
    done = gandist("submit", str(job_file), "--plugin", str(file), *where, "--follow", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "base: brightness" in done.stdout
    job_dir = JobDir(str(tmp_path / "runs" / "own"))
    assert [job_dir.trial(f"base-seed{seed}").read_state().status for seed in (0, 1)] == ["completed"] * 2
    assert list(job_dir.read_manifest().plugins) == ["own_variants"]


def test_without_the_token_nothing_is_submitted(head: Head, tmp_path: Path) -> None:
    submit = submission(head, tmp_path)
    for token, line in (
        ({}, "asks for a token; set RAY_AUTH_TOKEN"),
        ({"RAY_AUTH_TOKEN": "0" * 64}, "refuses the token"),
    ):
        done = gandist(*submit, env=STRANGER | token)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{head.url}: {line}")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("port", "token", "line"),
    [
        pytest.param("of Ray", {}, "refuses the token", marks=pytest.mark.slow),
        ("of Ray", {"RAY_AUTH_TOKEN": "0" * 64}, "refuses the token"),
        pytest.param(
            "of its dashboard",
            TOKEN,
            "no Ray answers there; give the address that `ray start --head` prints",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_driver_that_is_not_let_in_says_why_in_one_line(
    head: Head, tmp_path: Path, port: str, token: dict[str, str], line: str
) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    address = head.address if port == "of Ray" else head.url.removeprefix("http://")
    done = subprocess.run(
        [str(GANDIST), "run", str(tmp_path / "job.yaml"), "--storage", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env=STRANGER | token | {"RAY_ADDRESS": address},
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"RAY_ADDRESS={address}: {line}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()
