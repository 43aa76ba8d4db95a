"""The Ray that is connected to: which it is, what its nodes offer, and what is advised."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from gandist.errors import RunError, UsageError
from gandist.runner.ray.connection import HEALTH, Cluster, Node, connected


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc to look into")
def test_a_local_ray_soon_notices_a_frozen_node(ray_cluster: object) -> None:
    (head,) = (path.parent for path in Path("/proc").glob("[0-9]*/stat") if is_head_of_this_process(path))
    environment = (head / "environ").read_text().split("\0")
    assert {f"{name}={value}" for name, value in HEALTH.items()} <= set(environment)


def is_head_of_this_process(stat: Path) -> bool:
    try:
        name, _, rest = stat.read_text().rpartition(")")
    except OSError:  # it has just ended
        return False
    return name.endswith("(gcs_server") and int(rest.split()[1]) == os.getpid()


def test_a_ray_client_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(UsageError, match="gandist submit"), connected():
        pass


def test_local_is_a_ray_of_ones_own(ray_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "local")
    with connected() as cluster:
        assert cluster == ray_cluster
        assert cluster.own


def test_a_cluster_that_does_not_answer_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(RunError, match=f"RAY_ADDRESS={address}: no Ray answers"), connected():
        pass


def test_a_trial_fits_on_one_node_only() -> None:
    cluster = Cluster(own=False, nodes=(Node(8, 0), Node(2, 1), Node(8, 0)))
    assert cluster.fits(8, 0)
    assert cluster.fits(2, 0.5)
    assert not cluster.fits(8, 1)
    assert str(cluster) == "Ray cluster of 3 nodes: 1 with 2 CPUs, 1 GPU; 2 with 8 CPUs, 0 GPUs"


@pytest.mark.parametrize(
    ("cpus", "gpus", "advice"),
    [
        (80, 0, "--set resources.cpus=64"),
        (4, 1, "--set resources.cpus=2"),
        (2, 8, "--set resources.gpus=4"),
        (8, 8, "--set resources.gpus=0"),
        (80, 8, "--set resources.cpus=2 --set resources.gpus=4"),
    ],
)
def test_what_is_advised_fits(cpus: int, gpus: int, advice: str) -> None:
    cluster = Cluster(own=False, nodes=(Node(0, 0), Node(64, 0), Node(2, 4)))
    assert cluster.advice(cpus, gpus) == advice
    changed = {"cpus": cpus, "gpus": gpus} | {
        name: int(value) for name, value in re.findall(r"resources\.(\w+)=(\d+)", advice)
    }
    assert cluster.fits(changed["cpus"], changed["gpus"])


@pytest.mark.parametrize("nodes", [(), (Node(0, 0),), (Node(0, 4),)])
def test_where_no_trial_fits_nothing_smaller_is_advised(nodes: tuple[Node, ...]) -> None:
    assert Cluster(own=False, nodes=nodes).advice(1, 0) == "start nodes with CPUs first"
