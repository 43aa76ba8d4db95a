"""What tests of several parts share."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator

import pytest

from gandist import cli, environment
from gandist.runner.interrupts import SIGNALS
from gandist.runner.ray import auth
from gandist.runner.ray.connection import LOOPBACK, Cluster, connected

# As in gandist's own processes, before a test imports Keras.
environment.set_variables()
# Read when ray is imported, which some tests do before they start one.
os.environ.update(LOOPBACK)
# Instead of 10 s: a test waits for it.
os.environ.update({"RAY_metrics_report_interval_ms": "1000"})
for name in (auth.TOKEN, auth.TOKEN_PATH, auth.MODE):
    os.environ.pop(name, None)

CommandLine = Callable[..., tuple[int, list[str], list[str]]]


def pytest_configure(config: pytest.Config) -> None:
    """Gives the processes that tests start temporary files and caches that end with the session: those that
    are killed cannot clear away what they have there."""
    folder = tempfile.mkdtemp(prefix="gandist-", dir="/tmp")  # sockets need a short path
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["TMPDIR"] = folder
    os.environ["GANDIST_CACHE_DIR"] = f"{folder}/cache"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts Ray comes first: of the processes that share the tests, the first then runs all of it. So
    there is one Ray for the session, and those that tests start take no ports from each other."""
    for item in items:
        if "ray_cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.ray)
    items.sort(key=lambda item: item.get_closest_marker("ray") is None)


@pytest.fixture(scope="module", autouse=True)
def swept() -> None:
    """What is there before a module's first test stays, a million objects of TensorFlow's and Ray's: the
    collections of garbage that Keras makes with each trial pass over it. Others are few, since a
    step that is traced makes a hundred thousand objects that stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


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

    distribution.configure(distribution.Threads(1), gpus=0, replicas=4)


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> CommandLine:
    """Runs ``gandist`` with the arguments given; its exit code, stdout and stderr as lines."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["gandist", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        for number, handler in handlers.items():  # a command that a signal has ended hears no other
            signal.signal(number, handler)
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out.splitlines(), err.splitlines()

    return run
