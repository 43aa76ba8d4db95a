"""The preStop hook on a node of a real Ray cluster."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults.fingerprint import differences, fingerprint
from faults.harness import BARE, Driver, Moment, job_directory, run_through, session
from faults.nodes import Cluster, Node

from .manifests import K8S

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]


def processes(node: Node, folder: Path) -> Path:
    """A /proc with the processes of one node: to the hook, its container."""
    folder.mkdir()
    for pid in session(node._process.pid):
        (folder / str(pid)).symlink_to(f"/proc/{pid}")
    return folder


def test_a_node_that_is_asked_to_go_loses_nothing(tmp_path: Path) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    calm.mkdir()
    stormy.mkdir()
    assert run_through(calm, options=["--local"]).exit_code == 0
    patient = {"RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "60"}
    with (
        Cluster(tmp_path, 2, patient) as cluster,
        Driver(stormy, environment=cluster.driver_environment) as driver,
    ):
        assert driver.until(lambda: Moment("training", 0, 40).is_reached(driver)), driver.output
        node = cluster.busy()[0]
        began = time.monotonic()
        subprocess.run(
            ["sh", K8S / "base" / "prestop.sh", "worker", "60"],
            env={**BARE, "PROC": str(processes(node, tmp_path / "proc"))},
            check=True,
            timeout=90,
        )
        node._process.wait(30)  # it has drained, so it ends by itself
        assert time.monotonic() - began < 30
        assert driver.wait() == 0, driver.output
        assert "stopped at a checkpoint: its node asked it to" in driver.output
        assert "lost (" not in driver.output
    assert differences(fingerprint(job_directory(stormy)), fingerprint(job_directory(calm))) == {}
