"""What tests of several parts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gandist.runner.cluster import Cluster, connected


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Cluster]:
    """One local Ray for all tests: 4 logical CPUs, whatever the machine has."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("RAY_ADDRESS", raising=False)
        with connected(num_cpus=4) as cluster:
            yield cluster


@pytest.fixture(scope="session")
def devices() -> None:
    """Four logical CPU devices in this process: TensorFlow's are set once, before anything is computed."""
    from gandist.training import distribution

    distribution.configure(cpus=1, gpus=0, replicas=4)
