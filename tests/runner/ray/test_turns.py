"""Drivers of one cluster, and their priorities."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import ray
from ray.exceptions import RpcError

from gandist.artifacts.job_dir import JobDir
from gandist.runner.events import BackendEvent, Finished, Notice, Started
from gandist.runner.ray import turns
from gandist.runner.ray.pool import RayBackend
from gandist.runner.ray.turns import LOOK_S, SILENT_S, Turns

from ..conftest import TESTS, make_job
from ..fakes import FAKE

GIVE_UP_S = 60.0


class Store:
    """A key-value store as Ray's is."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}
        self.refuses = False

    def internal_kv_put(self, key: bytes, value: bytes, overwrite: bool, *_: object) -> None:
        self._answer()
        self.held[key] = value

    def internal_kv_get(self, key: bytes, *_: object) -> bytes | None:
        self._answer()
        return self.held.get(key)

    def internal_kv_keys(self, prefix: bytes, *_: object) -> list[bytes]:
        self._answer()
        return [key for key in self.held if key.startswith(prefix)]

    def internal_kv_del(self, key: bytes, *_: object) -> None:
        self._answer()
        self.held.pop(key, None)

    def _answer(self) -> None:
        if self.refuses:
            raise RpcError("the head is gone")


class Drivers:
    """Some drivers of one cluster, each of which looks when time has passed."""

    def __init__(self) -> None:
        self.store, self.now = Store(), 0.0
        self.waits: dict[Turns, bool] = {}

    def add(self, priority: int, *, waits: bool = False, job: str = "job") -> Turns:
        driver = Turns(job, priority, self.store, clock=lambda: self.now)
        self.waits[driver] = waits
        return driver

    def pass_time(self, seconds: float = LOOK_S) -> list[str]:
        """All look every ``LOOK_S``; what they told."""
        told = []
        for _ in range(round(seconds / LOOK_S)):
            self.now += LOOK_S
            for driver in self.waits:
                told += [notice.text for notice in driver.look(lambda driver=driver: self.waits[driver])]
        return told


@pytest.fixture
def drivers() -> Drivers:
    return Drivers()


def test_who_has_the_lower_priority_yields_as_long_as_the_other_waits(drivers: Drivers) -> None:
    low, high = drivers.add(0), drivers.add(5, job="urgent\x1b")
    assert drivers.pass_time() == []
    drivers.waits[high] = drivers.waits[low] = True
    told = drivers.pass_time(10 * LOOK_S)
    assert told == [r"no new trials for now: urgent\x1b waits for places, and has a higher priority"]
    assert (low.yielding, high.yielding) == (True, False)
    drivers.waits[high] = False
    assert drivers.pass_time(2 * LOOK_S) == [
        "nobody of higher priority waits any more: trials are placed again"
    ]
    assert (low.yielding, high.yielding) == (False, False)


def test_equals_take_places_as_they_come(drivers: Drivers) -> None:
    a, b = drivers.add(3, waits=True), drivers.add(3, waits=True)
    drivers.pass_time(3 * LOOK_S)
    assert (a.yielding, b.yielding) == (False, False)


def test_of_three_the_highest_that_waits_goes_first(drivers: Drivers) -> None:
    low, middle, high = (drivers.add(priority, waits=True) for priority in (-1, 0, 1))
    drivers.pass_time(2 * LOOK_S)
    assert [driver.yielding for driver in (low, middle, high)] == [True, True, False]
    drivers.waits[high] = False
    drivers.pass_time(2 * LOOK_S)
    assert [driver.yielding for driver in (low, middle, high)] == [True, False, False]


