"""Trials on the GPUs of several nodes. The GPUs are fakes: Ray hands them out as it does real ones."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.faults.harness import BARE, Driver
from tests.faults.nodes import Cluster

from .gpu_trials import PATIENCE_S, Placement, placements

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes of two GPUs, and a head without."""
    with Cluster(tmp_path_factory.mktemp("nodes"), 3, cpus=4, gpus=2) as cluster:
        yield cluster


class Job:
    """A job of trials that ask for ``gpus``, running on ``cluster``; leaving the context ends its driver."""

    def __init__(self, cluster: Cluster, root: Path, gpus: float, trials: int) -> None:
        self._root = root
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.runner.ray.gpu_trials", root, str(gpus), str(trials)],
            env={**BARE, **cluster.driver_environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def wait_for(self, begun: int) -> None:
        """Until so many of its trials have begun."""
        deadline = time.monotonic() + PATIENCE_S
        while len(list(self._root.parent.glob(f"begun-{self._root.name}-*"))) < begun:
            assert self._process.poll() is None, self._process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def placements(self) -> list[Placement]:
        """Of its trials, when it has ended well."""
        output, _ = self._process.communicate(timeout=2 * PATIENCE_S)
        assert self._process.returncode == 0, output
        return placements(self._root)


def devices(found: list[Placement]) -> Counter[tuple[str, str]]:
    return Counter((one.node, device) for one in found for device in one.visible)


def most_at_once(found: list[Placement], device: tuple[str, str]) -> float:
    """The largest part of a GPU that was in use at any time."""
    here = [one for one in found if one.node == device[0] and device[1] in one.visible]
    shares = [min(1.0, one.gpus) for one in here]
    return max(
        sum(share for one, share in zip(here, shares, strict=True) if one.began <= moment.began < one.ended)
        for moment in here
    )


def test_twelve_trials_share_six_gpus(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "meeting").write_text("12")
    with Job(cluster, tmp_path / "halves", 0.5, 12) as job:
        found = job.placements()
    assert len(found) == 12
    assert len({one.node for one in found}) == 3
    assert {device for _, device in devices(found)} == {"0", "1"}
    assert list(devices(found).values()) == [2] * 6, "two trials on each GPU, all at the same time"
    assert all(one.grows for one in found), "neither takes all memory"


def test_a_trial_on_two_gpus_beside_trials_that_share_the_others(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "meeting").write_text("9")
    with Job(cluster, tmp_path / "pair", 2, 1) as pair, ExitStack() as later:
        pair.wait_for(1)
        halves = later.enter_context(Job(cluster, tmp_path / "halves", 0.5, 12)).placements()
        (two,) = pair.placements()
    assert len(halves) == 12
    assert sorted(two.visible) == ["0", "1"]
    beside = [one for one in halves if one.began < two.ended]
    assert {one.node for one in beside} == {one.node for one in halves} - {two.node}
    everything = [*halves, two]
    assert {device: most_at_once(everything, device) for device in devices(everything)} == dict.fromkeys(
        devices(everything), 1.0
    )


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("resources.gpus=4", "--set resources.gpus=2"),
        ("resources.cpus=5", "--set resources.cpus=4"),
    ],
)
def test_what_no_node_can_give_is_told_and_waited_for_as_long_as_the_job_says(
    cluster: Cluster, tmp_path: Path, override: str, hint: str
) -> None:
    limit = "schedule.placement_timeout_s=3"
    options = ["--set", "resources.gpus=1", "--set", override, "--set", limit]
    shortage = (
        "more than any node has (Ray cluster of 4 nodes: 3 with 4 CPUs, 2 GPUs; 1 with 0 CPUs, 0 GPUs): "
    )
    with Driver(tmp_path, options, cluster.driver_environment) as driver:
        assert driver.wait() == 1
        assert f"{shortage}{hint}; waiting for a place for 3 s\n" in driver.output
        last = driver.output.splitlines()[-1]
        assert last.startswith(
            "schedule.placement_timeout_s: no trial has had a place for 3 s: a trial asks "
        )
        assert last.endswith(f"{shortage}{hint}")


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Cluster]:
    """A head, and an autoscaler that may start two nodes of two GPUs."""
    with Cluster(tmp_path, 0, cpus=4, gpus=2, spare=2) as cluster:
        yield cluster


def test_trials_wait_for_the_nodes_that_an_autoscaler_starts(growing: Cluster, tmp_path: Path) -> None:
    (tmp_path / "meeting").write_text("8")
    with Job(growing, tmp_path / "halves", 0.5, 8) as job:
        found = job.placements()
    assert list(devices(found).values()) == [2] * 4
    assert len({one.node for one in found}) == 2
