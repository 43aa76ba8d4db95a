"""Nodes that are lost, frozen, or the head itself."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from .fingerprint import differences, fingerprint
from .harness import STEPS, Driver, Moment
from .nodes import Cluster

NOTICED_S = 15.0

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]


def assert_finished(driver: Driver, undisturbed: dict[str, str]) -> None:
    code = driver.wait()
    assert code == 0, driver.output
    assert differences(fingerprint(driver.job_dir), undisturbed) == {}


@pytest.mark.parametrize("seed", range(4))
def test_a_node_that_runs_a_trial_is_removed(tmp_path: Path, undisturbed: dict[str, str], seed: int) -> None:
    random = Random(f"node {seed}")  # noqa: S311
    moment = Moment(
        random.choice(("training", "writing")), random.choice((0, 1)), random.randrange(1, STEPS - 20)
    )
    with Cluster(tmp_path, 2) as cluster, Driver(tmp_path, environment=cluster.driver_environment) as driver:
        assert driver.until(lambda: moment.is_reached(driver)), driver.output
        random.choice(cluster.busy()).remove()
        assert_finished(driver, undisturbed)
        assert "lost (1)" in driver.output


def test_a_frozen_node_is_noticed(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    from gandist.runner.ray.connection import HEALTH

    with (
        Cluster(tmp_path, 2, HEALTH) as cluster,
        Driver(tmp_path, environment=cluster.driver_environment) as driver,
    ):
        assert driver.until(lambda: Moment("training", 0, 40).is_reached(driver)), driver.output
        node = cluster.busy()[0]
        node.freeze()
        frozen = time.monotonic()
        assert driver.until(lambda: "lost (1)" in driver.output), driver.output
        assert time.monotonic() - frozen < NOTICED_S
        node.thaw()  # now two attempts may write to one trial
        assert_finished(driver, undisturbed)


def test_the_head_is_lost(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    with Cluster(tmp_path, 2) as cluster, Driver(tmp_path, environment=cluster.driver_environment) as driver:
        assert driver.until(lambda: Moment("writing", 1, 60).is_reached(driver)), driver.output
    assert driver.job_dir.trial("base-seed1").read_state().status == "running"
    with Cluster(tmp_path, 2) as cluster, Driver(tmp_path, environment=cluster.driver_environment) as driver:
        assert_finished(driver, undisturbed)