def test_a_driver_that_leaves_or_is_killed_blocks_nobody(drivers: Drivers) -> None:
    low, high, killed = drivers.add(0), drivers.add(1, waits=True), drivers.add(2, waits=True)
    drivers.pass_time(2 * LOOK_S)
    assert low.yielding
    del drivers.waits[high], drivers.waits[killed]
    high.leave()
    drivers.pass_time(SILENT_S - 2 * LOOK_S)
    assert low.yielding, "the other may be busy"
    drivers.pass_time(4 * LOOK_S)
    assert not low.yielding
    assert drivers.store.held == {}


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"job": "x"}', b'{"job": "x", "priority": "high"}'])
def test_what_is_none_of_gandists_blocks_nobody(drivers: Drivers, value: bytes) -> None:
    low = drivers.add(0)
    drivers.store.held[b"waiting:x"] = value
    drivers.pass_time()
    assert not low.yielding


def test_a_head_that_does_not_answer_changes_nothing(drivers: Drivers) -> None:
    low, high = drivers.add(0), drivers.add(1, waits=True)
    drivers.pass_time(2 * LOOK_S)
    drivers.store.refuses = True
    assert drivers.pass_time(2 * LOOK_S) == []
    high.leave()
    assert low.yielding


def test_it_looks_now_and_then_only(drivers: Drivers) -> None:
    driver = drivers.add(0)
    asked: list[None] = []
    for drivers.now in (0.0, LOOK_S / 2, LOOK_S - 0.1, LOOK_S):
        driver.look(lambda: bool(asked.append(None)))
    assert len(asked) == 2


@pytest.fixture
def one_place(
    ray_cluster: object, monkeypatch: pytest.MonkeyPatch, job_dir: JobDir
) -> Callable[[str, int, int], RayBackend]:
    """Makes the backend of a driver, whose trials each need all of the cluster."""
    monkeypatch.setenv("RAY_ADDRESS", ray.get_runtime_context().gcs_address)
    monkeypatch.setattr(turns, "LOOK_S", 0.0)

    def make(name: str, priority: int, seeds: int) -> RayBackend:
        job = make_job(seeds, name=name, resources={"cpus": 4}, schedule={"priority": priority})
        backend = RayBackend(job, f"{job_dir.root}-{name}", None, FAKE, env_vars={"PYTHONPATH": TESTS})
        for trial in job.trials:
            backend.submit(trial)
        return backend

    return make


def test_while_another_waits_nothing_is_placed(
    one_place: Callable[[str, int, int], RayBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    with one_place("low", 0, 1) as low:
        made: list[None] = []
        monkeypatch.setattr(low, "_add_worker", lambda: made.append(None))
        other = Turns("high", 1)
        other.look(lambda: True)
        (notice,) = low.poll(0.0)
        assert notice == Notice("no new trials for now: high waits for places, and has a higher priority")
        assert low.poll(0.0) == []
        assert (made, low.busy) == ([], True)
        other.leave()
        low.poll(0.0)
        assert len(made) == 1


@pytest.mark.slow
def test_the_next_place_is_that_of_the_job_of_higher_priority(
    one_place: Callable[[str, int, int], RayBackend],
) -> None:
    order: list[tuple[str, str]] = []
    notices: list[str] = []

    def poll(name: str, backend: RayBackend) -> list[BackendEvent]:
        events = backend.poll(0.05)
        order.extend((name, event.trial) for event in events if isinstance(event, Started))
        notices.extend(event.text for event in events if isinstance(event, Notice))
        return events

    give_up = time.monotonic() + GIVE_UP_S
    with ExitStack() as stack:
        low = stack.enter_context(one_place("low", 0, 2))
        while not order and time.monotonic() < give_up:
            poll("low", low)
        high = stack.enter_context(one_place("high", 1, 1))
        poll("high", high)
        while not any(isinstance(event, Finished) for event in poll("low", low)):
            assert time.monotonic() < give_up
        while (low.busy or high.busy) and time.monotonic() < give_up:
            poll("high", high)
            poll("low", low)
    assert order == [("low", "base-seed0"), ("high", "base-seed0"), ("low", "base-seed1")]
    assert [notice.split(":")[0] for notice in notices] == [
        "no new trials for now",
        "nobody of higher priority waits any more",
    ]
